/** A SIP stack and peers on a wire of their own in virtual time: 1 ms from end to end, losing what a test tells it to. */
import { createHash } from 'node:crypto';
import type { EndpointEvent } from '../../core/kernel/events.js';
import { createKernel, type Kernel } from '../../core/kernel/kernel.js';
import type { CheckSync } from '../../core/sip/check-sync.policy.js';
import type { SipConfig } from '../../core/sip/config.js';
import type { IncomingInvite } from '../../core/sip/incoming-invite.js';
import { readMessage, type SipMessage } from '../../core/sip/message.codec.js';
import { createSipStack, type SipStack } from '../../core/sip/user-agent.js';
import type { SecureStreams } from '../../core/tls/secure-streams.js';
import { ok } from '../../hal/base/result.js';
import { shareAlarm } from '../../hal/base/share-alarm.js';
import { MILLISECOND } from '../../hal/base/time.js';
import { Timers } from '../../hal/base/timers.js';
import type { ByteStream, Crypto, DnsRecords, Entropy, Micros, Net, SocketAddress, StreamEvent, TlsStream } from '../../hal/hal.js';
import { VirtualClock } from '../support/virtual-clock.js';

export const octets = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

export function readOrThrow(bytes: Uint8Array): SipMessage {
  const read = readMessage(bytes.slice());
  if (!read.ok) throw new Error(`${read.error.kind}: ${read.error.detail}\n${text(bytes)}`);
  return read.value;
}

export const testCrypto: Pick<Crypto, 'digest'> = {
  digest: (algorithm, ...data) => {
    const hash = createHash(algorithm === 'sha512-256' ? 'sha512-256' : algorithm);
    for (const bytes of data) hash.update(bytes);
    return Uint8Array.from(hash.digest());
  },
};

/** mulberry32: the same every run. */
export function seededEntropy(seed: number): Entropy {
  let state = seed;
  return {
    fill: (out) => {
      for (let i = 0; i < out.length; i++) {
        state = (state + 0x6d2b79f5) | 0;
        let t = Math.imul(state ^ (state >>> 15), 1 | state);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        out[i] = t ^ (t >>> 14);
      }
    },
  };
}

type Packet = { from: SocketAddress; to: SocketAddress; bytes: Uint8Array };

/** One end of a connection on the wire. */
class WireStream implements TlsStream {
  other: WireStream | undefined;
  closed = false;
  #listener: (event: StreamEvent) => void = () => {};

  constructor(
    readonly wire: Wire,
    readonly local: SocketAddress,
    readonly peer: SocketAddress,
  ) {}

  onEvent(listener: (event: StreamEvent) => void): void {
    this.#listener = listener;
  }
  write(bytes: Uint8Array): number {
    const copy = bytes.slice();
    this.wire.later((at) => this.other?.deliver({ type: 'data', bytes: copy, at }));
    return bytes.length;
  }
  pause(): void {}
  resume(): void {}
  end(): void {
    this.wire.later((at) => this.other?.deliver({ type: 'end', at }));
  }
  abort(): void {
    if (this.closed) return;
    this.closed = true;
    this.wire.later((at) => this.other?.deliver({ type: 'closed', error: { kind: 'reset', detail: 'reset' }, at }));
  }
  deliver(event: StreamEvent): void {
    if (this.closed || this.wire.cut) return;
    if (event.type === 'closed') this.closed = true;
    this.#listener(event);
  }
}

export class Wire {
  readonly timers: Timers;
  /** True loses the datagram. */
  lose: (packet: Packet) => boolean = () => false;
  /** Nothing arrives any more, connections included. */
  cut = false;
  readonly dns = new Map<string, readonly DnsRecords['SRV'][] | readonly string[]>();
  readonly #udp = new Map<string, (packet: Packet) => void>();
  readonly #listeners = new Map<string, (stream: ByteStream, at: Micros) => void>();
  #port = 40_000;

  constructor(clock: ConstructorParameters<typeof Timers>[0]) {
    this.timers = new Timers(clock);
  }

  later(run: (at: Micros) => void): void {
    const timer = this.timers.create('wire', run);
    timer.set(this.now() + MILLISECOND);
  }
  now: () => Micros = () => 0;

