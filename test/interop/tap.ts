/**
 * The kernel of this machine at the other end of a cable: a TAP device in a network namespace of its own, whose frames a socat carries
 * to and fro, one datagram a frame. Needs root, iproute2 and socat.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { NEVER } from 'rxjs';
import { NodeClock } from '../../hal/node/clock.js';
import { nodeEntropy } from '../../hal/node/entropy.js';
import { createStack, type Stack, type StackNic, type StackOptions } from '../../hal/stack/index.js';

export interface Cable {
  readonly namespace: string;
  /** Share of frames lost, each way. */
  loss: number;
  readonly dropped: number;
  stack(address: StackOptions['address'], hostname?: string): Stack;
  /** Runs a program in the namespace, its output in pipes. It ends with the cable. */
  spawn(command: string, ...args: string[]): ChildProcess;
  /** Writes every frame that both ends saw, for tshark. */
  savePcap(file: string): void;
  close(): void;
}

const MAC = '020000AB0102';

export function canPlug(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  try {
    execFileSync('ip', ['netns', 'list'], { stdio: 'ignore' });
    execFileSync('socat', ['-V'], { stdio: 'ignore' });
    return undefined;
  } catch (error) {
    return String(error);
  }
}

/** `address` is the kernel's, with its prefix length. */
export async function plug(address: string): Promise<Cable> {
  const name = `belfry${process.pid}`;
  const children: ChildProcess[] = [];
  const socket = dgram.createSocket('udp4');
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  const near = socket.address().port;
  const far = await freePort();
  const ip = (...args: string[]): void => void execFileSync('ip', args);
  ip('netns', 'add', name);
  const tun = `TUN,tun-type=tap,iff-no-pi,tun-name=${name}`;
  children.push(spawn('socat', ['-b', '2000', tun, `UDP4:127.0.0.1:${near},bind=127.0.0.1:${far}`], { stdio: 'ignore' }));
  await until(() => linkExists(name));
  ip('link', 'set', name, 'netns', name);
  ip('-n', name, 'link', 'set', 'lo', 'up');
  ip('-n', name, 'addr', 'add', address, 'dev', name);
  ip('-n', name, 'link', 'set', name, 'up');
  return new TapCable(name, socket, far, children);
}

const linkExists = (name: string): boolean => {
  try {
    execFileSync('ip', ['link', 'show', name], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

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

class TapCable implements Cable {
  loss = 0;
  dropped = 0;
  readonly #clock = new NodeClock();
  readonly #seen: { at: number; bytes: Uint8Array }[] = [];

  constructor(
    readonly namespace: string,
    readonly socket: dgram.Socket,
    readonly far: number,
    readonly children: ChildProcess[],
  ) {}

  stack(address: StackOptions['address'], hostname?: string): Stack {
    const clock = this.#clock;
    const nic: StackNic = {
      mac: MAC,
      mtu: 1500,
      link: () => ({ up: true }),
      link$: NEVER,
      frames: {
        send: (frame) => {
          if (this.#passes(frame)) this.socket.send(frame, this.far, '127.0.0.1');
          return true;
        },
        onFrame: (listener) => {
          this.socket.removeAllListeners('message');
          this.socket.on('message', (bytes) => {
            const frame = Uint8Array.from(bytes);
            if (this.#passes(frame)) listener(frame, clock.now());
          });
        },
      },
    };
    return createStack({ nic, clock, entropy: nodeEntropy, address, ...(hostname ? { hostname } : {}) });
  }

  spawn(command: string, ...args: string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.namespace, command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.children.push(child);
    return child;
  }

  savePcap(file: string): void {
    const header = Buffer.alloc(24);
    header.writeUInt32LE(0xa1b2c3d4, 0);
    header.writeUInt16LE(2, 4);
    header.writeUInt16LE(4, 6);
    header.writeUInt32LE(65535, 16);
    header.writeUInt32LE(1, 20);
    const records = this.#seen.flatMap(({ at, bytes }) => {
      const record = Buffer.alloc(16);
      record.writeUInt32LE(Math.floor(at / 1e6), 0);
      record.writeUInt32LE(at % 1e6, 4);
      record.writeUInt32LE(bytes.length, 8);
      record.writeUInt32LE(bytes.length, 12);
      return [record, Buffer.from(bytes)];
    });
    writeFileSync(file, Buffer.concat([header, ...records]));
  }

  close(): void {
    for (const child of this.children) child.kill();
    this.socket.close();
    execFileSync('ip', ['netns', 'del', this.namespace]);
  }

  #passes(frame: Uint8Array): boolean {
    this.#seen.push({ at: this.#clock.now(), bytes: frame });
    if (Math.random() >= this.loss) return true;
    this.dropped++;
    return false;
  }
}
