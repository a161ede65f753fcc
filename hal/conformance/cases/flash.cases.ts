import { equal } from '../../base/bytes.js';
import { MILLISECOND } from '../../base/time.js';
import type { FlashOp, Hal, HalError, Partition, Result } from '../../hal.js';
import { type Bench, type ConformanceCase, check, given, PATIENCE, pass } from '../bench.js';

type Answer = Result<Uint8Array | undefined, HalError>;

function submit(hal: Hal, bench: Bench, op: FlashOp): Promise<Answer> {
  const answers: Answer[] = [];
  hal.flash.submit(op, (result) => answers.push(result));
  check(answers.length === 0, `${op.type} was done during submit`);
  return bench.until(`${op.type} to be done`, () => answers[0], PATIENCE);
}

async function read(hal: Hal, bench: Bench, offset: number, length: number): Promise<Uint8Array> {
  const answer = await submit(hal, bench, { type: 'read', partition: spare(hal, bench).name, offset, length });
  check(answer.ok && answer.value?.length === length, `read: ${JSON.stringify(answer)}`);
  return answer.ok && answer.value ? answer.value : new Uint8Array(0);
}

function spare(hal: Hal, bench: Bench): Partition {
  const name = given(bench.spareFlash, 'spareFlash');
  const partition = hal.flash.partitions.find((candidate) => candidate.name === name);
  return given(partition, 'spareFlash');
}

/** Bits away from the erased state: two patterns of which the second only goes further. */
const pattern = ({ erased }: Partition, bits: number): number => (erased ^ bits) & 0xff;

function throws(act: () => void): boolean {
  try {
    act();
    return false;
  } catch {
    return true;
  }
}

export const flashCases: readonly ConformanceCase[] = [
  {
    id: 'flash-erase-program-read',
    law: 'contract',
    title: 'erase sets one sector and no other, program is read back, and a second program may clear more bits',
    needs: ['spareFlash'],
    run: async (hal, bench) => {
      const p = spare(hal, bench);
      const at = { partition: p.name, offset: 0 };
      await submit(hal, bench, { type: 'erase', partition: p.name, offset: p.sector });
      await submit(hal, bench, {
        type: 'program',
        partition: p.name,
        offset: p.sector,
        bytes: new Uint8Array(p.program).fill(pattern(p, 0x0f)),
      });
      await submit(hal, bench, { type: 'erase', ...at });
      check(
        (await read(hal, bench, 0, p.sector)).every((octet) => octet === p.erased),
        'an erased sector is not erased',
      );
      check((await read(hal, bench, p.sector, 1))[0] === pattern(p, 0x0f), 'the erase reached the next sector');
      for (const bits of [0x05, 0x0f]) {
        const bytes = new Uint8Array(p.program).fill(pattern(p, bits));
        const done = await submit(hal, bench, { type: 'program', ...at, bytes });
        check(done.ok, JSON.stringify(done));
        check(equal(await read(hal, bench, 0, p.program), bytes), 'what is read is not what was programmed');
      }
      check((await submit(hal, bench, { type: 'sync', partition: p.name })).ok, 'sync failed');
    },
  },
  {
    id: 'flash-order',
    law: 'contract',
    title: 'operations are done in the order in which they were submitted, each once',
    needs: ['spareFlash'],
    run: async (hal, bench) => {
      const p = spare(hal, bench);
      const done: string[] = [];
      const bytes = new Uint8Array(p.program).fill(pattern(p, 0x3c));
      const ops: FlashOp[] = [
        { type: 'erase', partition: p.name, offset: 0 },
        { type: 'read', partition: p.name, offset: 0, length: 1 },
        { type: 'program', partition: p.name, offset: 0, bytes },
        { type: 'read', partition: p.name, offset: 0, length: 1 },
        { type: 'sync', partition: p.name },
      ];
      for (const op of ops) {
        hal.flash.submit(op, (answer) => done.push(`${op.type}${answer.ok && answer.value ? ` ${answer.value[0]}` : ''}`));
      }
      bytes.fill(0x55); // the caller's again
      await bench.until('all to be done', () => (done.length === ops.length ? true : undefined), PATIENCE);
      await pass(hal, bench, 10 * MILLISECOND);
      const wanted = ['erase', `read ${p.erased}`, 'program', `read ${pattern(p, 0x3c)}`, 'sync'];
      check(done.join() === wanted.join(), done.join());
    },
  },
  {
    id: 'flash-read-own',
    law: 6,
    title: 'octets that were read stay as they were',
    needs: ['spareFlash'],
    run: async (hal, bench) => {
      const p = spare(hal, bench);
      await submit(hal, bench, { type: 'erase', partition: p.name, offset: 0 });
      const before = await read(hal, bench, 0, p.program);
      await submit(hal, bench, { type: 'program', partition: p.name, offset: 0, bytes: new Uint8Array(p.program).fill(pattern(p, 0xff)) });
      check(
        before.every((octet) => octet === p.erased),
        'a later program changed them',
      );
      before.fill(0x77);
      check((await read(hal, bench, 0, 1))[0] === pattern(p, 0xff), 'the reader wrote into the chip');
    },
  },
  {
    id: 'flash-violations',
    law: 4,
    title: 'what no chip does is a contract violation: outside, not in units, an unknown partition',
    needs: ['spareFlash'],
    run: (hal, bench) => {
      const p = spare(hal, bench);
      const refused = (op: FlashOp): boolean => throws(() => hal.flash.submit(op, () => undefined));
      check(refused({ type: 'read', partition: p.name, offset: p.size, length: 1 }), 'a read outside was taken');
      check(refused({ type: 'erase', partition: p.name, offset: 1 }), 'an erase inside a sector was taken');
      check(refused({ type: 'sync', partition: 'no such partition' }), 'an unknown partition was taken');
      if (p.program > 1) {
        check(refused({ type: 'program', partition: p.name, offset: 0, bytes: new Uint8Array(1) }), 'half a unit was programmed');
      }
    },
  },
];
