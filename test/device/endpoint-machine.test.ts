/** The device's machine with parts that only write down what they are told: what happens in which state, and in which order. */
import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { checkSyncPlan } from '../../core/device/check-sync.policy.js';
import { type EndpointDeps, type EndpointMachineEvent, endpointMachine } from '../../core/device/endpoint.machine.js';
import { actorClock } from '../../core/kernel/actor-clock.js';
import { createKernel } from '../../core/kernel/kernel.js';
import type { NetworkNotice } from '../../core/network/network.machine.js';
import type { ProvisioningDeps } from '../../core/provisioning/provisioning.machine.js';
import type { ServerChoice } from '../../core/provisioning/server.policy.js';
import type { TimeDeps } from '../../core/time/time.machine.js';
import { VirtualClock } from '../support/virtual-clock.js';

const LEASE = { address: '192.0.2.2', prefix: 24, dns: [], ntp: [], options: new Map() };

class Bench {
  readonly told: string[] = [];
  inCall = false;
  mode: 'conditional-reboot' | 'always-reboot' = 'conditional-reboot';
  /** Where provisioning is to be found; `failed` so that nothing is downloaded. */
  server = '';
  readonly #kernel = createKernel(new VirtualClock(), () => {});
  readonly #actor = createActor(endpointMachine, { input: { deps: this.#deps() }, clock: actorClock(this.#kernel) });
  #network: (notice: NetworkNotice) => void = () => {};

  constructor() {
    this.#actor.subscribe({ error: (error) => Promise.reject(error) });
    this.#actor.start();
  }

  send(...events: readonly EndpointMachineEvent[]): this {
    for (const event of events) this.#kernel.turn(0, () => this.#actor.send(event));
    return this;
  }
  network(notice: NetworkNotice): this {
    this.#kernel.turn(0, () => this.#network(notice));
    return this;
  }
  /** What was told since the last time. */
  heard(): string[] {
    return this.told.splice(0);
  }
  get state(): string {
    return JSON.stringify(this.#actor.getSnapshot().value).replace(/[{}"]/g, '').replaceAll(':', '.');
  }

  serving(): this {
    this.send({ type: 'storage.loaded' }).network({ type: 'network.ready', lease: LEASE });
    expect(this.heard()).toEqual(['load', 'resume', 'start']);
    return this;
  }

  #deps(): EndpointDeps {
    const note = (what: string) => () => void this.told.push(what);
    const notify = (event: EndpointMachineEvent): void => this.#kernel.defer(() => this.#actor.send(event));
    return {
      load: note('load'),
      watchNetwork: (told) => {
        this.#network = told;
        return () => {};
      },
      time: { ...({} as TimeDeps), trusted: () => true, hasServer: () => false, hasDateServer: () => false, notify },
      provisioning: () => ({
        ...({} as ProvisioningDeps),
        resume: note('resume'),
        trial: () => 0,
        now: () => this.#kernel.now(),
        chooseServer: () => this.#choice(),
        reportRequested: (by) => this.told.push(`asks: ${by}`),
        reportFailed: () => undefined,
        schedule: () => () => undefined,
        notify,
      }),
      needsRestart: (keys) => keys.includes('restart'),
      planOf: (request) => checkSyncPlan(request, this.mode),
      addressChanged: note('address'),
      startServices: note('start'),
      inCall: () => this.inCall,
      stopServices: note('stop'),
      reportReboot: (why) => this.told.push(`reboot: ${why}`),
      stopped: ({ reason, reboot }) => this.told.push(`stopped: ${reason}, ${reboot ?? 'off'}`),
    };
  }

  #choice(): ServerChoice {
    if (this.server === '') return { type: 'none' };
    return { type: 'failed', server: this.server, failure: { stage: 'server', kind: 'unsupported', detail: '', mend: '' } };
  }
}

const SHUTDOWN = { type: 'leave', reason: 'shutdown' } as const;
const RESTART = { type: 'configuration.changed', keys: ['restart'] } as const;

