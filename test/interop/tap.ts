/**
 * The kernel of this machine at the other end of a cable: a TAP device in a network namespace of its own, whose frames a socat carries
 * to and fro, one datagram a frame. Needs root, iproute2 and socat; the addresses inside exist nowhere else.
 */
import { type ChildProcess, execFileSync, type StdioOptions, spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { existsSync } from 'node:fs';
import { NEVER } from 'rxjs';
import type { Clock, MacAddress } from '../../hal/hal.js';
import type { CapturedFrame } from '../../hal/layers/index.js';
import type { StackNic } from '../../hal/stack/index.js';
import { type Random, randomStream } from '../../sim/world/random.js';
import { absent, Jail } from '../support/jail.js';
import { describeWith } from '../support/shared.js';

/** Frames of one direction, and how many of them were lost. */
export interface Way {
  frames: number;
  dropped: number;
}

export interface Losses {
  readonly toKernel: Readonly<Way>;
  readonly fromKernel: Readonly<Way>;
}

export interface Cable {
  /** Of the namespace, and of the TAP device in it. */
  readonly name: string;
  /** From now on this share of frames is lost each way; counts begin anew. Of each direction the same seed loses the same frames. */
  lose(share: number, seed: number): Losses;
  /** Our end of the cable. The last one made hears the frames. */
  nic(mac: MacAddress, clock: Pick<Clock, 'now'>): StackNic;
  /** Runs a program in the namespace, its output in pipes unless told otherwise. It ends with the cable. */
  spawn(command: string, args: readonly string[], stdio?: StdioOptions): ChildProcess;
  /** Every frame that has come through; 'out' is from us. */
  readonly frames: readonly CapturedFrame[];
  close(): Promise<void>;
}

/** A `describe` that needs a cable and these programs: skips with the reason where there can be none, fails where the lab is required. */
export const describeCable = (title: string, programs: readonly string[], body: () => void): void =>
  describeWith('lab', title, body, absent('socat', ...programs));

/** Programs get this long to end when told to; then they are killed. */
const GRACE_MS = 3000;

/** `address` is the kernel's, with its prefix length. */
export async function plug(address: string): Promise<Cable> {
  const socket = dgram.createSocket('udp4');
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  const far = await freePort();
  const cable = new TapCable(new Jail('cable'), socket, far);
  const { name } = cable;
  const ip = (...args: string[]): void => void execFileSync('ip', args);
  try {
    const ends = [`TUN,tun-type=tap,iff-no-pi,tun-name=${name}`, `UDP4:127.0.0.1:${socket.address().port},bind=127.0.0.1:${far}`];
    cable.children.push(spawn('socat', ['-b', '2000', ...ends], { stdio: 'ignore' }));
    await until(() => existsSync(`/sys/class/net/${name}`));
    ip('link', 'set', name, 'netns', name);
    ip('-n', name, 'addr', 'add', address, 'dev', name);
    ip('-n', name, 'link', 'set', name, 'up');
    return cable;
  } catch (error) {
    await cable.close();
    throw error;
  }
}

/** Looks again every 10 ms. What the condition throws ends the wait. */
export async function until(condition: () => boolean, seconds = 60): Promise<void> {
  for (const end = Date.now() + 1000 * seconds; !condition(); ) {
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${condition}`);
    await new Promise((done) => setTimeout(done, 10));
  }
}

async function freePort(): Promise<number> {
  const probe = dgram.createSocket('udp4');
  await new Promise<void>((done) => probe.bind(0, '127.0.0.1', done));
  const { port } = probe.address();
  await new Promise<void>((done) => probe.close(() => done()));
  return port;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once('exit', done));
  child.kill();
  const patience = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  await ended;
  clearTimeout(patience);
}

/** One direction of a bad cable. */
class Direction {
  readonly way: Way = { frames: 0, dropped: 0 };

  constructor(
    readonly share: number,
    readonly random: Random,
  ) {}

  passes(): boolean {
    this.way.frames++;
    if (!this.random.chance(this.share)) return true;
    this.way.dropped++;
    return false;
  }
}

class TapCable implements Cable {
  readonly children: ChildProcess[] = [];
  readonly frames: CapturedFrame[] = [];
  #pulled = false;
  #toKernel!: Direction;
  #fromKernel!: Direction;

  readonly name: string;

  constructor(
    readonly jail: Jail,
    readonly socket: dgram.Socket,
    readonly far: number,
  ) {
    this.name = jail.name;
    this.lose(0, 0);
  }

  lose(share: number, seed: number): Losses {
    this.#toKernel = new Direction(share, randomStream(seed, 'to the kernel'));
    this.#fromKernel = new Direction(share, randomStream(seed, 'from the kernel'));
    return { toKernel: this.#toKernel.way, fromKernel: this.#fromKernel.way };
  }

  nic(mac: MacAddress, clock: Pick<Clock, 'now'>): StackNic {
    return {
      mac,
      mtu: 1500,
      link: () => ({ up: true }),
      link$: NEVER,
      frames: {
        send: (frame) => {
          // A stack's timers outlive the cable of their test: what they send then goes nowhere.
          if (this.#pulled) return false;
          if (!this.#toKernel.passes()) return true;
          this.#note(frame, 'out');
          this.socket.send(frame, this.far, '127.0.0.1');
          return true;
        },
        onFrame: (listener) => {
          this.socket.removeAllListeners('message');
          this.socket.on('message', (bytes) => {
            const frame = Uint8Array.from(bytes);
            if (!this.#fromKernel.passes()) return;
            this.#note(frame, 'in');
            listener(frame, clock.now());
          });
        },
      },
    };
  }

  spawn(command: string, args: readonly string[], stdio?: StdioOptions): ChildProcess {
    const child = this.jail.spawn(command, args, stdio ? { stdio } : {});
    this.children.push(child);
    return child;
  }

  async close(): Promise<void> {
    await Promise.all(this.children.map(end));
    this.#pulled = true;
    this.socket.close();
    this.jail.close();
  }

  #note(bytes: Uint8Array, direction: CapturedFrame['direction']): void {
    const at = Math.floor((performance.timeOrigin + performance.now()) * 1000);
    // A frame that is sent may be written over once it is taken.
    this.frames.push({ interface: 0, at, direction, bytes: bytes.slice() });
  }
}
