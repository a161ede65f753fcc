/** The device: everything of the core put together over one `Hal`. What a board's firmware calls, and all it has to know of the core. */
import { createActor } from 'xstate';
import { fail } from '../../hal/base/result.js';
import type { BoardProfile } from '../../hal/board.js';
import type { Done, Hal, IpAddress, UnixMillis } from '../../hal/hal.js';
import { actorClock } from '../kernel/actor-clock.js';
import type { EndpointEvent } from '../kernel/events.js';
import { createKernel, type Kernel } from '../kernel/kernel.js';
import { traceStates } from '../kernel/trace-states.js';
import { turnedHal } from '../kernel/turned-hal.js';
import { AudioBus } from '../media/audio-bus.js';
import { watchNetwork } from '../network/watch-network.js';
import type { ProvisioningDeps } from '../provisioning/provisioning.machine.js';
import { provisioningDeps } from '../provisioning/provisioning-deps.js';
import { changedKeys, needsRestart, type Settings } from '../settings/settings.js';
import { beginTime } from '../time/begin-time.js';
import { DeviceClock } from '../time/device-clock.js';
import type { LastKnownTime } from '../time/last-known-time.js';
import { createTimeDeps } from '../time/time-deps.js';
import { bootSettings } from './boot-settings.js';
import { DEFAULT_PORTS, dateServer, type EndpointPorts, timeServers, userAgent } from './configuration.js';
import type { DeviceFiles } from './device-files.js';
import { type DeviceStorage, mountDevice, PROVISIONED_SETTINGS } from './device-storage.js';
import { type EndpointDeps, endpointMachine } from './endpoint.machine.js';
import { factoryReset } from './factory-reset.js';
import { type Services, startServices } from './services.js';
import { type StatusLine, statusLines } from './status.js';
import { createTrust, identityName, type Trust } from './trust.js';

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
  /** Boots: reads the flash, joins the network, provisions, registers. Called once. */
  start(): void;
  /** Ends calls, unregisters, lets a running flash transaction end; then `done`, once, within 5 s. */
  shutdown(done: () => void): void;
  /** What the status page shows. */
  status(): readonly StatusLine[];
  /** Certificates on the device. Calls before the flash is read, or after the device has stopped, fail with `closed`. */
  readonly files: DeviceFiles;
  /** Stops as a shutdown does, erases settings and uploads, and starts anew; `done` comes before that. Fails as a commit does, and `closed`. */
  factoryReset(done: Done<readonly string[]>): void;
}

export const createEndpoint = (options: EndpointOptions): Endpoint => new Device(options);

/** What is known once the flash has been read. */
interface Loaded extends Trust {
  storage: DeviceStorage;
  time: LastKnownTime;
}

