/** The device as a whole: what is done in which order from power-on to power-off, and what a change of settings restarts. */
import { type EventObject, fromCallback, setup } from 'xstate';
import type { NetworkNotice } from '../network/network.machine.js';
import { type ProvisioningDeps, type ProvisioningNotice, provisioningMachine } from '../provisioning/provisioning.machine.js';
import { type TimeDeps, type TimeNotice, timeMachine } from '../time/time.machine.js';

export type EndpointMachineEvent =
  | { type: 'storage.loaded' }
  | { type: 'storage.failed'; detail: string }
  | NetworkNotice
  | TimeNotice
  | ProvisioningNotice
  | { type: 'services.stopped' }
  | { type: 'shutdown'; reason: string };

export interface EndpointDeps {
  load(): void;
  /** Tells of link and lease until what it returns is called. */
  watchNetwork(notify: (notice: NetworkNotice) => void): () => void;
  time: TimeDeps;
  provisioning(): ProvisioningDeps;
  /** Whether a change of these settings counts only after the services have started anew. */
  needsRestart(keys: readonly string[]): boolean;
  addressChanged(): void;
  startServices(): void;
  /** Ends calls and unregisters, within a bound; answers with `services.stopped`. */
  stopServices(): void;
  stopped(reason: string): void;
}

const network = fromCallback<EventObject, { deps: EndpointDeps }>(({ input, sendBack }) => input.deps.watchNetwork(sendBack));

export const endpointMachine = setup({
  types: {
    context: {} as { deps: EndpointDeps },
    input: {} as { deps: EndpointDeps },
    events: {} as EndpointMachineEvent,
  },
  actors: { network, time: timeMachine, provisioning: provisioningMachine },
  guards: {
    needsRestart: ({ context }, { keys }: { keys: readonly string[] }) => context.deps.needsRestart(keys),
  },
  actions: {
    load: ({ context }) => context.deps.load(),
    addressChanged: ({ context }) => context.deps.addressChanged(),
    startServices: ({ context }) => context.deps.startServices(),
    stopServices: ({ context }) => context.deps.stopServices(),
    stopped: ({ context }, { reason }: { reason: string }) => context.deps.stopped(reason),
  },
}).createMachine({
  id: 'endpoint',
  context: ({ input }) => ({ deps: input.deps }),
  initial: 'loading',
  states: {
    loading: {
      entry: 'load',
      on: {
        'storage.loaded': 'alive',
        'storage.failed': { target: 'stopped', actions: { type: 'stopped', params: ({ event }) => ({ reason: event.detail }) } },
        shutdown: { target: 'stopped', actions: { type: 'stopped', params: ({ event }) => ({ reason: event.reason }) } },
      },
    },
    alive: {
      invoke: { id: 'network', src: 'network', input: ({ context }) => ({ deps: context.deps }) },
      initial: 'joining',
      states: {
        joining: { on: { 'network.ready': 'online' } },
        online: {
          invoke: { id: 'time', src: 'time', input: ({ context }) => ({ deps: context.deps.time }) },
          initial: 'timing',
          states: {
            timing: { on: { 'time.settled': 'configured' } },
            configured: {
              invoke: { id: 'provisioning', src: 'provisioning', input: ({ context }) => ({ deps: context.deps.provisioning() }) },
              initial: 'provisioning',
              states: {
                provisioning: { on: { 'provisioning.settled': 'serving' } },
                serving: {
                  entry: 'startServices',
                  on: {
                    'configuration.changed': { guard: { type: 'needsRestart', params: ({ event }) => event }, target: 'restarting' },
                    'network.changed': { actions: 'addressChanged' },
                    shutdown: '#endpoint.stopping',
                  },
                },
                // Settings are applied between calls: what runs is stopped in order, then starts anew with the new ones.
                restarting: { entry: 'stopServices', on: { 'services.stopped': 'serving', shutdown: '#endpoint.stopping' } },
              },
            },
          },
        },
      },
      on: { shutdown: { target: 'stopped', actions: { type: 'stopped', params: ({ event }) => ({ reason: event.reason }) } } },
    },
    stopping: {
      entry: 'stopServices',
      on: { 'services.stopped': { target: 'stopped', actions: { type: 'stopped', params: { reason: 'shutdown' } } } },
    },
    stopped: { type: 'final' },
  },
});
