/** A certificate is uploaded, and the identity towards SIP servers replaced, while the device runs. */
import { expect } from 'vitest';
import { latin1 } from '../../hal/base/bytes.js';
import { SECOND } from '../../hal/base/time.js';
import type { NorFlash } from '../../sim/flash/nor-flash.js';
import { BoardBench, filesOn, type RunOptions } from '../support/board-bench.js';
import { describeJourney } from './journey.js';

const bench = new BoardBench();
const CLIENT = 'certs/sipclient.pem';

const putting = (path: string, bytes: Uint8Array): RunOptions => ({
  time: 3 * SECOND,
  act: (endpoint) =>
    endpoint.files.put(path, bytes, {}, (result) => {
      if (!result.ok) throw new Error(result.error.detail);
    }),
});

const [first, second] = ['lobby.example.test', 'lobby.site.example.test'].map((identity) => bench.pki.file({ identity })) as [
  Uint8Array,
  Uint8Array,
];
/** A line of a private key: who finds it on a chip that was thrown away has a part of it. */
const lineOfKey = (pem: Uint8Array): string => latin1(pem).split('BEGIN PRIVATE KEY-----\n')[1]!.split('\n')[5]!;

async function provided(run: RunOptions): Promise<NorFlash> {
  const chip = bench.unit.chip.copy();
  await bench.run(chip, run);
  return chip;
}

describeJourney({
  name: 'an upload to certs/trusted',
  bench,
  start: () => provided({ time: SECOND }),
  run: putting('certs/trusted/renewed.pem', bench.pki.file({ authority: 'renewed' })),
  least: 8,
  check: ({ events }, chip) => {
    expect(events).toContainEqual(expect.objectContaining({ event: 'certs.accepted', file: 'certs/trusted/renewed.pem' }));
    expect([...filesOn(chip).keys()]).toEqual(expect.arrayContaining(['certs/trusted/renewed.pem', 'certs/trusted/site.pem']));
  },
});

describeJourney({
  name: 'replacing certs/sipclient.pem',
  bench,
  start: () => provided(putting(CLIENT, first)),
  run: putting(CLIENT, second),
  least: 20,
  gone: [lineOfKey(first)],
  check: (_run, chip) => expect(filesOn(chip).get(CLIENT)).toContain(lineOfKey(second)),
});
