import { describe, expect, it } from 'vitest';
import { MILLISECOND, SECOND } from '../../hal/base/time.js';
import type { QuietProbe } from '../../hal/platform.js';
import { EventHeap } from '../../sim/world/event-heap.js';
import { randomStream } from '../../sim/world/random.js';
import { World } from '../../sim/world/world.js';
import { alwaysQuiet } from '../support/quiet.js';

const START = 1_767_225_600_000; // 2026-01-01T00:00:00Z
const world = (seed = 1, quiet: QuietProbe = alwaysQuiet): World => new World({ seed, platform: { quiet }, start: START });

describe('event heap', () => {
  it('gives the soonest first, and equals in the order of scheduling', () => {
    const heap = new EventHeap();
    const random = randomStream(1, 'heap');
    const expected: { at: number; order: number }[] = [];
    for (let order = 0; order < 2_000; order++) {
      const event = heap.add(random.below(50), 'test', () => {});
      if (random.chance(0.3)) heap.remove(event);
      else expected.push({ at: event.at, order });
    }
    expected.sort((a, b) => a.at - b.at || a.order - b.order);
    const got: typeof expected = [];
    for (let event = heap.peek(); event; event = heap.peek()) {
      got.push({ at: event.at, order: event.order });
      heap.remove(event);
    }
    expect(got).toEqual(expected);
    expect(heap.size).toBe(0);
  });

  it('removes an event once, and not what came into its place', () => {
    const heap = new EventHeap();
    const first = heap.add(1, 'test', () => {});
    heap.add(2, 'test', () => {});
    heap.remove(first);
    heap.remove(first);
    expect(heap.size).toBe(1);
  });
});

describe('random streams', () => {
  const draw = (seed: number, name: string): number[] => {
    const stream = randomStream(seed, name);
    return Array.from({ length: 8 }, () => stream.uint32());
  };

  it('follow from seed and name alone', () => {
    expect(draw(7, 'lan:lobby:up:loss')).toEqual(draw(7, 'lan:lobby:up:loss'));
    expect(draw(7, 'lan:lobby:up:loss')).not.toEqual(draw(8, 'lan:lobby:up:loss'));
    expect(draw(7, 'lan:lobby:up:loss')).not.toEqual(draw(7, 'lan:lobby:down:loss'));
  });

  it('spread evenly and independently', () => {
    const a = randomStream(1, 'a');
    const b = randomStream(1, 'b');
    const n = 100_000;
    let sum = 0;
    let product = 0;
    for (let i = 0; i < n; i++) {
      const x = a.fraction() - 0.5;
      const y = b.fraction() - 0.5;
      sum += x;
      product += x * y;
    }
    expect(Math.abs(sum / n)).toBeLessThan(0.005);
    expect(Math.abs((12 * product) / n)).toBeLessThan(0.02);
  });

  it('draw nothing for what cannot or must happen', () => {
    const stream = randomStream(1, 'x');
    expect([stream.chance(0), stream.chance(1)]).toEqual([false, true]);
    expect(stream.uint32()).toBe(randomStream(1, 'x').uint32());
  });

  it('go on where they were when asked for again', () => {
    const w = world();
    const first = w.random('entropy:x').uint32();
    expect(w.random('entropy:x').uint32()).not.toBe(first);
  });
});

