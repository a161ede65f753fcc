/** `belfry run` as a person starts it, in a process of its own; its events come back as they are written. */
import type { ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { EndpointEvent, EventName } from '../../core/kernel/events.js';
import type { Jail } from '../support/jail.js';
import { until } from './tap.js';

export const BELFRY = fileURLToPath(new URL('../../tools/belfry.mjs', import.meta.url));

/** On loopback like its servers, and not on their address: both use SIP's own ports. */
export const DEVICE_ADDRESS = '127.0.0.2';

type EventOf<N extends EventName> = Extract<EndpointEvent, { event: N }>;

export interface DeviceOptions {
  jail: Jail;
  /** A flash image as the factory and an installer left it; the device runs on a copy. */
  image: string;
  /** For the copy, the recording and the capture. */
  folder: string;
  settings?: Readonly<Record<string, string>>;
  /** A provisioning server's URL. */
  provision?: string;
  /** The board's newest where absent. */
  firmware?: string;
  /** Another loopback address, so that several devices run beside each other. */
  address?: string;
}

export class Device {
  readonly events: EndpointEvent[] = [];
  readonly speaker: string;
  readonly capture: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #errors = '';
  #news: (() => void)[] = [];

  constructor({ jail, image, folder, settings, provision, firmware, address = DEVICE_ADDRESS }: DeviceOptions) {
    mkdirSync(folder, { recursive: true });
    this.speaker = `${folder}/speaker.wav`;
    this.capture = `${folder}/capture.pcapng`;
    cpSync(image, `${folder}/device.flash`);
    const args = ['--flash', `${folder}/device.flash`, '--address', address, '--speaker', this.speaker, '--capture', this.capture];
    if (provision !== undefined) args.push('--provision', provision);
    if (firmware !== undefined) args.push('--firmware', firmware);
    if (settings) {
      writeFileSync(`${folder}/local.conf`, confText(settings));
      args.push('--settings', `${folder}/local.conf`);
    }
    this.#child = jail.spawn(process.execPath, [BELFRY, 'run', ...args, '--json']);
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#heard(JSON.parse(line) as EndpointEvent));
    this.#child.stderr!.on('data', (data) => {
      this.#errors += data;
    });
    this.#ended = new Promise((resolve) => {
      this.#child.on('close', (status) => {
        resolve(status);
        this.#wake();
      });
    });
  }

  /** Events of this name so far. */
  all<N extends EventName>(name: N): EventOf<N>[] {
    return this.events.filter((event): event is EventOf<N> => event.event === name);
  }

  /** The first event of this name, seen already or still to come. Throws, with what did happen, when it does not come. */
  async event<N extends EventName>(name: N, seconds = 60): Promise<EventOf<N>> {
    const limit = Date.now() + 1000 * seconds;
    for (;;) {
      const [found] = this.all(name);
      if (found) return found;
      const left = limit - Date.now();
      if (left <= 0 || this.#child.exitCode !== null) throw new Error(`no ${name} within ${seconds} s\n${this.#story()}`);
      await this.#change(left);
    }
  }

  /** Until the loudspeaker has played this much. */
  async played(seconds: number): Promise<void> {
    await until(() => (statSync(this.speaker, { throwIfNoEntry: false })?.size ?? 0) >= seconds * SPEAKER_OCTETS);
  }

  /** Ctrl-C, once: calls end, the registration is taken back, the process ends 0. */
  async stop(): Promise<void> {
    this.#child.kill('SIGINT');
    const status = await this.#ended;
    if (status !== 0) throw new Error(`belfry run ended ${status}\n${this.#story()}`);
  }

  /** After a test, however that went: nothing is left running. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #heard(event: EndpointEvent): void {
    this.events.push(event);
    this.#wake();
  }

  #wake(): void {
    const news = this.#news;
    this.#news = [];
    for (const heard of news) heard();
  }

  #change(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#news.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #story(): string {
    const lines = this.events.filter(({ event }) => event !== 'machine.state').map((event) => JSON.stringify(event));
    return [...lines.slice(-20), this.#errors].join('\n');
  }
}

/** A second of the recording: 16 kHz, 16 bits. */
const SPEAKER_OCTETS = 32_000;

export const confText = (settings: Readonly<Record<string, string>>): string =>
  Object.entries(settings)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join('');
