/** A new configuration on trial, as an engineer draws it: a registration within a time makes it final, otherwise the last good one returns. */
import { assign, sendParent, setup } from 'xstate';

export type ConfirmEvent =
  /** A configuration counts from here on; `within` in milliseconds, 0 where it has nothing to prove. */
  | { type: 'applied'; within: number }
  /** An account has registered under the present configuration. */
  | { type: 'registered' };

export interface ConfirmDeps {
  reportTrial(): void;
  /** Whether the configuration was really in force all the time: without a link, or behind a call that must end first, it proves nothing. */
  tried(): boolean;
  /** Makes the configuration final, and reports it. */
  confirm(): void;
}

export const confirmMachine = setup({
  types: {
    context: {} as { deps: ConfirmDeps; within: number },
    input: {} as { deps: ConfirmDeps },
    events: {} as ConfirmEvent,
  },
  guards: {
    onTrial: (_, { within }: { within: number }) => within > 0,
    tried: ({ context }) => context.deps.tried(),
  },
  actions: {
    begin: assign((_, { within }: { within: number }) => ({ within })),
    reportTrial: ({ context }) => context.deps.reportTrial(),
    confirm: ({ context }) => context.deps.confirm(),
    /** No registration came: the parent brings the last good configuration back. */
    giveUp: sendParent({ type: 'roll.back' }),
  },
  delays: { within: ({ context }) => context.within },
}).createMachine({
  id: 'confirm',
  context: ({ input }) => ({ deps: input.deps, within: 0 }),
  initial: 'final',
  on: {
    applied: [
      {
        guard: { type: 'onTrial', params: ({ event }) => event },
        target: '.trial',
        reenter: true,
        actions: [{ type: 'begin', params: ({ event }) => event }, 'reportTrial'],
      },
      { target: '.final' },
    ],
  },
  states: {
    final: {},
    trial: {
      after: {
        within: [
          { guard: 'tried', target: 'givenUp' },
          { target: 'trial', reenter: true },
        ],
      },
      on: { registered: { target: 'final', actions: 'confirm' } },
    },
    // Until another configuration is applied: the last good one, unless the flash fails.
    givenUp: { entry: 'giveUp' },
  },
});
