/**
 * How the clock comes to be trusted: ask a time server, else the provisioning server for its date, again and again with growing patience,
 * and once a day when it is set. Beside it, how long the boot waits for that: a device without time goes on, and the TLS policy says what
 * it may not decide.
 */
import { assign, type EventObject, fromCallback, setup } from 'xstate';
import { MILLISECOND } from '../../hal/base/time.js';
import type { Cancel, Micros } from '../../hal/hal.js';
import type { TimeAnswer, TimeGiven, TimeSilence } from './time-answer.js';

export type TimeEvent = TimeAnswer;

/**
 * Once a boot: the clock is trusted, or waiting for that was given up for now. What was refused meanwhile is tried again by whoever tried it,
 * at its own pace: nobody is told when time comes, so that a fleet whose time server returns does not move at one instant.
 */
export type TimeNotice = { type: 'time.settled' };

export interface TimeDeps {
  /** The clock was kept through the power cut, or is set already. */
  trusted(): boolean;
  hasServer(): boolean;
  /** There is a provisioning server whose date may be asked for, and a need to. */
  hasDateServer(): boolean;
  ask(done: (answer: TimeAnswer) => void): Cancel;
  askDate(done: (answer: TimeAnswer) => void): Cancel;
  /** Sets the clock and reports it. */
  set(answer: TimeGiven): void;
  failed(answer: TimeSilence, retryIn: Micros): void;
  /** From 0 to below 1. */
  random(): number;
  notify(notice: TimeNotice): void;
}

/** Milliseconds. Ours, within RFC 4330 part 10: doubling, and never more often than once a minute in the long run. */
const FIRST_RETRY = 1_000;
const LAST_RETRY = 64_000;
/** A quartz drifts some 5 s a day. */
const REFRESH = 24 * 3_600_000;
/** Ours: a time server that was blocked may be reached again, and knows the time better than a date of whole seconds. */
const REFRESH_AFTER_DATE = 900_000;
/** Ours: three questions. */
const BOOT_PATIENCE = 8_000;

export interface TimeContext {
  deps: TimeDeps;
  /** Milliseconds: what doubles, how long the rest after this round of questions is, and after an answer. */
  patience: number;
  retry: number;
  refresh: number;
}

/** Up to half as long again: devices that lost their power together do not ask together for ever. */
const spread = (rest: number, { random }: TimeDeps): number => Math.round(rest * (1 + random() / 2));

export const timeMachine = setup({
  types: {
    context: {} as TimeContext,
    input: {} as { deps: TimeDeps },
    events: {} as TimeEvent,
  },
  actors: {
    question: fromCallback<EventObject, { deps: TimeDeps }>(({ input, sendBack }) => input.deps.ask(sendBack)),
    dateQuestion: fromCallback<EventObject, { deps: TimeDeps }>(({ input, sendBack }) => input.deps.askDate(sendBack)),
  },
  guards: {
    trusted: ({ context }) => context.deps.trusted(),
    hasServer: ({ context }) => context.deps.hasServer(),
    hasDateServer: ({ context }) => context.deps.hasDateServer(),
    hopeless: ({ context }) => !context.deps.hasServer() && !context.deps.hasDateServer(),
  },
  delays: {
    retry: ({ context }) => context.retry,
    recheck: LAST_RETRY,
    refresh: ({ context }) => context.refresh,
    bootPatience: BOOT_PATIENCE,
  },
  actions: {
    growPatience: assign(({ context }) => {
      const patience = Math.min(2 * context.patience, LAST_RETRY);
      return { patience, retry: spread(patience, context.deps) };
    }),
    heedServer: assign(({ context }, { patient }: TimeSilence) =>
      patient ? { retry: spread(LAST_RETRY, context.deps) } : { retry: context.retry },
    ),
    set: ({ context }, answer: TimeGiven) => context.deps.set(answer),
    rest: assign((_, { source }: TimeGiven) => ({
      patience: FIRST_RETRY / 2,
      refresh: source === 'sntp' ? REFRESH : REFRESH_AFTER_DATE,
    })),
    reportSilence: ({ context }, answer: TimeSilence) => context.deps.failed(answer, context.retry * MILLISECOND),
    notifySettled: ({ context }) => context.deps.notify({ type: 'time.settled' }),
  },
}).createMachine({
  id: 'time',
  context: ({ input }) => ({ deps: input.deps, patience: FIRST_RETRY / 2, retry: 0, refresh: REFRESH }),
  type: 'parallel',
  states: {
    clock: {
      initial: 'idle',
      states: {
        idle: {
          always: [
            { guard: 'hasServer', target: 'asking', actions: 'growPatience' },
            { guard: 'hasDateServer', target: 'askingDate', actions: 'growPatience' },
          ],
          after: { recheck: { target: 'idle', reenter: true } },
        },
        asking: {
          invoke: { src: 'question', input: ({ context }) => ({ deps: context.deps }) },
          on: {
            'time.answer': {
              target: 'set',
              actions: [
                { type: 'set', params: ({ event }) => event },
                { type: 'rest', params: ({ event }) => event },
              ],
            },
            'time.silence': {
              target: 'silent',
              actions: [
                { type: 'heedServer', params: ({ event }) => event },
                { type: 'reportSilence', params: ({ event }) => event },
              ],
            },
          },
        },
        silent: { always: [{ guard: 'hasDateServer', target: 'askingDate' }, { target: 'resting' }] },
        askingDate: {
          invoke: { src: 'dateQuestion', input: ({ context }) => ({ deps: context.deps }) },
          on: {
            'time.answer': {
              target: 'set',
              actions: [
                { type: 'set', params: ({ event }) => event },
                { type: 'rest', params: ({ event }) => event },
              ],
            },
            'time.silence': { target: 'resting', actions: { type: 'reportSilence', params: ({ event }) => event } },
          },
        },
        resting: { after: { retry: 'idle' } },
        set: { after: { refresh: 'idle' } },
      },
    },
    boot: {
      initial: 'waiting',
      states: {
        waiting: {
          always: [
            { guard: 'trusted', target: 'settled' },
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
