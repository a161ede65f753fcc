import { MILLISECOND } from '../../base/time.js';
import type { DnsRecords, Hal, HalError, Result } from '../../hal.js';
import { type Bench, type ConformanceCase, check, given, PATIENCE, pass } from '../bench.js';

function ask<K extends keyof DnsRecords>(
  hal: Hal,
  bench: Bench,
  name: string,
  type: K,
): Promise<Result<readonly DnsRecords[K][], HalError>> {
  const answers: Result<readonly DnsRecords[K][], HalError>[] = [];
  hal.net.resolve(name, type, (result) => answers.push(result));
  check(answers.length === 0, 'the answer came during the call');
  return bench.until(`an answer for ${name}`, () => answers[0], 2 * PATIENCE);
}

export const dnsCases: readonly ConformanceCase[] = [
  {
    id: 'dns-literal',
    law: 1,
    title: 'an address literal is its own answer, in a later turn',
    needs: [],
    run: async (hal, bench) => {
      const answer = await ask(hal, bench, '192.0.2.7', 'A');
      check(answer.ok && answer.value.join() === '192.0.2.7', JSON.stringify(answer));
    },
  },
  {
    id: 'dns-known',
    law: 'contract',
    title: 'a name that has an address is resolved',
    needs: ['names'],
    run: async (hal, bench) => {
      const { known, address } = given(bench.names, 'names');
      const answer = await ask(hal, bench, known, 'A');
      check(answer.ok && answer.value.includes(address), JSON.stringify(answer));
    },
  },
  {
    id: 'dns-unknown',
    law: 4,
    title: 'a name that has none is not-found',
    needs: ['names'],
    run: async (hal, bench) => {
      const answer = await ask(hal, bench, given(bench.names, 'names').unknown, 'A');
      check(!answer.ok && answer.error.kind === 'not-found', JSON.stringify(answer));
    },
  },
  {
    id: 'dns-cancel',
    law: 5,
    title: 'a question that was taken back is not answered',
    needs: [],
    run: async (hal, bench) => {
      let answered = false;
      const cancel = hal.net.resolve('192.0.2.7', 'A', () => {
        answered = true;
      });
      cancel();
      cancel();
      await pass(hal, bench, 50 * MILLISECOND);
      check(!answered, 'it was');
    },
  },
];
