/** Provisioning with four settings files and their companions, of a board from the factory and of one that was provisioned before. */
import { describe, expect, it } from 'vitest';
import { SECOND } from '../../hal/base/time.js';
import type { FlashOp } from '../../hal/hal.js';
import type { NorFlash } from '../../sim/flash/nor-flash.js';
import { BoardBench, type ServedFiles } from '../support/board-bench.js';
import { everyCut, survey, tally } from '../support/power-cuts.js';
import { describeJourney, type Journey, Judge } from './journey.js';

const FILES = ['algop8180g2.conf', 'algop8180g2-i.conf', 'algom0022EE0A0001.conf', 'algom0022EE0A0001-i.conf'] as const;

/** What a site serves: what all its units share, some kB of it, what is this unit's own, and what was changed since. */
function siteFiles(year: number): ServedFiles {
  const zones = Array.from({ length: 24 }, (_, i): [string, string][] => [
    [`mcast.zone${i + 1}.addr`, `224.0.${i}.${year % 100}:${50_000 + 2 * i}`],
    [`mcast.zone${i + 1}.name`, `Building ${i + 1}, paging zone of ${year}`],
  ]).flat();
  const shared = new Map([...zones, ['audio.page.vol', '-3dB'], ['sip.transp', 'tls'], ['sip.tls.cert', '1'], ['sip.srtp', 'standard']]);
  const stations = Array.from({ length: 8 }, (_, i): [string, string] => [`page.station${i + 1}`, `sip:desk${i}-${year}@sip.example.test`]);
  const own = new Map([['admin.devname', 'lobby'], ['sip.u1.user', '101'], ['sip.u1.pwd', `secret of ${year}`], ...stations]);
  const changes = [new Map([['audio.page.vol', '-6dB']]), new Map([['admin.devname', `lobby ${year}`]])];
  return new Map([
    [FILES[0], shared],
    [FILES[1], changes[0]!],
    [FILES[2], own],
    [FILES[3], changes[1]!],
  ]);
}

const bench = new BoardBench();
/** Long enough for a lease, the time, a TLS handshake, eight files and their commit. */
const TIME = 20 * SECOND;

/** A unit that was switched on once, with the cable out. */
async function unpacked(): Promise<NorFlash> {
  const chip = bench.unit.chip.copy();
  await bench.boot(chip);
  return chip;
}

const JOURNEYS: readonly Journey[] = [
  {
    name: 'the first provisioning',
    bench,
    start: unpacked,
    run: { served: siteFiles(2026), time: TIME },
    least: 20,
    check: ({ events, status }) => {
      expect(events.find(({ event }) => event === 'provisioning.applied')).toMatchObject({ files: FILES });
      expect(status.get('Device Name')).toBe('lobby 2026');
    },
  },
  {
    name: 'provisioning that replaces a configuration',
    bench,
    start: async () => {
      const chip = await unpacked();
      await bench.run(chip, { served: siteFiles(2025), time: TIME });
      return chip;
    },
    run: { served: siteFiles(2026), time: TIME },
    least: 20,
    gone: ['secret of 2025'],
    check: ({ events }) => expect(events.find(({ event }) => event === 'provisioning.applied')).toMatchObject({ files: FILES }),
  },
];

for (const journey of JOURNEYS) describeJourney(journey);

describe('a commit record that is programmed before the data', { timeout: 240_000 }, () => {
  it('would be noticed as a loss', async () => {
    const before = await unpacked();
    const chip = before.copy();
    const { operations } = await bench.run(chip, JOURNEYS[0]!.run);
    const judge = new Judge(bench, undefined, before);
    for (const each of [before, chip]) await judge.know(each);
    const counts = (op: FlashOp): boolean => op.type === 'program' && /^BLCM/.test(Buffer.from(op.bytes).toString('latin1', 0, 4));
    const faulty = [...operations.filter(counts), ...operations.filter((op) => !counts(op))];
    const result = await survey(everyCut(before, faulty), ['config', 'certs'], (left) => judge.lossOn(left));
    console.log(`commit record first: ${tally(result)}, such as: ${result.losses[0]}`);
    expect(result.losses.length).toBeGreaterThan(0);
  });
});
