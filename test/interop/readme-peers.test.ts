/** The README's page against nginx, Kamailio and baresip: its two configuration files and its six commands, as they stand there. */
import type { ChildProcess } from 'node:child_process';
import { closeSync, cpSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodeWav } from '../../hal/node/wav.js';
import { shareOf, soundIn } from '../media/tone.js';
import { absent, Jail } from '../support/jail.js';
import { describeWith } from '../support/shared.js';
import { BELFRY } from './device.js';
import { until } from './tap.js';

const read = (path: string): string => readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8');
/** A line that ends in a backslash goes on in the next. */
const joined = (text: string): string => text.replace(/\\\n\s*/g, '');
const COMMANDS = joined(
  read('peers/nginx.conf')
    .split('\n')
    .flatMap((line) => /^# {3}(.*)/.exec(line)?.[1] ?? [])
    .join('\n'),
).split('\n');

/** A command in a terminal of its own: what it wrote so far, and Ctrl-C. The screen is a file, which nginx can open as /dev/stdout. */
class Terminal {
  readonly #screen: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;

  constructor(jail: Jail, command: string, folder: string, number: number) {
    this.#screen = `${folder}/terminal-${number}.txt`;
    const file = openSync(this.#screen, 'a');
    this.#child = jail.spawn('setsid', ['sh', '-c', command], { cwd: folder, stdio: ['ignore', file, file] });
    this.#ended = new Promise((resolve) => this.#child.on('close', resolve));
    closeSync(file);
  }

  get text(): string {
    return readFileSync(this.#screen, 'utf8');
  }

  ended(): Promise<number | null> {
    return this.#ended;
  }

  async until(condition: () => boolean): Promise<void> {
    await until(() => condition() || this.#over).catch(() => undefined);
    expect(condition(), this.text).toBe(true);
  }

  shows(text: string): Promise<void> {
    return this.until(() => this.text.includes(text));
  }

  /** To the whole group, as a terminal does it. */
  ctrlC(): Promise<number | null> {
    if (!this.#over) process.kill(-this.#child.pid!, 'SIGINT');
    return this.#ended;
  }

  get #over(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}

describeWith('lab', "the README's peers", body, absent('nginx', 'kamailio', 'baresip'));

function body(): void {
  let folder: string;
  let jail: Jail;
  const terminals: Terminal[] = [];

  beforeAll(() => {
    folder = mkdtempSync(`${tmpdir()}/belfry-readme-`);
    jail = new Jail('readme');
    mkdirSync(`${folder}/node_modules/.bin`, { recursive: true });
    symlinkSync(BELFRY, `${folder}/node_modules/.bin/belfry`);
    cpSync(fileURLToPath(new URL('peers', import.meta.url)), `${folder}/test/interop/peers`, { recursive: true });
  });
  afterAll(async () => {
    await Promise.all(terminals.map((terminal) => terminal.ctrlC()));
    jail.close();
    rmSync(folder, { recursive: true });
  });

  const open = (command: string): Terminal => {
    const terminal = new Terminal(jail, command, folder, terminals.length);
    terminals.push(terminal);
    return terminal;
  };

  it('plays the page of baresip that Kamailio relays to a device that nginx has provisioned', async () => {
    const [makeAuthorities, makeDevice, startNginx, startKamailio, run, call] = COMMANDS;
    for (const command of [makeAuthorities!, makeDevice!]) {
      const made = open(command);
      expect(await made.ended(), made.text).toBe(0);
    }
    const nginx = open(startNginx!);
    const kamailio = open(startKamailio!);
    await nginx.until(() => existsSync(`${folder}/belfry-out/lab/nginx.pid`));
    const device = open(run!);
    await device.shows('registration.registered');
    const baresip = open(call!);
    await device.shows('call.ended');
    // npx ends by the signal, so its status says nothing of the device's.
    await device.ctrlC();
    expect(device.text).toMatch(/registration\.unregistered /);
    expect(device.text).toMatch(/endpoint\.stopped .*reason=shutdown/);

    expect(device.text).toMatch(/tls\.accepted .*service=sip .*verified=true/);
    expect(device.text).toMatch(/call\.established .*srtp=AES_CM_128_HMAC_SHA1_80/);
    expect(nginx.text).toMatch(/"GET \/algom0022EE0A0001\.conf HTTP\/1\.1" 200 .*verify=SUCCESS client=CN=0022EE0A0001/);
    expect(kamailio.text).toMatch(/REGISTER of 101 .*certificate of 0022EE0A0001/);
    await baresip.shows('terminated');

    const page = decodeWav(readFileSync(`${folder}/page.wav`));
    if (!page.ok) throw new Error(page.error);
    // baresip's call waiting tone: two beeps of 440 Hz within 0.72 s. The judge's blocks begin where they begin.
    const { rate, samples } = page.value;
    const sound = soundIn(rate, samples);
    expect(sound.frames).toBeGreaterThan(30);
    expect(shareOf(440, rate, samples.subarray((sound.first * rate) / 50))).toBeGreaterThan(0.9);
  });

  it('has six commands, and the README shows these', () => {
    expect(COMMANDS).toHaveLength(6);
    const readme = joined(read('../../README.md'));
    for (const command of COMMANDS) expect(readme).toContain(command);
  });
}