describe('the device', () => {
  it('is shut down in order from every state, and once', () => {
    const loading = new Bench().send(SHUTDOWN);
    expect(loading.heard()).toEqual(['load', 'stopped: shutdown, off']);
    const joining = new Bench().send({ type: 'storage.loaded' }, SHUTDOWN, SHUTDOWN, { type: 'services.stopped' });
    expect(joining.heard()).toEqual(['load', 'resume', 'stop', 'stopped: shutdown, off']);
    const serving = new Bench().serving().send(SHUTDOWN);
    expect(serving.heard()).toEqual(['stop']);
    expect(serving.send({ type: 'services.stopped' }).heard()).toEqual(['stopped: shutdown, off']);
    const restarting = new Bench().serving().send(RESTART, SHUTDOWN, { type: 'services.stopped' });
    expect(restarting.heard()).toEqual(['stop', 'stop', 'stopped: shutdown, off']);
  });

  it('does not boot from a flash that it cannot read', () => {
    const bench = new Bench().send({ type: 'storage.failed', detail: 'no manufacture record' });
    expect(bench.heard()).toEqual(['load', 'stopped: no manufacture record, off']);
  });

  it('restarts what runs for settings that need it, between calls', () => {
    const bench = new Bench().serving().send({ type: 'configuration.changed', keys: ['volume'] });
    expect(bench.heard()).toEqual([]);
    bench.inCall = true;
    bench.send(RESTART, RESTART);
    expect([bench.heard(), bench.state]).toEqual([[], 'alive.online.serving.restartDue']);
    bench.inCall = false;
    bench.send({ type: 'calls.idle' });
    expect(bench.heard()).toEqual(['stop']);
    expect(bench.send({ type: 'services.stopped' }).heard()).toEqual(['start']);
    expect(bench.send({ type: 'calls.idle' }).heard()).toEqual([]);
  });

  it('registers from another address, also where the network was lost in between, and asks another server', () => {
    const bench = new Bench().serving();
    expect(bench.network({ type: 'network.changed', lease: LEASE }).heard()).toEqual(['address']);
    bench.server = 'ftp://elsewhere.test/';
    bench.network({ type: 'network.lost' }).network({ type: 'network.ready', lease: LEASE });
    expect(bench.heard()).toEqual(['address', 'asks: lease']);
  });
});

describe('a check-sync', () => {
  const ask = (reboot?: boolean): EndpointMachineEvent => ({ type: 'check-sync', request: reboot === undefined ? {} : { reboot } });
  const REBOOTED = ['reboot: check-sync', 'stop'];

  it('that is to reboot does, when no call is there', () => {
    for (const [mode, reboot] of [
      ['always-reboot', undefined],
      ['conditional-reboot', true],
    ] as const) {
      const bench = new Bench().serving();
      bench.mode = mode;
      bench.inCall = true;
      expect(bench.send(ask(reboot), RESTART, ask(reboot)).heard()).toEqual([]);
      expect(bench.send({ type: 'calls.idle' }).heard()).toEqual(REBOOTED);
      expect(bench.send({ type: 'services.stopped' }).heard()).toEqual(['stopped: reboot, check-sync']);
    }
  });

  it('makes no reboot of a restart that is not its own', () => {
    const bench = new Bench().serving();
    bench.server = 'ftp://elsewhere.test/';
    bench.send(ask());
    expect(bench.heard()).toEqual(['asks: check-sync']);
    // That run is over.
    expect(bench.send({ type: 'provisioning.settled' }, RESTART).heard()).toEqual(['stop']);
    const other = new Bench().serving();
    expect(other.send(RESTART, { type: 'services.stopped' }).heard()).toEqual(['stop', 'start']);
  });

  it('without reboot=true never reboots in its stead', () => {
    const bench = new Bench().serving();
    bench.mode = 'always-reboot';
    expect(bench.send(ask(false), RESTART).heard()).toEqual(['asks: check-sync', 'stop']);
  });
});
