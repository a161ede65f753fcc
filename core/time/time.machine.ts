/**
 * How the clock comes to be trusted: ask a time server, again and again with growing patience, and once a day when it is set. Beside it,
 * how long the boot waits for that: a device without time goes on, and the TLS policy says what it may not decide.
 */
import { assign, fromCallback, setup } from 'xstate';
import { MILLISECOND } from '../../hal/base/time.js';
import type { Cancel, Micros } from '../../hal/hal.js';
import type { SntpAnswer } from './sntp-client.js';

export type TimeEvent = SntpAnswer;

/** Once a boot: the clock is trusted, or waiting for that was given up for now. */
export type TimeNotice = { type: 'time.settled' };

export interface TimeDeps {
  /** The clock was kept through the power cut, or is set already. */
  trusted(): boolean;
  hasServer(): boolean;
  ask(done: (answer: SntpAnswer) => void): Cancel;
  /** Sets the clock and reports it. */
  set(answer: Extract<SntpAnswer, { type: 'time.answer' }>): void;
  failed(answer: Extract<SntpAnswer, { type: 'time.silence' }>, retryIn: Micros): void;
  /** Reports a clock that needed no server. */
  kept(): void;
  notify(notice: TimeNotice): void;
}

/** Milliseconds. Ours, within RFC 4330 part 10: doubling, and never more often than once a minute in the long run. */
const FIRST_RETRY = 1_000;
const LAST_RETRY = 64_000;
/** A quartz drifts some 5 s a day. */
const REFRESH = 24 * 3_600_000;
/** Ours: three questions. */
const BOOT_PATIENCE = 8_000;

export const timeMachine = setup({
  types: {
    context: {} as { deps: TimeDeps; retry: number },
    input: {} as { deps: TimeDeps },
    events: {} as TimeEvent,
  },
  actors: {
    question: fromCallback<TimeEvent, { deps: TimeDeps }>(({ input, sendBack }) => input.deps.ask(sendBack)),
  },
  guards: {
    trusted: ({ context }) => context.deps.trusted(),
    hasServer: ({ context }) => context.deps.hasServer(),
    hopeless: ({ context }) => !context.deps.hasServer(),
  },
  delays: {
    retry: ({ context }) => context.retry,
    recheck: LAST_RETRY,
    refresh: REFRESH,
    bootPatience: BOOT_PATIENCE,
  },
  actions: {
    reportKept: ({ context }) => context.deps.kept(),
    setClock: ({ context }, answer: Extract<SntpAnswer, { type: 'time.answer' }>) => context.deps.set(answer),
    reportSilence: ({ context }, answer: Extract<SntpAnswer, { type: 'time.silence' }>) =>
      context.deps.failed(answer, context.retry * MILLISECOND),
    notifySettled: ({ context }) => context.deps.notify({ type: 'time.settled' }),
  },
}).createMachine({
  id: 'time',
  context: ({ input }) => ({ deps: input.deps, retry: FIRST_RETRY / 2 }),
  type: 'parallel',
  states: {
    clock: {
      initial: 'idle',
      states: {
        idle: {
          always: { guard: 'hasServer', target: 'asking' },
          after: { recheck: { target: 'idle', reenter: true } },
        },
        asking: {
          invoke: { src: 'question', input: ({ context }) => ({ deps: context.deps }) },
          on: {
            'time.answer': { target: 'set', actions: { type: 'setClock', params: ({ event }) => event } },
            'time.silence': {
              target: 'resting',
              actions: [
                assign({ retry: ({ context, event }) => (event.patient ? LAST_RETRY : Math.min(2 * context.retry, LAST_RETRY)) }),
                { type: 'reportSilence', params: ({ event }) => event },
              ],
            },
          },
        },
        resting: { after: { retry: 'idle' } },
        set: { entry: assign({ retry: FIRST_RETRY / 2 }), after: { refresh: 'idle' } },
      },
    },
    boot: {
      initial: 'waiting',
      states: {
        waiting: {
          always: [
            { guard: 'trusted', target: 'settled', actions: 'reportKept' },
            { guard: 'hopeless', target: 'settled' },
          ],
          after: { bootPatience: 'settled' },
          on: { 'time.answer': 'settled' },
        },
        settled: { entry: 'notifySettled', type: 'final' },
      },
    },
  },
});
