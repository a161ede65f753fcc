/** The device as a whole: what is done in which order from power-on to power-off, what a change of settings restarts, and when it reboots. */
import { assign, type EventObject, fromCallback, sendTo, setup } from 'xstate';
import type { NetworkNotice } from '../network/network.machine.js';
import { type ProvisioningDeps, type ProvisioningNotice, provisioningMachine } from '../provisioning/provisioning.machine.js';
import type { CheckSync } from '../sip/check-sync.policy.js';
import { type TimeDeps, type TimeNotice, timeMachine } from '../time/time.machine.js';
import type { CheckSyncPlan } from './check-sync.policy.js';

export type EndpointMachineEvent =
  | { type: 'storage.loaded' }
  | { type: 'storage.failed'; detail: string }
  | NetworkNotice
  | TimeNotice
  | ProvisioningNotice
  /** An account has registered under the present settings. */
  | { type: 'registered' }
  /** Someone who may asks for other settings. */
  | { type: 'check-sync'; request: CheckSync }
  /** The last call has ended. */
  | { type: 'calls.idle' }
  | { type: 'services.stopped' }
  | Leave;

/** The end in order. `reboot`: why the device starts anew afterwards. */
export type Leave = { type: 'leave'; reason: string; reboot?: string };

export interface EndpointDeps {
  load(): void;
  /** Tells of link and lease until what it returns is called. */
  watchNetwork(notify: (notice: NetworkNotice) => void): () => void;
  time: TimeDeps;
  provisioning(): ProvisioningDeps;
  /** Whether a change of these settings counts only after the services have started anew. */
  needsRestart(keys: readonly string[]): boolean;
  planOf(request: CheckSync): CheckSyncPlan;
  addressChanged(): void;
  startServices(): void;
  inCall(): boolean;
  /** Ends calls and unregisters, within a bound; answers with `services.stopped`. */
  stopServices(): void;
  reportReboot(why: string): void;
  stopped(leave: Leave): void;
}

export interface EndpointContext {
  deps: EndpointDeps;
  leave: Leave;
  /** A check-sync is under way, and settings that need a restart shall be followed by a reboot. */
  rebootOnChange: boolean;
}

type Deps = { deps: EndpointDeps };
const network = fromCallback<EventObject, Deps>(({ input, sendBack }) => input.deps.watchNetwork(sendBack));
/** An actor, because it makes actors: an action may not. Stopping takes time, and has a state of its own. */
const services = fromCallback<EventObject, Deps>(({ input }) => input.deps.startServices());

const REBOOT: Leave = { type: 'leave', reason: 'reboot', reboot: 'check-sync' };

