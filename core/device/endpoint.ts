/** The device: everything of the core put together over one `Hal`. What a board's firmware calls, and all it has to know of the core. */
import { createActor } from 'xstate';
import { fail } from '../../hal/base/result.js';
import type { BoardProfile } from '../../hal/board.js';
import type { Done, Hal, IpAddress, UnixMillis } from '../../hal/hal.js';
import type { RefusedPeers } from '../certs/refused-peers.js';
import { actorClock } from '../kernel/actor-clock.js';
import type { EndpointEvent } from '../kernel/events.js';
import { createKernel, type Kernel } from '../kernel/kernel.js';
import { traceStates } from '../kernel/trace-states.js';
import { turnedHal } from '../kernel/turned-hal.js';
import { AudioBus } from '../media/audio-bus.js';
import { watchNetwork } from '../network/watch-network.js';
import { needsRestart, type Settings } from '../settings/settings.js';
import { DeviceClock } from '../time/device-clock.js';
import { createTimeDeps, type TimeOptions } from '../time/time-deps.js';
import { checkSyncPlan } from './check-sync.policy.js';
import { DEFAULT_PORTS, dateServer, type EndpointPorts, timeServers, userAgent } from './configuration.js';
import type { DeviceFiles } from './device-files.js';
import { mountDevice } from './device-storage.js';
import { type EndpointDeps, type EndpointMachineEvent, endpointMachine, type Leave } from './endpoint.machine.js';
import { factoryReset } from './factory-reset.js';
import { noteFirmware } from './firmware-record.js';
import { createParts, type Parts, type PartsOptions, partsProvisioning } from './parts.js';
import { type Services, startServices } from './services.js';
import { type StatusLine, statusLines } from './status.js';

export interface EndpointOptions {
  hal: Hal;
  board: BoardProfile;
  firmware: string;
  /** When this firmware was made: it cannot be earlier. */
  built?: UnixMillis;
  /** Hears every event, in order, within the turn in which it happens. It must not call back into the endpoint. */
  sink(event: EndpointEvent): void;
  /** Lines of an NSS key log of the endpoint's TLS connections, for a capture. Whoever has them reads the traffic. */
  onSecret?(line: string): void;
  ports?: EndpointPorts;
  /** Takes the place of DHCP option 66. */
  provision?: string;
  /** Asked before those of the lease and the settings. */
  timeServers?: readonly string[];
}

export interface Endpoint {
  /**
   * Boots: reads the flash, joins the network, provisions, registers. Called once. Where `endpoint.stopped` gives `reboot` as its reason, the
   * device asks its HAL for a reboot next, and another endpoint is to be made.
   */
  start(): void;
  /** Ends calls, unregisters, lets a running flash transaction end; then `done`, once, within 5 s. At once where it has stopped already. */
  shutdown(done: () => void): void;
  /** Asks for other settings, as a check-sync without parameters does. */
  sync(): void;
  /** What the status page shows. */
  status(): readonly StatusLine[];
  /** Certificates on the device. Calls before the flash is read, or after the device has stopped, fail with `closed`. */
  readonly files: DeviceFiles;
  /** Peers whose certificates were refused since the flash was read: to trust one, put its certificate, or another of its chain, into `certs/trusted`. */
  readonly refusedPeers: Pick<RefusedPeers, 'list' | 'chainOf'>;
  /** Stops as a shutdown does, erases settings and uploads, and starts anew; `done` comes before that. Fails as a commit does, and `closed`. */
  factoryReset(done: Done<readonly string[]>): void;
}

export const createEndpoint = (options: EndpointOptions): Endpoint => new Device(options);

class Device implements Endpoint {
  readonly #options: EndpointOptions;
  readonly #clock: DeviceClock;
  readonly #kernel: Kernel;
  readonly #hal: Hal;
  readonly #bus: AudioBus;
  readonly #actor;
  /** Undefined until the flash has been read. */
  #parts: Parts | undefined;
  #services: Services | undefined;
  #stoppingServices = false;
  /** The last event was reported. */
  #ended = false;
  /** Who waits for the end. */
  readonly #onStopped: (() => void)[] = [];
  /** What is done between the last word of this life and the first of the next. */
  #beforeReboot: (then: () => void) => void = (then) => then();

