import { describe, expect, it } from 'vitest';
import { shareAlarm } from '../../hal/base/share-alarm.js';
import { DAY, SECOND } from '../../hal/base/time.js';
import { Timers } from '../../hal/base/timers.js';
import { VirtualClock } from '../support/virtual-clock.js';

describe('timers over one alarm', () => {
  it('fire at their deadlines, equal deadlines in the order they were set', () => {
    const clock = new VirtualClock();
    const timers = new Timers(clock);
    const seen: string[] = [];
    const add = (name: string, at: number) => timers.create(name, (due) => seen.push(`${name}@${due}@${clock.now()}`)).set(at);
    add('late', 30);
    add('first', 10);
    add('second', 10);
    add('quarter', 90 * DAY);
    clock.run(100);
    expect(seen).toEqual(['first@10@10', 'second@10@10', 'late@30@30']);
    clock.runTo(90 * DAY);
    expect(seen[3]).toBe(`quarter@${90 * DAY}@${90 * DAY}`);
  });

  it('can be moved and cleared, and a cleared timer never fires', () => {
    const clock = new VirtualClock();
    const timers = new Timers(clock);
    const seen: string[] = [];
    const moved = timers.create('moved', () => seen.push('moved'));
    const cleared = timers.create('cleared', () => seen.push('cleared'));
    moved.set(10);
    cleared.set(20);
    moved.set(50);
    cleared.clear();
    clock.run(40);
    expect(seen).toEqual([]);
    expect(timers.pending()).toEqual([{ name: 'moved', due: 50 }]);
    clock.run(20);
    expect(seen).toEqual(['moved']);
    expect(moved.due).toBeUndefined();
  });

  it('hand a late alarm the deadline, so that a periodic timer does not drift', () => {
    const clock = new VirtualClock();
    const timers = new Timers(clock);
    const dues: number[] = [];
    const period = timers.create('period', (due) => {
      dues.push(due);
      if (dues.length < 4) period.set(due + 20);
    });
    period.set(20);
    // The alarm of a busy machine: everything up to 75 is delivered at 75.
    clock.setAlarm(75);
    clock.runTo(75);
    expect(dues).toEqual([20, 40, 60]);
    clock.runTo(80);
    expect(dues).toEqual([20, 40, 60, 80]);
  });

  it('keep heap order over many random sets and clears', () => {
    const clock = new VirtualClock();
    const timers = new Timers(clock);
    let state = 1;
    const random = (n: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state % n;
    };
    const fired: number[] = [];
    const all = Array.from({ length: 200 }, (_, i) => timers.create(`t${i}`, (due) => fired.push(due)));
    for (let i = 0; i < 2000; i++) {
      const timer = all[random(all.length)]!;
      if (random(4) === 0) timer.clear();
      else timer.set(random(1000));
    }
    const due = timers.pending().map((t) => t.due);
    clock.runTo(1000);
    expect(fired).toEqual(due);
  });
});

describe('a shared alarm', () => {
  it('gives each owner its own, never early and never for another', () => {
    const clock = new VirtualClock();
    const share = shareAlarm(clock);
    const [a, b] = [share(), share()];
    const seen: string[] = [];
    a.onAlarm((at) => seen.push(`a${at}`));
    b.onAlarm((at) => {
      seen.push(`b${at}`);
      if (at < 3 * SECOND) b.setAlarm(at + SECOND);
    });
    a.setAlarm(2 * SECOND);
    b.setAlarm(SECOND);
    clock.run(10 * SECOND);
    expect(seen).toEqual(['b1000000', 'a2000000', 'b2000000', 'b3000000']);
  });
});
