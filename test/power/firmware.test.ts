/** The image boots with another version of the firmware: newer, and older than the one that wrote its settings. */
import { expect } from 'vitest';
import { SECOND } from '../../hal/base/time.js';
import { BoardBench } from '../support/board-bench.js';
import { describeJourney } from './journey.js';

const bench = new BoardBench();
const NAMED = new Map([
  ['admin.devname', 'lobby'],
  ['api.admin.pwd', 'amber-kettle-31'],
]);

for (const { from, to } of [
  { from: '5.3', to: '5.5' },
  { from: '5.5', to: '3.1' },
]) {
  describeJourney({
    name: `a boot with firmware ${to} in place of ${from}`,
    bench,
    start: async () => {
      const chip = bench.unit.chip.copy();
      await bench.run(chip, { firmware: from, served: new Map([[`algom${bench.mac}.conf`, NAMED]]), time: 20 * SECOND });
      return chip;
    },
    run: { firmware: to, time: 3 * SECOND },
    least: 3,
    check: ({ events, status }) => {
      expect(events.find(({ event }) => event === 'firmware.changed')).toMatchObject({ from, to });
      expect(status.get('Device Name')).toBe('lobby');
    },
    fault: ({ events }, found) => {
      const reported = events.some(({ event }) => event === 'firmware.changed');
      return reported === (found.get('state/firmware') === `${to}\n`) ? `reported: ${reported}, known: ${!reported}` : undefined;
    },
  });
}
