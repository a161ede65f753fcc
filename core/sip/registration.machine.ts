/** One account's registration as an engineer draws it: find the server, reach it, register, refresh, and what happens when it fails. */
import { assign, setup } from 'xstate';
import type { HalErrorKind } from '../../hal/hal.js';

/** Delays are milliseconds. */
export type RegistrationEvent =
  | { type: 'start' }
  | { type: 'located' }
  | { type: 'connected' }
  | { type: 'accepted'; refreshIn: number }
  /** The server answered, and the answer is no; `temporary`: another server may say yes. */
  | { type: 'refused'; status: number; reason: string; temporary: boolean; retryIn: number }
  /** No server was found, reached, or answered. */
  | { type: 'failed'; kind: HalErrorKind; retryIn: number }
  /** The connection that the registration lives on is gone. */
  | { type: 'flow.closed'; kind: HalErrorKind; retryIn: number }
  | { type: 'address.changed' }
  | { type: 'stop' }
  | { type: 'unregistered' };

export interface RegistrationDeps {
  /** Answers with `located` or `failed`. */
  locate(): void;
  /** Another target of those located is left to try. */
  hasTarget(): boolean;
  /** Connects to the next target; answers with `connected` or `failed`. */
  connect(): void;
  /** Answers with `accepted`, `refused` or `failed`. */
  register(): void;
  /** The registrar may still hold a binding of ours. */
  isBound(): boolean;
  /** Answers with `unregistered`. */
  unregister(): void;
  /** Forgets what is under way; its answer is not wanted any more. */
  abandon(): void;
  emitRefused(status: number, reason: string): void;
  emitFailed(kind: HalErrorKind, retryIn: number): void;
  stopped(): void;
}

interface RegistrationContext {
  deps: RegistrationDeps;
  refreshIn: number;
  retryIn: number;
  /** Why it is not registered, for the report. */
  failure: HalErrorKind;
  refusal: { status: number; reason: string };
}

/** `ours`: unregistering is a courtesy; a shutdown does not wait longer for it, ms. */
const UNREGISTER_MS = 2_000;

export const registrationMachine = setup({
  types: {
    context: {} as RegistrationContext,
    input: {} as { deps: RegistrationDeps },
    events: {} as RegistrationEvent,
  },
  delays: {
    refresh: ({ context }) => context.refreshIn,
    retry: ({ context }) => context.retryIn,
    unregister: UNREGISTER_MS,
  },
  guards: {
    hasTarget: ({ context }) => context.deps.hasTarget(),
    anotherMayAccept: ({ context, event }) => event.type === 'refused' && event.temporary && context.deps.hasTarget(),
    isBound: ({ context }) => context.deps.isBound(),
  },
  actions: {
    locate: ({ context }) => context.deps.locate(),
    connect: ({ context }) => context.deps.connect(),
    register: ({ context }) => context.deps.register(),
    unregister: ({ context }) => context.deps.unregister(),
    abandon: ({ context }) => context.deps.abandon(),
    stopped: ({ context }) => context.deps.stopped(),
    emitRefused: ({ context }) => context.deps.emitRefused(context.refusal.status, context.refusal.reason),
    emitFailed: ({ context }) => context.deps.emitFailed(context.failure, context.retryIn),
    noteFailure: assign((_, { kind, retryIn }: { kind: HalErrorKind; retryIn: number }) => ({ failure: kind, retryIn })),
    noteRefusal: assign((_, { status, reason, retryIn }: { status: number; reason: string; retryIn: number }) => ({
      refusal: { status, reason },
      retryIn,
    })),
    refreshIn: assign((_, { refreshIn }: { refreshIn: number }) => ({ refreshIn })),
  },
}).createMachine({
  id: 'registration',
  context: ({ input }) => ({ deps: input.deps, refreshIn: 0, retryIn: 0, failure: 'other', refusal: { status: 0, reason: '' } }),
  initial: 'idle',
  states: {
    idle: { on: { start: 'active', stop: 'stopped' } },
    active: {
      initial: 'locating',
      on: {
        'address.changed': { target: '.locating', actions: 'abandon' },
        stop: [{ guard: 'isBound', target: 'unregistering' }, { target: 'stopped' }],
      },
      states: {
        locating: {
          entry: 'locate',
          on: { located: 'connecting', failed: { target: 'waiting', actions: { type: 'noteFailure', params: ({ event }) => event } } },
        },
        connecting: {
          entry: 'connect',
          on: {
            connected: 'registering',
            failed: [
              { guard: 'hasTarget', target: 'connecting', reenter: true },
              { target: 'waiting', actions: { type: 'noteFailure', params: ({ event }) => event } },
            ],
          },
        },
        registering: {
          entry: 'register',
          on: {
            accepted: { target: 'registered', actions: { type: 'refreshIn', params: ({ event }) => event } },
            failed: [
              { guard: 'hasTarget', target: 'connecting' },
              { target: 'waiting', actions: { type: 'noteFailure', params: ({ event }) => event } },
            ],
            refused: [
              { guard: 'anotherMayAccept', target: 'connecting' },
              { target: 'refused', actions: { type: 'noteRefusal', params: ({ event }) => event } },
            ],
            'flow.closed': { target: 'waiting', actions: { type: 'noteFailure', params: ({ event }) => event } },
          },
        },
        registered: {
          after: { refresh: 'registering' },
          on: { 'flow.closed': { target: 'waiting', actions: { type: 'noteFailure', params: ({ event }) => event } } },
        },
        waiting: { entry: 'emitFailed', after: { retry: 'locating' } },
        refused: { entry: 'emitRefused', after: { retry: 'locating' } },
      },
    },
    unregistering: {
      entry: ['abandon', 'unregister'],
      on: { unregistered: 'stopped', refused: 'stopped', failed: 'stopped' },
      after: { unregister: 'stopped' },
    },
    stopped: { type: 'final', entry: ['abandon', 'stopped'] },
  },
});