export const endpointMachine = setup({
  types: {
    context: {} as EndpointContext,
    input: {} as Deps,
    events: {} as EndpointMachineEvent,
    children: {} as { provisioning: 'provisioning' },
  },
  actors: { network, services, time: timeMachine, provisioning: provisioningMachine },
  guards: {
    needsRestart: ({ context }, { keys }: { keys: readonly string[] }) => context.deps.needsRestart(keys),
    needsReboot: ({ context }, { keys }: { keys: readonly string[] }) => context.rebootOnChange && context.deps.needsRestart(keys),
    rebootsAtOnce: ({ context }, { request }: { request: CheckSync }) => context.deps.planOf(request) === 'reboot',
    idle: ({ context }) => !context.deps.inCall(),
  },
  actions: {
    load: ({ context }) => context.deps.load(),
    addressChanged: ({ context }) => context.deps.addressChanged(),
    stopServices: ({ context }) => context.deps.stopServices(),
    noteLeave: assign((_, leave: Leave) => ({ leave })),
    notePlan: assign(({ context }, { request }: { request: CheckSync }) => ({
      rebootOnChange: context.deps.planOf(request) === 'sync, reboot on change',
    })),
    forgetPlan: assign({ rebootOnChange: false }),
    reportReboot: ({ context: { deps, leave } }) => {
      if (leave.reboot !== undefined) deps.reportReboot(leave.reboot);
    },
    stopped: ({ context }) => context.deps.stopped(context.leave),
    beginProvisioning: sendTo('provisioning', { type: 'begin' }),
    sync: sendTo('provisioning', { type: 'sync', by: 'check-sync' }),
    tellLease: sendTo('provisioning', { type: 'lease.changed' }),
    tellRegistered: sendTo('provisioning', { type: 'registered' }),
  },
}).createMachine({
  id: 'endpoint',
  context: ({ input }) => ({ deps: input.deps, leave: { type: 'leave', reason: 'shutdown' }, rebootOnChange: false }),
  initial: 'loading',
  states: {
    loading: {
      entry: 'load',
      on: {
        'storage.loaded': 'alive',
        'storage.failed': {
          target: 'stopped',
          actions: { type: 'noteLeave', params: ({ event }) => ({ type: 'leave', reason: event.detail }) },
        },
        leave: { target: 'stopped', actions: { type: 'noteLeave', params: ({ event }) => event } },
      },
    },
    alive: {
      invoke: [
        { id: 'network', src: 'network', input: ({ context }) => ({ deps: context.deps }) },
        { id: 'provisioning', src: 'provisioning', input: ({ context }) => ({ deps: context.deps.provisioning() }) },
      ],
      initial: 'joining',
      on: {
        registered: { actions: 'tellRegistered' },
        'provisioning.settled': { actions: 'forgetPlan' },
        'check-sync': { actions: [{ type: 'notePlan', params: ({ event }) => event }, 'sync'] },
        leave: { target: 'stopping', actions: { type: 'noteLeave', params: ({ event }) => event } },
      },
      states: {
        joining: { on: { 'network.ready': 'online' } },
        online: {
          invoke: { id: 'time', src: 'time', input: ({ context }) => ({ deps: context.deps.time }) },
          initial: 'timing',
          on: {
            'network.ready': { actions: ['addressChanged', 'tellLease'] },
            'network.changed': { actions: ['addressChanged', 'tellLease'] },
          },
          states: {
            timing: { on: { 'time.settled': 'provisioning' } },
            provisioning: { entry: 'beginProvisioning', on: { 'provisioning.settled': 'serving' } },
            serving: {
              invoke: { src: 'services', input: ({ context }) => ({ deps: context.deps }) },
              initial: 'steady',
              on: {
                'check-sync': {
                  guard: { type: 'rebootsAtOnce', params: ({ event }) => event },
                  target: '.rebootDue',
                  actions: { type: 'noteLeave', params: REBOOT },
                },
                'configuration.changed': [
                  {
                    guard: { type: 'needsReboot', params: ({ event }) => event },
                    target: '.rebootDue',
                    actions: { type: 'noteLeave', params: REBOOT },
                  },
                  { guard: { type: 'needsRestart', params: ({ event }) => event }, target: '.restartDue' },
                ],
              },
              states: {
                steady: {},
                // Nobody is cut off for new settings: what interrupts callers waits until there is none.
                restartDue: {
                  always: { guard: 'idle', target: '#endpoint.alive.online.restarting' },
                  on: { 'calls.idle': '#endpoint.alive.online.restarting' },
                },
                rebootDue: {
                  always: { guard: 'idle', target: '#endpoint.stopping' },
                  on: { 'calls.idle': '#endpoint.stopping', 'configuration.changed': {} },
                },
              },
            },
            // What runs is stopped in order, then starts anew with the new settings.
            restarting: { entry: 'stopServices', on: { 'services.stopped': 'serving' } },
          },
        },
      },
    },
    stopping: { entry: ['reportReboot', 'stopServices'], on: { 'services.stopped': 'stopped' } },
    stopped: { type: 'final', entry: 'stopped' },
  },
});