class Device implements Endpoint {
  readonly #options: EndpointOptions;
  readonly #clock: DeviceClock;
  readonly #kernel: Kernel;
  readonly #hal: Hal;
  readonly #bus: AudioBus;
  readonly #actor;
  #loaded: Loaded | undefined;
  #settings: Settings | undefined;
  #services: Services | undefined;
  #onStopped: () => void = () => {};

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
    this.#onStopped = done;
    this.#kernel.turn(this.#hal.clock.now(), () => this.#actor.send({ type: 'shutdown', reason: 'shutdown' }));
  }

  status(): readonly StatusLine[] {
    return statusLines({
      mac: this.#loaded?.storage.factory.mac ?? this.#hal.nic.mac,
      name: this.#settings?.text('admin.devname') ?? '',
      lease: this.#hal.nic.lease(),
      registrations: this.#services?.sip.registrations() ?? [],
      calls: this.#services?.calls.active ?? 0,
      ...(this.#loaded ? { manufacturerCertificate: this.#loaded.storage.factory.identity !== undefined } : {}),
    });
  }

  readonly files: DeviceFiles = {
    list: () => this.#loaded?.files.list() ?? [],
    put: (path, file, options, done) => this.#asked(done, ({ files }) => files.put(path, file, options, done)),
    remove: (path, done) => this.#asked(done, ({ files }) => files.remove(path, done)),
  };

  factoryReset(done: Done<readonly string[]>): void {
    this.#asked(done, ({ storage }) => {
      this.#onStopped = () =>
        factoryReset(storage, (erased, at) => {
          if (erased.ok) this.#kernel.emit('device.reset', { erased: erased.value });
          done(erased, at);
          this.#reboot('factory reset');
        });
      this.#actor.send({ type: 'shutdown', reason: 'factory reset' });
    });
  }

  /** A turn of whoever asks from outside; `done` is told where the device has nothing to answer with. */
  #asked<T>(done: Done<T>, then: (loaded: Loaded) => void): void {
    this.#kernel.turn(this.#hal.clock.now(), () => {
      const loaded = this.#loaded;
      if (loaded && this.#actor.getSnapshot().status === 'active') return then(loaded);
      const detail = loaded ? 'the device has stopped' : 'the device has not read its flash yet';
      const timer = this.#kernel.timer('closed', (at) => done(fail('closed', detail), at));
      timer.set(this.#kernel.now());
    });
  }

  #reboot(why: string): void {
    this.#kernel.emit('system.reboot', { why });
    this.#hal.system.reboot(why);
  }

  #deps(): EndpointDeps {
    const kernel = this.#kernel;
    return {
      load: () => this.#load(),
      watchNetwork: (notify) => watchNetwork(kernel, this.#hal.nic, notify),
      time: createTimeDeps({
        kernel,
        clock: this.#clock,
        net: this.#hal.net,
        entropy: this.#hal.entropy,
        servers: () => [...(this.#options.timeServers ?? []), ...timeServers(this.#present, this.#hal.nic.lease())],
        dateServer: () => dateServer({ settings: this.#present, options: this.#hal.nic.lease()?.options ?? new Map(), ...this.#override }),
        https: () => ({ secure: this.#whole.secure, judge: this.#whole.judgeAt, userAgent: userAgent(this.#present) }),
        notify: (notice) => this.#actor.send(notice),
        onSet: () => this.#whole.expiry.look(),
      }),
      provisioning: () => this.#provisioning(),
      needsRestart,
      addressChanged: () => this.#services?.sip.addressChanged(),
      startServices: () => this.#startServices(),
      stopServices: () => this.#stopServices(),
      stopped: (reason) => this.#stopped(reason),
    };
  }

  /** What the command line puts in the place of DHCP option 66. */
  get #override(): { override?: string } {
    const { provision } = this.#options;
    return provision === undefined ? {} : { override: provision };
  }

  get #present(): Settings {
    if (!this.#settings) throw new Error('contract violation: settings are read before the flash is');
    return this.#settings;
  }

  #load(): void {
    const { emit } = this.#kernel;
    mountDevice(this.#hal.flash, emit, (mounted) => {
      // Told to stop while it read.
      if (this.#actor.getSnapshot().status !== 'active') return;
      if (!mounted.ok) return this.#actor.send({ type: 'storage.failed', detail: mounted.error.detail });
      const { board, firmware, built } = this.#options;
      const storage = mounted.value;
      const time = beginTime({ kernel: this.#kernel, clock: this.#clock, store: storage.config }, built);
      this.#settings = bootSettings(storage, board, firmware, emit);
      const { onSecret } = this.#options;
      const trust = createTrust({
        ...{ kernel: this.#kernel, hal: this.#hal, storage, settings: () => this.#present, onProven: () => time.proven() },
        ...(onSecret ? { onSecret } : {}),
      });
      this.#loaded = { storage, time, ...trust };
      const { mac } = storage.factory;
      if (this.#hal.nic.mac !== mac) emit('identity.mismatch', { nic: this.#hal.nic.mac, factory: mac });
      emit('boot.ready', { board: board.id, firmware, reason: this.#hal.system.boot.reason });
      trust.expiry.look();
      this.#actor.send({ type: 'storage.loaded' });
    });
  }

  #provisioning(): ProvisioningDeps {
    const { storage, certificates, secure } = this.#whole;
    return provisioningDeps({
      kernel: this.#kernel,
      net: this.#hal.net,
      secure,
      crypto: this.#hal.crypto,
      entropy: this.#hal.entropy,
      userAgent: userAgent(this.#present),
      settings: () => this.#present,
      lease: () => this.#hal.nic.lease(),
      ...this.#override,
      clientCertificate: () => identityName(certificates),
      save: (bytes, done) => storage.config.commit([{ path: PROVISIONED_SETTINGS, bytes }], done),
      apply: (settings) => {
        this.#kernel.emit('settings.changed', { by: 'provisioned', keys: changedKeys(this.#present, settings) });
        this.#settings = settings;
      },
      notify: (notice) => this.#actor.send(notice),
    });
  }

  get #whole(): Loaded {
    if (!this.#loaded) throw new Error('contract violation: a part is asked for before the flash is read');
    return this.#loaded;
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
    });
    this.#kernel.emit('endpoint.status', { lines: this.status() });
  }

  #stopServices(): void {
    const services = this.#services;
    this.#services = undefined;
    if (services) services.stop(() => this.#actor.send({ type: 'services.stopped' }));
    else this.#actor.send({ type: 'services.stopped' });
  }

  /** The last thing is to keep the time: that ends after every commit that was begun. */
  #stopped(reason: string): void {
    const ended = (): void => {
      this.#kernel.emit('endpoint.stopped', { reason });
      this.#onStopped();
    };
    this.#loaded?.expiry.stop();
    if (this.#loaded) this.#loaded.time.stop(ended);
    else ended();
  }
}

/** What a host without an address calls itself (RFC 1122 3.2.1.3). */
const UNSPECIFIED: IpAddress = '0.0.0.0';
