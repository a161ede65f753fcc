/** A device's provisioning over a scripted network: the test is DNS, server, flash and registrar. */
import { createActor } from 'xstate';
import { board8180g2 } from '../../boards/8180-g2.js';
import { PROVISIONED_SETTINGS } from '../../core/device/device-storage.js';
import { featuresOf } from '../../core/device/features.js';
import { PresentSettings } from '../../core/device/present-settings.js';
import { actorClock } from '../../core/kernel/actor-clock.js';
import type { EndpointEvent } from '../../core/kernel/events.js';
import { createKernel } from '../../core/kernel/kernel.js';
import { type ProvisioningEvent, type ProvisioningNotice, provisioningMachine } from '../../core/provisioning/provisioning.machine.js';
import { provisioningDeps } from '../../core/provisioning/provisioning-deps.js';
import { ProvisioningRecord } from '../../core/provisioning/record.js';
import { type Serving, Trial } from '../../core/provisioning/trial.js';
import { decodeConf } from '../../core/settings/conf.codec.js';
import { Settings } from '../../core/settings/settings.js';
import { utf8 } from '../../hal/base/bytes.js';
import { fail, ok } from '../../hal/base/result.js';
import { SECOND } from '../../hal/base/time.js';
import type { BoardProfile } from '../../hal/board.js';
import type { Done, HalError, IpAddress, Lease, Result, TlsStream } from '../../hal/hal.js';
import { createNodeCrypto } from '../../hal/node/crypto.js';
import { MemoryStore, type StoredFiles } from '../support/memory-store.js';
import { ScriptedStream } from '../support/scripted-stream.js';
import { VirtualClock } from '../support/virtual-clock.js';

export const MODEL = '/algop8180g2.conf';
export const UNIT = '/algom0022EE0A0001.conf';
export const UNIT_LOWER = '/algom0022ee0a0001.conf';

/** By path: the body of a file, or a status without one. */
export type Served = Record<string, string | number>;

export interface RigOptions {
  option66?: string | undefined;
  board?: BoardProfile;
  /** What the boot finds on the flash. */
  files?: StoredFiles;
  local?: Record<string, string>;
  clock?: VirtualClock;
}

export class ProvisioningRig {
  readonly clock: VirtualClock;
  readonly events: EndpointEvent[] = [];
  readonly streams: { stream: ScriptedStream; to: string; secure: boolean }[] = [];
  readonly names: string[] = [];
  readonly notices: ProvisioningNotice[] = [];
  readonly files: StoredFiles;
  readonly store: MemoryStore;
  readonly actor;
  option66: string | undefined;
  addresses: Result<readonly IpAddress[], HalError> = ok(['192.0.2.10']);
  linkUp = true;
  serving: Serving | undefined;
  /** Octet of all entropy. */
  chance = 0x80;
  readonly #kernel;
  readonly #present: PresentSettings;
  readonly #trial: Trial;