describe('world', () => {
  it('runs events at their time, in order, and stops at the end asked for', async () => {
    const w = world();
    const seen: string[] = [];
    const note = (name: string) => () => seen.push(`${name}@${w.now}`);
    w.at(20, note('c'));
    w.at(10, note('a'));
    w.at(10, () => {
      note('b')();
      w.at(5, note('late'));
    });
    w.at(31, note('never'));
    await w.run(30);
    expect(seen).toEqual(['a@10', 'b@10', 'late@10', 'c@20']);
    expect([w.now, w.wall()]).toEqual([30, START]);
    await w.run(SECOND);
    expect(seen.at(-1)).toBe('never@31');
    expect(w.wall()).toBe(START + 1000);
  });

  it('does not run what was cancelled', async () => {
    const w = world();
    const cancel = w.at(10, () => expect.unreachable());
    cancel();
    cancel();
    await w.run(20);
  });

  it('fails with the time and the host of an event that throws', async () => {
    const w = world();
    const host = w.host({ name: 'lobby' });
    host.after(1500 * MILLISECOND, () => {
      throw new Error('boom');
    });
    await expect(w.run(2 * SECOND)).rejects.toThrowError('lobby at 1500000 µs (2026-01-01T00:00:01.500Z): boom');
    await expect(w.run(3 * SECOND)).resolves.toBeUndefined();
  });

  it('moves time only when the platform is quiet', async () => {
    let pending = 0;
    const quiet: QuietProbe = {
      ...alwaysQuiet,
      busy: () => pending > 0,
    };
    const w = world(1, quiet);
    const seen: string[] = [];
    w.at(10, () => {
      pending++;
      setImmediate(() => {
        seen.push(`deferred@${w.now}`);
        pending--;
      });
    });
    w.at(11, () => seen.push(`next@${w.now}`));
    await w.run(20);
    expect(seen).toEqual(['deferred@10', 'next@11']);
  });

  it('gives up a platform that never becomes quiet, and says what keeps it busy', async () => {
    const w = world(1, { ...alwaysQuiet, busy: () => true, report: () => ['Immediate', 'Timeout'] });
    await expect(w.run(1)).rejects.toThrowError(/never became quiet; still busy: Immediate, Timeout/);
  });

  it('lets one world run at a time', async () => {
    const seen: string[] = [];
    const [a, b] = [world(1), world(2)];
    for (let t = 1; t <= 10_000; t++) a.at(t, () => {});
    a.at(10_001, () => seen.push('a'));
    b.at(1, () => seen.push('b'));
    await Promise.all([a.run(20_000), b.run(20_000)]);
    expect(seen).toEqual(['a', 'b']);
  });
});

describe('a host', () => {
  it('counts from its boot, and keeps a wall clock of its own', async () => {
    const w = world();
    await w.run(5 * SECOND);
    const { clock } = w.host({ name: 'lobby', wallOffset: -3_600_000 });
    expect(clock.now()).toBe(0);
    expect(clock.wall()).toEqual({ at: START + 5_000 - 3_600_000, trust: 'none' });
    clock.setWall(START);
    await w.run(6 * SECOND);
    expect(clock.now()).toBe(SECOND);
    expect(clock.wall()).toEqual({ at: START + 1_000, trust: 'network' });
    expect(w.host({ name: 'kept', trust: 'rtc' }).clock.wall()).toEqual({ at: START + 6_000, trust: 'rtc' });
  });

  it('has one alarm: moved, past, cleared, 90 days ahead', async () => {
    const w = world();
    const { clock } = w.host({ name: 'lobby' });
    const fired: number[] = [];
    clock.onAlarm((at) => {
      fired.push(at);
      if (fired.length === 1) clock.setAlarm(0);
      if (fired.length === 2) clock.setAlarm(90 * 86_400 * SECOND);
    });
    clock.setAlarm(10);
    clock.setAlarm(20);
    expect(fired).toEqual([]);
    await w.run(100 * 86_400 * SECOND);
    expect(fired).toEqual([20, 20, 90 * 86_400 * SECOND]);
    clock.setAlarm(clock.now() + 1);
    clock.setAlarm(undefined);
    await w.run(w.now + SECOND);
    expect(fired).toHaveLength(3);
  });

  it('runs nothing after its power is off', async () => {
    const w = world();
    const host = w.host({ name: 'lobby' });
    const seen: string[] = [];
    host.atPowerOff(() => seen.push('off'));
    host.clock.onAlarm(() => seen.push('alarm'));
    host.clock.setAlarm(10);
    host.after(10, () => seen.push('event'));
    w.at(5, () => {
      host.powerOff();
      host.powerOff();
      host.clock.setAlarm(7);
    });
    await w.run(20);
    expect(seen).toEqual(['off']);
    expect(host.on).toBe(false);
  });
});