  constructor(options: EndpointOptions) {
    this.#options = options;
    this.#clock = new DeviceClock(options.hal.clock);
    this.#kernel = createKernel(this.#clock, options.sink);
    this.#hal = turnedHal({ ...options.hal, clock: this.#clock }, this.#kernel.turn);
    this.#bus = new AudioBus(this.#hal.audio);
    this.#actor = createActor(endpointMachine, {
      clock: actorClock(this.#kernel),
      inspect: traceStates('endpoint', this.#kernel.emit),
      input: { deps: this.#deps() },
    });
    this.#actor.subscribe({ error: (error) => this.#kernel.emit('machine.failed', { machine: 'endpoint', detail: String(error) }) });
  }

  start(): void {
    this.#kernel.turn(this.#hal.clock.now(), () => this.#actor.start());
  }

  shutdown(done: () => void): void {
    if (this.#ended) return done();
    this.#onStopped.push(done);
    this.#kernel.turn(this.#hal.clock.now(), () => this.#ask({ type: 'leave', reason: 'shutdown' }));
  }

  sync(): void {
    this.#kernel.turn(this.#hal.clock.now(), () => this.#ask({ type: 'check-sync', request: {} }));
  }

  status(): readonly StatusLine[] {
    return statusLines({
      mac: this.#parts?.storage.factory.mac ?? this.#hal.nic.mac,
      name: this.#parts?.present.settings.text('admin.devname') ?? '',
      lease: this.#hal.nic.lease(),
      registrations: this.#services?.sip.registrations() ?? [],
      calls: this.#services?.calls.active ?? 0,
      ...(this.#parts ? { manufacturerCertificate: this.#parts.storage.factory.identity !== undefined } : {}),
    });
  }

  readonly files: DeviceFiles = {
    list: () => this.#parts?.files.list() ?? [],
    put: (path, file, options, done) => this.#asked(done, ({ files }) => files.put(path, file, options, done)),
    remove: (path, done) => this.#asked(done, ({ files }) => files.remove(path, done)),
  };

  readonly refusedPeers: Endpoint['refusedPeers'] = {
    list: () => this.#parts?.certificates.refusedPeers.list() ?? [],
    chainOf: (id) => this.#parts?.certificates.refusedPeers.chainOf(id),
  };

  factoryReset(done: Done<readonly string[]>): void {
    this.#asked(done, ({ storage }) => {
      this.#beforeReboot = (then) =>
        factoryReset(storage, (erased, at) => {
          if (erased.ok) this.#kernel.emit('device.reset', { erased: erased.value });
          done(erased, at);
          then();
        });
      this.#actor.send({ type: 'leave', reason: 'reboot', reboot: 'factory reset' });
    });
  }

  /** A turn of whoever asks from outside; `done` is told where the device has nothing to answer with. */
  #asked<T>(done: Done<T>, then: (parts: Parts) => void): void {
    this.#kernel.turn(this.#hal.clock.now(), () => {
      const parts = this.#parts;
      if (parts && this.#actor.getSnapshot().matches('alive')) return then(parts);
      const detail = parts ? 'the device is stopping, or has stopped' : 'the device has not read its flash yet';
      const timer = this.#kernel.timer('closed', (at) => done(fail('closed', detail), at));
      timer.set(this.#kernel.now());
    });
  }

  /** From outside, at any time: a device that has stopped takes nothing any more. */
  #ask(event: EndpointMachineEvent): void {
    if (this.#actor.getSnapshot().status === 'active') this.#actor.send(event);
  }

