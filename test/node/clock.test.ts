import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DAY, MILLISECOND, SECOND } from '../../hal/base/time.js';
import { NodeClock } from '../../hal/node/clock.js';
import { startPacer } from '../../hal/node/pacer.js';

describe('the alarm, with the clock of the machine in our hands', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('comes after 90 days, once, and not a slice of setTimeout too early', async () => {
    const clock = new NodeClock();
    const fired: number[] = [];
    clock.onAlarm((at) => fired.push(at));
    const due = clock.now() + 90 * DAY;
    clock.setAlarm(due);
    await vi.advanceTimersByTimeAsync((90 * DAY) / MILLISECOND - 1);
    expect(fired).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(fired).toEqual([due]);
    await vi.advanceTimersByTimeAsync(DAY / MILLISECOND);
    expect(fired).toHaveLength(1);
  });

  it('can be set again from inside itself', async () => {
    const clock = new NodeClock();
    let fired = 0;
    clock.onAlarm((at) => {
      if (++fired < 3) clock.setAlarm(at + SECOND);
    });
    clock.setAlarm(SECOND);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(fired).toBe(3);
  });

  it('keeps an offset, and follows the machine from there', async () => {
    const clock = new NodeClock();
    expect(clock.wall()).toEqual({ at: Date.now(), trust: 'rtc' });
    clock.setWall(1_000_000);
    await vi.advanceTimersByTimeAsync(250);
    expect(clock.wall()).toEqual({ at: 1_000_250, trust: 'network' });
  });
});

describe('the pace of frames', () => {
  /** A machine whose timers are all late by this much, and whose loop once stands still. */
  async function run(lateness: number, standsStill: { at: number; for: number }, forMs: number): Promise<number[]> {
    vi.useFakeTimers();
    let stamp = 0;
    const calls: number[] = [];
    const stop = startPacer({ frame: 320, rate: 16_000, clock: { now: () => stamp } }, () => calls.push(stamp));
    for (let ms = 1; ms <= forMs; ms++) {
      if (ms > standsStill.at && ms <= standsStill.at + standsStill.for) continue;
      stamp = ms * MILLISECOND + lateness;
      await vi.advanceTimersByTimeAsync(ms - standsStill.at === standsStill.for + 1 ? standsStill.for + 1 : 1);
    }
    stop();
    vi.useRealTimers();
    return calls;
  }

  it('does not drift, however late each timer is', async () => {
    const calls = await run(900, { at: 0, for: 0 }, 10_000);
    expect(calls.length).toBeGreaterThanOrEqual(499);
    const strays = calls.map((at, i) => Math.abs(at - (i + 1) * 20 * MILLISECOND));
    expect(Math.max(...strays)).toBeLessThanOrEqual(2 * MILLISECOND);
  });

  it('makes up for a short stop, and begins anew after a long one', async () => {
    expect((await run(0, { at: 1_000, for: 200 }, 4_000)).length).toBeGreaterThanOrEqual(198);
    const slept = await run(0, { at: 1_000, for: 10_000 }, 14_000);
    expect(slept.length).toBeLessThan(210);
    expect(slept.length).toBeGreaterThan(195);
  });
});
