/** The device as a whole: what is done in which order from power-on to power-off, and what a change of settings restarts. */
import { setup } from 'xstate';
import type { Lease } from '../../hal/hal.js';
import { type NetworkDeps, type NetworkNotice, networkMachine } from '../network/network.machine.js';
import { type ProvisioningDeps, provisioningMachine } from '../provisioning/provisioning.machine.js';
import { type TimeDeps, timeMachine } from '../time/time.machine.js';

export type EndpointMachineEvent =
  | { type: 'storage.loaded' }
  | { type: 'storage.failed'; detail: string }
  | NetworkNotice
  /** The clock is trusted, or waiting for that was given up for now. */
  | { type: 'time.settled' }
  /** The first outcome of provisioning, good or bad: with whatever configuration there is, the device serves. */
  | { type: 'provisioning.settled' }
  | { type: 'configuration.changed' }
  | { type: 'services.stopped' }
  | { type: 'shutdown'; reason: string };

export interface EndpointDeps {
  load(): void;
  network: NetworkDeps;
  time: TimeDeps;
  provisioning: ProvisioningDeps;
  addressChanged(lease: Lease): void;
  startServices(): void;
  /** Ends calls and unregisters, within a bound; answers with `services.stopped`. */
  stopServices(): void;
  stopped(reason: string): void;
}

export const endpointMachine = setup({
  types: {
    context: {} as { deps: EndpointDeps },
    input: {} as { deps: EndpointDeps },
    events: {} as EndpointMachineEvent,
  },
  actors: { network: networkMachine, time: timeMachine, provisioning: provisioningMachine },
  actions: {
    load: ({ context }) => context.deps.load(),
    addressChanged: ({ context }, { lease }: { lease: Lease }) => context.deps.addressChanged(lease),
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
      invoke: { id: 'network', src: 'network', input: ({ context }) => ({ deps: context.deps.network }) },
      initial: 'joining',
      states: {
        joining: { on: { 'network.ready': 'online' } },
        online: {
          invoke: { id: 'time', src: 'time', input: ({ context }) => ({ deps: context.deps.time }) },
          initial: 'timing',
          states: {
            timing: { on: { 'time.settled': 'configured' } },
            configured: {
              invoke: { id: 'provisioning', src: 'provisioning', input: ({ context }) => ({ deps: context.deps.provisioning }) },
              initial: 'provisioning',
              states: {
                provisioning: { on: { 'provisioning.settled': 'serving' } },
                serving: {
                  entry: 'startServices',
                  on: {
                    'configuration.changed': 'restarting',
                    'network.changed': { actions: { type: 'addressChanged', params: ({ event }) => event } },
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