  /** What a part reports while it is busy: the machine hears of it when that is over. */
  #tell(event: EndpointMachineEvent): void {
    this.#kernel.defer(() => this.#actor.send(event));
  }

  #deps(): EndpointDeps {
    return {
      load: () => this.#load(),
      watchNetwork: (notify) => watchNetwork(this.#kernel, this.#hal.nic, (notice) => this.#kernel.defer(() => notify(notice))),
      time: createTimeDeps(this.#timeOptions()),
      provisioning: () => partsProvisioning(this.#partsOptions(), this.#whole, (notice) => this.#tell(notice)),
      needsRestart,
      planOf: (request) => checkSyncPlan(request, this.#present.get('sip.interop.checksync')),
      addressChanged: () => this.#services?.sip.addressChanged(),
      startServices: () => this.#startServices(),
      inCall: () => (this.#services?.calls.active ?? 0) > 0,
      stopServices: () => this.#stopServices(),
      reportReboot: (why) => this.#kernel.emit('system.reboot', { why }),
      stopped: (leave) => this.#stopped(leave),
    };
  }

  #timeOptions(): TimeOptions {
    return {
      kernel: this.#kernel,
      clock: this.#clock,
      net: this.#hal.net,
      entropy: this.#hal.entropy,
      servers: () => [...(this.#options.timeServers ?? []), ...timeServers(this.#present, this.#hal.nic.lease())],
      dateServer: () => dateServer({ settings: this.#present, options: this.#hal.nic.lease()?.options ?? new Map(), ...this.#override }),
      https: () => ({ secure: this.#whole.secure, judge: this.#whole.judgeAt, userAgent: userAgent(this.#present) }),
      notify: (notice) => this.#tell(notice),
      onSet: () => this.#whole.expiry.look(),
    };
  }

  #partsOptions(): PartsOptions {
    const services = () => this.#services;
    return {
      ...{ kernel: this.#kernel, hal: this.#hal, clock: this.#clock, endpoint: this.#options },
      serving: () => {
        const running = services();
        return running && { settings: running.settings, registrations: running.sip.registrations() };
      },
    };
  }

  /** What the command line puts in the place of DHCP option 66. */
  get #override(): { override?: string } {
    const { provision } = this.#options;
    return provision === undefined ? {} : { override: provision };
  }

  get #present(): Settings {
    return this.#whole.present.settings;
  }

  #load(): void {
    const { emit } = this.#kernel;
    mountDevice(this.#hal.flash, emit, (mounted) => {
      // Told to stop while it read.
      if (this.#actor.getSnapshot().status !== 'active') return;
      if (!mounted.ok) return this.#actor.send({ type: 'storage.failed', detail: mounted.error.detail });
      const { board, firmware } = this.#options;
      const storage = mounted.value;
      const parts = createParts(this.#partsOptions(), storage);
      this.#parts = parts;
      noteFirmware(storage.config, firmware, emit);
      const { mac } = storage.factory;
      if (this.#hal.nic.mac !== mac) emit('identity.mismatch', { nic: this.#hal.nic.mac, factory: mac });
      emit('boot.ready', { board: board.id, firmware, reason: this.#hal.system.boot.reason });
      parts.expiry.look();
      this.#actor.send({ type: 'storage.loaded' });
    });
  }

  get #whole(): Parts {
    if (!this.#parts) throw new Error('contract violation: a part is asked for before the flash is read');
    return this.#parts;
  }

  #startServices(): void {
    this.#services = startServices({
      kernel: this.#kernel,
      hal: this.#hal,
      secure: this.#whole.secure,
      bus: this.#bus,
      settings: this.#present,
      ports: this.#options.ports ?? DEFAULT_PORTS,
      localAddress: () => this.#hal.nic.lease()?.address ?? UNSPECIFIED,
      onCheckSync: (request) => this.#tell({ type: 'check-sync', request }),
      onRegistered: () => {
        if (this.#whole.trial.noteRegistered()) this.#tell({ type: 'registered' });
      },
      onIdle: () => this.#tell({ type: 'calls.idle' }),
    });
    this.#kernel.emit('endpoint.status', { lines: this.status() });
  }

  /** A stop that is under way answers for a second one too. */
  #stopServices(): void {
    const stopped = (): void => {
      this.#stoppingServices = false;
      this.#tell({ type: 'services.stopped' });
    };
    const services = this.#services;
    this.#services = undefined;
    if (services) {
      this.#stoppingServices = true;
      services.stop(stopped);
    } else if (!this.#stoppingServices) stopped();
  }

  /** The last thing is to keep the time. That, and a commit of nothing, ends after every commit of its store that was begun. */
  #stopped({ reason, reboot }: Leave): void {
    const ended = (): void => {
      this.#kernel.emit('endpoint.stopped', { reason });
      this.#ended = true;
      for (const told of this.#onStopped) told();
      if (reboot !== undefined) this.#beforeReboot(() => this.#hal.system.reboot(reboot));
    };
    const parts = this.#parts;
    parts?.expiry.stop();
    if (parts) parts.storage.certs.commit([], () => parts.time.stop(ended));
    else ended();
  }
}

/** What a host without an address calls itself (RFC 1122 3.2.1.3). */
const UNSPECIFIED: IpAddress = '0.0.0.0';
