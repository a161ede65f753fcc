import { DAY, MILLISECOND } from '../../base/time.js';
import type { Hal, Micros } from '../../hal.js';
import { type Bench, type ConformanceCase, check, PATIENCE, pass } from '../bench.js';

const SHORT: Micros = 20 * MILLISECOND;

/** Alarms as they come. Takes the clock's listener. */
function alarms(hal: Hal): Micros[] {
  const fired: Micros[] = [];
  hal.clock.onAlarm((at) => fired.push(at));
  return fired;
}

const firstOf = (bench: Bench, fired: readonly Micros[]): Promise<Micros> => bench.until('the alarm', () => fired[0], PATIENCE);

/** Times more than 90 days ahead that 32 bits of this unit turn into the past, or into the next moment. */
function overflows(now: Micros, unit: Micros): Micros[] {
  const wrap = 2 ** 32 * unit;
  const wraps = Math.ceil((90 * DAY) / wrap);
  return [(Math.ceil(now / wrap) + wraps) * wrap + unit, now + wraps * wrap + unit];
}

export const clockCases: readonly ConformanceCase[] = [
  {
    id: 'clock-now-steady',
    law: 3,
    title: 'now() is a whole number of µs and never goes back',
    needs: [],
    run: async (hal, bench) => {
      let last = hal.clock.now();
      for (let i = 0; i < 1_000; i++) {
        const now = hal.clock.now();
        check(Number.isInteger(now), `now() is ${now}`);
        check(now >= last, `now() went from ${last} back to ${now}`);
        last = now;
      }
      await pass(hal, bench, SHORT);
      check(hal.clock.now() > last, 'time stands still');
    },
  },
  {
    id: 'clock-wall-set',
    law: 3,
    title: 'setWall moves the wall clock and its trust, and leaves now() alone',
    needs: [],
    run: (hal) => {
      const wanted = 1_893_456_000_000; // 2030-01-01
      const before = hal.clock.now();
      hal.clock.setWall(wanted);
      const { at, trust } = hal.clock.wall();
      check(Math.abs(at - wanted) < 1_000, `the wall clock says ${at} after it was set to ${wanted}`);
      check(trust === 'network', `its trust is ${trust}`);
      check(hal.clock.now() - before < PATIENCE, 'now() went with it');
    },
  },
  {
    id: 'clock-never-early',
    law: 2,
    title: 'an alarm is never early',
    needs: [],
    run: async (hal, bench) => {
      for (const ahead of [1, 500, MILLISECOND, 1_501, SHORT]) {
        const fired = alarms(hal);
        const due = hal.clock.now() + ahead;
        hal.clock.setAlarm(due);
        const at = await firstOf(bench, fired);
        check(at >= due && hal.clock.now() >= due, `due at ${due}, it came at ${at}`);
      }
    },
  },
  {
    id: 'clock-one-alarm',
    law: 2,
    title: 'setting an alarm replaces the one before, and it comes once',
    needs: [],
    run: async (hal, bench) => {
      const fired = alarms(hal);
      const start = hal.clock.now();
      hal.clock.setAlarm(start + MILLISECOND);
      hal.clock.setAlarm(start + SHORT);
      const at = await firstOf(bench, fired);
      check(at >= start + SHORT, `the alarm that was replaced came at ${at - start} µs`);
      await pass(hal, bench, SHORT);
      check(fired.length === 1, `it came ${fired.length} times`);
      hal.clock.setAlarm(hal.clock.now() + MILLISECOND);
      hal.clock.setAlarm(undefined);
      await pass(hal, bench, SHORT);
      check(fired.length === 1, 'an alarm that was taken back came');
    },
  },
  {
    id: 'clock-past-alarm',
    law: 1,
    title: 'an alarm for a time that has passed comes, and not during the call that sets it',
    needs: [],
    run: async (hal, bench) => {
      const fired = alarms(hal);
      hal.clock.setAlarm(0);
      check(fired.length === 0, 'it came during setAlarm');
      await firstOf(bench, fired);
    },
  },
  {
    id: 'clock-ninety-days',
    law: 2,
    title: 'alarms 90 days ahead and more can be set, and none comes at once, whatever a shorter counter makes of it',
    needs: [],
    run: async (hal, bench) => {
      const now = hal.clock.now();
      const fired = alarms(hal);
      for (const due of [now + 90 * DAY, ...overflows(now, 1), ...overflows(now, MILLISECOND)]) {
        hal.clock.setAlarm(due);
        await pass(hal, bench, SHORT);
        check(fired.length === 0, `an alarm ${due - now} µs ahead came at once`);
      }
      hal.clock.setAlarm(undefined);
    },
  },
  {
    id: 'entropy-fills',
    law: 8,
    title: 'entropy fills the whole array, and differently each time',
    needs: [],
    run: (hal) => {
      const [a, b] = [new Uint8Array(64), new Uint8Array(64)];
      hal.entropy.fill(a);
      hal.entropy.fill(b);
      check(
        a.some((octet, i) => octet !== b[i]),
        'twice the same',
      );
      // 8 zero octets in a row by chance: once in 2^64.
      check(a.subarray(56).some((octet) => octet !== 0) && a.subarray(0, 8).some((octet) => octet !== 0), 'an end was left as it was');
    },
  },
];
