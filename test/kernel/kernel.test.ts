import { describe, expect, it } from 'vitest';
import { assign, createActor, setup } from 'xstate';
import { actorClock } from '../../core/kernel/actor-clock.js';
import type { EndpointEvent } from '../../core/kernel/events.js';
import { createKernel } from '../../core/kernel/kernel.js';
import { SECOND } from '../../hal/base/time.js';
import { VirtualClock } from '../support/virtual-clock.js';

describe('a turn', () => {
  it('has one stamp: now() does not move while the core runs, and never goes back', () => {
    const clock = new VirtualClock();
    const kernel = createKernel(clock, () => {});
    clock.runTo(500);
    kernel.turn(100, () => {
      expect(kernel.now()).toBe(100);
      clock.runTo(900);
      expect(kernel.now()).toBe(100);
      kernel.turn(300, () => expect(kernel.now()).toBe(100));
    });
    kernel.turn(50, () => expect(kernel.now()).toBe(100));
  });

  it('stamps events', () => {
    const events: EndpointEvent[] = [];
    const kernel = createKernel(new VirtualClock(), (event) => events.push(event));
    kernel.turn(7, () => kernel.emit('link.up', {}));
    expect(events).toEqual([{ at: 7, event: 'link.up' }]);
  });

  it('ends with what was put off in it, in order, and in the same turn', () => {
    const kernel = createKernel(new VirtualClock(), () => {});
    const log: string[] = [];
    const note = (text: string) => () => void log.push(`${text} at ${kernel.now()}`);
    kernel.turn(5, () => {
      kernel.defer(() => {
        note('first')();
        kernel.defer(note('third'));
      });
      kernel.turn(5, () => kernel.defer(note('second')));
      note('body')();
    });
    kernel.defer(note('outside'));
    expect(log).toEqual(['body at 5', 'first at 5', 'second at 5', 'third at 5', 'outside at 5']);
  });
});

describe('xstate over the kernel', () => {
  it('orders the timers of several machines alike whether the alarm is prompt or late', () => {
    const ticker = setup({
      types: {
        context: {} as { n: number; name: string; period: number; log: string[] },
        input: {} as { name: string; period: number; log: string[] },
      },
      delays: { period: ({ context }) => context.period },
      actions: { note: ({ context }) => void context.log.push(`${context.name}${context.n}`) },
    }).createMachine({
      context: ({ input }) => ({ n: 0, ...input }),
      initial: 'waiting',
      states: {
        waiting: {
          after: { period: { target: 'waiting', reenter: true, actions: [assign({ n: ({ context }) => context.n + 1 }), 'note'] } },
        },
      },
    });
    const run = (step: number): string[] => {
      const clock = new VirtualClock();
      const kernel = createKernel(clock, () => {});
      const log: string[] = [];
      for (const [name, period] of [
        ['a', 1000],
        ['b', 1000],
        ['c', 2000],
        ['d', 700],
      ] as const)
        createActor(ticker, { clock: actorClock(kernel), input: { name, period, log } }).start();
      // A late machine: the alarm comes only at multiples of `step`.
      for (let t = step; t <= 12 * SECOND; t += step) {
        if (clock.alarm !== undefined && clock.alarm < t) clock.setAlarm(t);
        clock.runTo(t);
      }
      return log;
    };
    expect(run(SECOND)).toEqual(run(1000));
    expect(run(3 * SECOND)).toEqual(run(1000));
  });
});