  host(address: string): Net {
    const key = (to: SocketAddress): string => `${to.address}:${to.port}`;
    return {
      udp: ({ port }) => {
        const local = { address, port: port === 0 ? this.#port++ : port };
        return ok({
          local,
          onDatagram: (listener) => void this.#udp.set(key(local), ({ bytes, from }) => listener(bytes, from, this.now())),
          send: (to, bytes) => {
            const packet = { from: local, to, bytes: bytes.slice() };
            this.later(() => {
              if (!this.cut && !this.lose(packet)) this.#udp.get(key(to))?.(packet);
            });
            return 'sent' as const;
          },
          join: () => ok(undefined),
          leave: () => {},
          close: () => void this.#udp.delete(key(local)),
        });
      },
      connect: (to) => {
        const near = new WireStream(this, { address, port: this.#port++ }, to);
        this.later((at) => {
          const accept = this.#listeners.get(key(to));
          if (this.cut) return;
          if (!accept) return near.deliver({ type: 'closed', error: { kind: 'refused', detail: 'refused' }, at });
          const far = new WireStream(this, to, near.local);
          near.other = far;
          far.other = near;
          accept(far, at);
          this.later((opened) => {
            far.deliver({ type: 'open', local: far.local, peer: far.peer, at: opened });
            near.deliver({ type: 'open', local: near.local, peer: to, at: opened });
          });
        });
        return near;
      },
      listen: ({ port }, onStream) => {
        this.#listeners.set(`${address}:${port}`, onStream);
        return ok({ local: { address, port }, close: () => void this.#listeners.delete(`${address}:${port}`) });
      },
      resolve: (name, type, done) => {
        this.later((at) => {
          const records = this.dns.get(`${type} ${name}`);
          done(records ? ok(records as never) : { ok: false, error: { kind: 'not-found', detail: name } }, at);
        });
        return () => {};
      },
    };
  }
}

export const DEVICE = '10.0.0.2';
export const SERVER = '10.0.0.1';

const baseConfig: SipConfig = {
  transport: 'udp',
  ports: { sip: 5060, tls: 5061 },
  userAgent: 'Belfry test',
  accounts: [],
  registerPeriod: 3600,
  keepalive: 30,
  accept: 'any',
  refuseMd5: false,
  srv: true,
  dscp: 0,
};

export const account = { id: 'page', user: '101', authUser: '', password: 'secret', displayName: 'Lobby' };

export interface Rig {
  clock: VirtualClock;
  kernel: Kernel;
  wire: Wire;
  events: EndpointEvent[];
  invites: IncomingInvite[];
  checkSyncs: CheckSync[];
  /** What the certificates of TLS servers were to be checked against, in the order of connecting. */
  secured: string[];
  /** An account for each time that it registered or refreshed. */
  registered: string[];
  stack: SipStack;
  /** Moves time on, in ms. */
  run(ms: number): void;
  /** Events but for the states of machines, as `name` or `name:field`. */
  names(): string[];
}

export function createRig(config: Partial<SipConfig> = {}, seed = 1): Rig {
  const clock = new VirtualClock();
  const share = shareAlarm(clock);
  const wire = new Wire(share());
  wire.now = () => clock.now();
  const events: EndpointEvent[] = [];
  const kernel = createKernel(share(), (event) => events.push(event));
  const net = wire.host(DEVICE);
  const turned: Net = turnedNet(net, kernel);
  const secured: string[] = [];
  const secure: SecureStreams = {
    connect: ({ to, name }) => {
      secured.push(name);
      return turned.connect(to) as TlsStream;
    },
    accept: (under) => under as TlsStream,
  };
  const invites: IncomingInvite[] = [];
  const checkSyncs: CheckSync[] = [];
  const registered: string[] = [];
  const stack = createSipStack({
    ...{ kernel, net: turned, secure, entropy: seededEntropy(seed), crypto: testCrypto, config: { ...baseConfig, ...config } },
    localAddress: () => DEVICE,
    onInvite: (invite) => invites.push(invite),
    onCheckSync: (wish) => checkSyncs.push(wish),
    onRegistered: (account) => registered.push(account),
  });
  return {
    ...{ clock, kernel, wire, events, invites, checkSyncs, secured, registered, stack },
    run: (ms) => clock.run(ms * MILLISECOND),
    names: () => events.map(({ event }) => event).filter((event) => event !== 'machine.state'),
  };
}

/** What `turnedHal` does, for a Net alone. */
function turnedNet(net: Net, kernel: Kernel): Net {
  const stream = (inner: ByteStream): ByteStream => ({
    onEvent: (listener) => inner.onEvent((event) => kernel.turn(event.at, () => listener(event))),
    write: (bytes) => inner.write(bytes),
    pause: () => inner.pause(),
    resume: () => inner.resume(),
    end: () => inner.end(),
    abort: () => inner.abort(),
  });
  return {
    udp: (options) => {
      const socket = net.udp(options);
      if (!socket.ok) return socket;
      const { value } = socket;
      return ok({
        ...value,
        onDatagram: (listener) => value.onDatagram((bytes, from, at) => kernel.turn(at, () => listener(bytes, from, at))),
      });
    },
    connect: (to) => stream(net.connect(to)),
    listen: (options, onStream) => net.listen(options, (inner, at) => kernel.turn(at, () => onStream(stream(inner), at))),
    resolve: (name, type, done) => net.resolve(name, type, (result, at) => kernel.turn(at, () => done(result, at))),
  };
}
