/** Link and lease as an engineer draws them: unplugged, asking for an address, addressed. */
import { setup } from 'xstate';
import type { Lease } from '../../hal/hal.js';

export type NetworkEvent = { type: 'link.up' } | { type: 'link.down' } | { type: 'lease.acquired'; lease: Lease } | { type: 'lease.lost' };

/** What the owner is told; `changed` is a new address on a network that stays up. */
export type NetworkNotice = { type: 'network.ready'; lease: Lease } | { type: 'network.changed'; lease: Lease } | { type: 'network.lost' };

export interface NetworkDeps {
  emitLink(up: boolean): void;
  emitLease(lease: Lease): void;
  notify(notice: NetworkNotice): void;
}

export const networkMachine = setup({
  types: {
    context: {} as { deps: NetworkDeps },
    input: {} as { deps: NetworkDeps },
    events: {} as NetworkEvent,
  },
  actions: {
    emitUp: ({ context }) => context.deps.emitLink(true),
    emitDown: ({ context }) => context.deps.emitLink(false),
    emitLease: ({ context }, { lease }: { lease: Lease }) => context.deps.emitLease(lease),
    notifyReady: ({ context }, { lease }: { lease: Lease }) => context.deps.notify({ type: 'network.ready', lease }),
    notifyChanged: ({ context }, { lease }: { lease: Lease }) => context.deps.notify({ type: 'network.changed', lease }),
    notifyLost: ({ context }) => context.deps.notify({ type: 'network.lost' }),
  },
}).createMachine({
  id: 'network',
  context: ({ input }) => ({ deps: input.deps }),
  initial: 'unplugged',
  states: {
    unplugged: {
      on: { 'link.up': { target: 'addressing', actions: 'emitUp' } },
    },
    addressing: {
      on: {
        'link.down': { target: 'unplugged', actions: 'emitDown' },
        'lease.acquired': {
          target: 'ready',
          actions: [
            { type: 'emitLease', params: ({ event }) => event },
            { type: 'notifyReady', params: ({ event }) => event },
          ],
        },
      },
    },
    ready: {
      on: {
        'lease.acquired': {
          actions: [
            { type: 'emitLease', params: ({ event }) => event },
            { type: 'notifyChanged', params: ({ event }) => event },
          ],
        },
        'lease.lost': { target: 'addressing', actions: 'notifyLost' },
        // The lease outlives a short cut: connections and registrations are left to find out for themselves.
        'link.down': { target: 'cut', actions: 'emitDown' },
      },
    },
    cut: {
      on: {
        'link.up': { target: 'ready', actions: 'emitUp' },
        'lease.lost': { target: 'unplugged', actions: 'notifyLost' },
      },
    },
  },
});