  constructor({ option66, board = board8180g2, files = new Map(), local = {}, clock = new VirtualClock() }: RigOptions) {
    this.clock = clock;
    this.option66 = option66;
    this.files = files;
    this.#kernel = createKernel(clock, (event) => this.events.push(event));
    this.store = new MemoryStore(this.#kernel, files);
    const owner = { board, features: featuresOf(board, board.firmware.newest), mac: '0022EE0A0001' };
    const provisioned = decodeConf(files.get(PROVISIONED_SETTINGS) ?? utf8('')).values;
    const settings = new Settings(owner, { provisioned, local: new Map(Object.entries(local)) });
    this.#present = new PresentSettings(settings, this.#kernel.emit);
    const crypto = createNodeCrypto({ clock, keysOn: 'thread' });
    const record = new ProvisioningRecord(this.store);
    this.#trial = new Trial({
      ...{ kernel: this.#kernel, crypto, record },
      settings: () => this.settings,
      serving: () => this.serving,
      linkUp: () => this.linkUp,
    });
    const deps = provisioningDeps({
      kernel: this.#kernel,
      net: {
        connect: (to) => this.#stream(`${to.address}:${to.port}`, false),
        resolve: (name, _type, done) => this.#resolve(name, done),
        udp: () => fail('unsupported', 'no datagrams here'),
      },
      secure: { connect: ({ to, name }) => this.#stream(`${name} ${to.address}:${to.port}`, true) as unknown as TlsStream },
      ...{ crypto, record, trial: this.#trial },
      entropy: { fill: (out) => out.fill(this.chance) },
      userAgent: 'Algo-8180G2/5.5',
      settings: () => this.settings,
      lease: () => this.#lease(),
      clientCertificate: () => '0022EE0A0001',
      apply: (values) => this.#present.apply(values),
      notify: (notice) => this.notices.push(notice),
    });
    this.actor = createActor(provisioningMachine, { input: { deps }, clock: actorClock(this.#kernel) });
    this.actor.subscribe({ error: (error) => Promise.reject(error) });
  }

  get settings(): Settings {
    return this.#present.settings;
  }
  get last() {
    return this.streams.at(-1)!;
  }
  /** The provisioned layer as it lies on the flash: `a=1 b=2`. */
  get stored(): string {
    return [...decodeConf(this.files.get(PROVISIONED_SETTINGS) ?? utf8('')).values].map(([k, v]) => `${k}=${v}`).join(' ');
  }

  /** Events without their times. */
  told(): object[] {
    return this.events.map(({ at: _, event, ...fields }) => ({ event, ...fields }));
  }
  named(name: string): object[] {
    return this.told().filter((event) => 'event' in event && event.event === name);
  }

  start(): void {
    this.#kernel.turn(this.clock.now(), () => this.actor.start());
    this.send({ type: 'begin' });
    this.clock.run(10);
  }

  send(event: ProvisioningEvent): void {
    this.#kernel.turn(this.clock.now(), () => this.actor.send(event));
  }

  /** Asks for a run; it may have to wait for a moment. */
  sync(): void {
    this.send({ type: 'sync', by: 'check-sync' });
    for (let tries = 0; tries < 11 && this.last.stream.state !== 'connecting'; tries++) this.clock.run(SECOND);
  }

  /** Answers, and lets the flash and what follows have their time. */
  serve(files: Served): string[] {
    const asked = this.answer(files);
    this.clock.run(10);
    return asked;
  }

  /** Opens the newest connection and answers its requests until none comes any more; the paths asked for, without companions. */
  answer(files: Served): string[] {
    const asked: string[] = [];
    const server = this.last.stream;
    server.open();
    for (let text = this.#request(); text !== ''; text = this.#request()) {
      const path = /^GET (\S+)/.exec(text)?.[1] ?? '?';
      // No companion has a digest here: it may be absent by default.
      if (!path.endsWith('.md5')) asked.push(path);
      const file = files[path] ?? 404;
      const body = typeof file === 'string' ? file : 'no';
      server.answer(`HTTP/1.1 ${typeof file === 'string' ? 200 : file} X\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    }
    return asked;
  }

  /** After a failure there is a second between the requests. */
  #request(): string {
    const text = this.last.stream.taken();
    if (text !== '' || this.last.stream.state !== 'open') return text;
    this.clock.run(SECOND);
    return this.last.stream.taken();
  }

  /** The services run with the present settings from here on; an account registers. */
  register(): void {
    this.serving = { settings: this.settings, registrations: [{ account: 'page', status: 'registered' }] };
    this.refresh();
  }

  /** The running services refresh their registration. */
  refresh(): void {
    this.#kernel.turn(this.clock.now(), () => {
      if (this.#trial.noteRegistered()) this.actor.send({ type: 'registered' });
    });
    this.clock.run(10);
  }

  /** The services run with the present settings from here on, and nobody answers them. */
  restartInVain(): void {
    this.serving = { settings: this.settings, registrations: [{ account: 'page', status: 'no-reply' }] };
  }

  #lease(): Lease {
    const options = new Map(this.option66 === undefined ? [] : [[66, utf8(this.option66)]]);
    return { address: '192.0.2.2', prefix: 24, dns: [], ntp: [], options };
  }

  #resolve(name: string, done: Done<readonly never[]>): () => void {
    this.names.push(name);
    // In a turn of its own, a moment later (law 1).
    const answer = (): void => done(this.addresses as Result<readonly never[], HalError>, this.clock.now());
    this.#kernel.timer('test', answer).set(this.clock.now() + 1);
    return () => {};
  }

  #stream(to: string, secure: boolean): ScriptedStream {
    const made = new ScriptedStream((deliver) => this.#kernel.turn(this.clock.now(), () => deliver(this.clock.now())));
    this.streams.push({ stream: made, to, secure });
    return made;
  }
}
