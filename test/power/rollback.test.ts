/** A configuration under which no account registers is taken back: power fails while it comes, while it is tried, and while the last good one returns. */
import { expect } from 'vitest';
import { SECOND } from '../../hal/base/time.js';
import { BoardBench, filesOn, type ServedFiles } from '../support/board-bench.js';
import { describeJourney } from './journey.js';

const bench = new BoardBench();

const served = (proxy: string, name: string): ServedFiles =>
  new Map([
    [
      `algom${bench.mac}.conf`,
      new Map([
        ['admin.devname', name],
        ['prov.confirm', '60'],
        ['sip.proxy', proxy],
        ['sip.transp', 'tls'],
        ['sip.tls.cert', '1'],
        ['sip.u1.user', '101'],
        ['sip.u1.pwd', 'amber-kettle-31'],
      ]),
    ],
  ]);
const good = served('sip.example.test', 'lobby');
const bad = served('gone.example.test', 'nowhere');

describeJourney({
  name: 'a bad configuration and its return',
  bench,
  start: async () => {
    const chip = bench.unit.chip.copy();
    const { events } = await bench.run(chip, { served: good, time: 30 * SECOND });
    expect(events.some(({ event }) => event === 'registration.registered')).toBe(true);
    return chip;
  },
  run: { served: bad, time: 120 * SECOND },
  midway: { served: bad, time: 30 * SECOND },
  least: 12,
  check: ({ events, status }, chip) => {
    expect(events.some(({ event }) => event === 'provisioning.confirming')).toBe(true);
    expect(events.some(({ event }) => event === 'provisioning.rolled-back')).toBe(true);
    expect(status.get('Device Name')).toBe('lobby');
    expect(filesOn(chip).get('provisioning/rejected.conf')).toContain('sha256 = ');
  },
});
