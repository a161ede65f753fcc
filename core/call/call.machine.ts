/** The life of one answered call. A loudspeaker is never left open: each way a call can die without a BYE has a bound here. */
import { setup } from 'xstate';

export type CallEvent =
  /** The caller's ACK arrived: both sides agree that the call exists. */
  | { type: 'call.confirmed' }
  /** The far end hung up, or cancelled before it was confirmed. */
  | { type: 'call.hung-up'; reason: string }
  /** Our 200 OK was never acknowledged, or the dialog died under us. */
  | { type: 'call.failed'; reason: string }
  | { type: 'call.end'; reason: string }
  | { type: 'media.silent' }
  | { type: 'media.resumed' };

export interface CallLimits {
  /** A page longer than this is ended by us, ms (`phone.timeout.inbound`; 0 means no limit). */
  duration: number;
  /** So long without a packet from the far end, ms, after the media said that it fell silent. */
  silence: number;
}

export interface CallDeps {
  /** Opens the loudspeaker's way: called once, when the call is answered. */
  emitEstablished(): void;
  /** Hangs up, when it is we who end the call. */
  bye(reason: string): void;
  /** Closes media and reports the end: called exactly once. */
  close(by: 'us' | 'peer', reason: string): void;
}

/** No limit is the longest delay that a timer is ever set to: a day, ms. A page does not last longer. */
const DAY_MS = 86_400_000;

export const callMachine = setup({
  types: {
    context: {} as { deps: CallDeps; limits: CallLimits },
    input: {} as { deps: CallDeps; limits: CallLimits },
    events: {} as CallEvent,
  },
  delays: {
    duration: ({ context }) => (context.limits.duration > 0 ? context.limits.duration : DAY_MS),
    silence: ({ context }) => context.limits.silence,
  },
  actions: {
    emitEstablished: ({ context }) => context.deps.emitEstablished(),
    bye: ({ context }, { reason }: { reason: string }) => context.deps.bye(reason),
    closeByUs: ({ context }, { reason }: { reason: string }) => context.deps.close('us', reason),
    closeByPeer: ({ context }, { reason }: { reason: string }) => context.deps.close('peer', reason),
  },
}).createMachine({
  id: 'call',
  context: ({ input }) => ({ deps: input.deps, limits: input.limits }),
  initial: 'open',
  states: {
    open: {
      initial: 'answered',
      on: {
        // Also when the caller fell silent before its ACK came.
        'call.confirmed': { actions: 'emitEstablished' },
        'call.hung-up': { target: 'ended', actions: { type: 'closeByPeer', params: ({ event }) => ({ reason: event.reason }) } },
        'call.failed': {
          target: 'ended',
          actions: [
            { type: 'bye', params: ({ event }) => ({ reason: event.reason }) },
            { type: 'closeByUs', params: ({ event }) => ({ reason: event.reason }) },
          ],
        },
        'call.end': {
          target: 'ended',
          actions: [
            { type: 'bye', params: ({ event }) => ({ reason: event.reason }) },
            { type: 'closeByUs', params: ({ event }) => ({ reason: event.reason }) },
          ],
        },
      },
      after: {
        duration: {
          target: 'ended',
          actions: [
            { type: 'bye', params: { reason: 'maximum duration' } },
            { type: 'closeByUs', params: { reason: 'maximum duration' } },
          ],
        },
      },
      states: {
        answered: { on: { 'call.confirmed': { target: 'talking', actions: 'emitEstablished' }, 'media.silent': 'silent' } },
        talking: { on: { 'media.silent': 'silent' } },
        silent: {
          on: { 'media.resumed': 'talking' },
          after: {
            silence: {
              target: '#call.ended',
              actions: [
                { type: 'bye', params: { reason: 'no media' } },
                { type: 'closeByUs', params: { reason: 'no media' } },
              ],
            },
          },
        },
      },
    },
    ended: { type: 'final' },
  },
});
