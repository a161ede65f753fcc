/** All TCP connections of the stack: who a segment is for, listeners, ports, and what nobody is there for (RFC 9293 part 3.10.7.1). */
import { u16, u32 } from '../base/bytes.js';
import { fail, ok } from '../base/result.js';
import type { Timer, Timers } from '../base/timers.js';
import type { ByteStream, Entropy, HalError, Listener, Micros, Result, SocketAddress } from '../hal.js';
import { ipv4Text, parseIpv4, UNSPECIFIED } from './address.js';
import type { StackCounters } from './counters.js';
import { Protocol } from './ipv4.codec.js';
import { type Incoming, type Ipv4Engine, newFrame, TRANSPORT_AT } from './ipv4.engine.js';
import { random32, randomPort } from './random.js';
import { decodeTcp, TcpFlag, type TcpSegment, tcpHeaderLength, writeTcp } from './tcp.codec.js';
import { TcpConnection, type TcpControl, type TcpEnds, type TcpHost } from './tcp-connection.engine.js';
import { FailedConnect } from './tcp-failed-connect.js';
import { advance } from './tcp-sequence.js';
import { TcpTable } from './tcp-table.js';
import type { Undelivered } from './unreachable.js';

/** Connections at a time: a simulated registrar holds thousands. What a board may hold is for its core to say. */
const CONNECTION_LIMIT = 8192;
/** Connections not yet open a listener, whatever backlog it asks for (Linux: somaxconn was 128 for long). */
const BACKLOG_LIMIT = 128;
/** Connections in TIME-WAIT; one more ends the oldest, which costs no more than a stray segment's RST. */
const TIME_WAIT_LIMIT = 64;
/** Octets of IP and TCP header. */
const HEADERS = 40;

type OnStream = (stream: ByteStream, at: Micros) => void;
interface Listening {
  backlog: number;
  onStream: OnStream;
  /** Connections that the user has not been told of. */
  fresh: Set<TcpConnection>;
}

export interface TcpOptions {
  ip: Ipv4Engine;
  timers: Timers;
  now(): Micros;
  entropy: Entropy;
  counters: StackCounters;
}

export class TcpEngine implements TcpHost {
  readonly #options: TcpOptions;
  readonly #table = new TcpTable<TcpConnection>();
  readonly #listeners = new Map<number, Listening>();
  /** By connection, the listener whose user has not been told of it. */
  readonly #fresh = new Map<TcpConnection, Listening>();
  readonly #timeWait = new Set<TcpConnection>();
  readonly #awake = new Set<TcpConnection | FailedConnect>();
  readonly #soon: Timer;
  /** `settle` runs now or right after the segment at hand: no need for the alarm. */
  #settling = false;

  constructor(options: TcpOptions) {
    this.#options = options;
    this.#soon = options.timers.create('tcp-events', (at) => this.#settle(at));
  }

  connect(to: SocketAddress): ByteStream {
    const ends = this.#endsTo(to);
    if (!ends.ok) {
      const failed = new FailedConnect(ends.error, (which) => this.wake(which));
      return failed.stream;
    }
    const connection = new TcpConnection(this, { ends: ends.value, mss: this.#mss, initialSequence: random32(this.#options.entropy) });
    this.#table.set(ends.value, connection);
    return connection.stream;
  }

  listen(options: { port: number; backlog: number }, onStream: OnStream): Result<Listener, HalError> {
    const port = options.port === 0 ? this.#freePort() : options.port;
    if (port === undefined) return fail('full', 'no free TCP port');
    if (this.#listeners.has(port)) return fail('addr-in-use', `TCP port ${port} is taken`);
    const listening: Listening = { backlog: Math.min(BACKLOG_LIMIT, Math.max(1, options.backlog)), onStream, fresh: new Set() };
    this.#listeners.set(port, listening);
    return ok({
      local: { address: '0.0.0.0', port },
      close: () => {
        if (this.#listeners.get(port) !== listening) return;
        this.#listeners.delete(port);
        for (const connection of listening.fresh) connection.abort();
      },
    });
  }

  receive({ packet, group }: Incoming, at: Micros): void {
    const { source, destination, payload } = packet;
    const { counters } = this.#options;
    if (group || source === UNSPECIFIED) return void counters.notForUs++;
    const decoded = decodeTcp(payload, source, destination);
    if (!decoded.ok) return void counters[decoded.error === 'checksum' ? 'badChecksum' : 'malformed']++;
    const segment = decoded.value;
    const ends = { local: destination, localPort: segment.destinationPort, remote: source, remotePort: segment.sourcePort };
    const connection = this.#table.get(ends);
    this.#settling = true;
    if (connection) connection.onSegment(segment);
    else this.#strange(ends, segment);
    this.#settle(at);
  }

  undelivered(what: Undelivered): void {
    const { source, destination, payload } = what;
    const ends = { local: source, localPort: u16(payload, 0), remote: destination, remotePort: u16(payload, 2) };
    this.#table.get(ends)?.undelivered({ ...what, sequence: u32(payload, 4) });
  }

  /** Ends the connections of an address that is no longer ours: their segments would never come back. */
  addressChanged(): void {
    for (const connection of this.#table.values()) {
      const { local } = connection.ends;
      if (!this.#options.ip.isOwn(local)) connection.fail('unreachable', `the address ${ipv4Text(local)} is gone`);
    }
  }

  // For connections.

  now(): Micros {
    return this.#options.now();
  }

  timer(fire: () => void): Timer {
    return this.#options.timers.create('tcp', fire);
  }

  transmit(ends: TcpEnds, control: TcpControl, length: number, fill?: (frame: Uint8Array, at: number) => void): void {
    const route = this.#options.ip.route(ends.remote);
    // Without a way out from that address the segment is lost, as on the way: it is sent again.
    if (route?.source !== ends.local) return;
    const { sequence, acknowledgment, flags, window, mss } = control;
    const header = { sourcePort: ends.localPort, destinationPort: ends.remotePort, sequence, acknowledgment, flags, window, mss };
    const size = tcpHeaderLength(header);
    const frame = newFrame(size + length);
    fill?.(frame, TRANSPORT_AT + size);
    writeTcp(frame, TRANSPORT_AT, header, length, ends.local, ends.remote);
    this.#options.ip.send(frame, route, Protocol.tcp, 0);
  }

  wake(which: TcpConnection | FailedConnect): void {
    this.#awake.add(which);
    if (!this.#settling && this.#soon.due === undefined) this.#soon.set(this.now());
  }

  moved(connection: TcpConnection): void {
    if (connection.state === 'time-wait') {
      this.#timeWait.add(connection);
      const [oldest] = this.#timeWait;
      if (this.#timeWait.size > TIME_WAIT_LIMIT) oldest!.forget();
    } else if (connection.state === 'closed') {
      this.#timeWait.delete(connection);
      this.#table.delete(connection.ends, connection);
    }
  }

  describe({ local, localPort, remote, remotePort }: TcpEnds): { local: SocketAddress; peer: SocketAddress } {
    return { local: { address: ipv4Text(local), port: localPort }, peer: { address: ipv4Text(remote), port: remotePort } };
  }

  get #mss(): number {
    return this.#options.ip.mtu - HEADERS;
  }

  #freePort(): number | undefined {
    return randomPort(this.#options.entropy, (port) => this.#listeners.has(port) || this.#table.hasLocalPort(port));
  }

  #endsTo(to: SocketAddress): Result<TcpEnds, HalError> {
    const remote = parseIpv4(to.address);
    if (remote === undefined) return fail('unsupported', `${to.address} is not an IPv4 address`);
    const route = to.port > 0 && to.port < 0x10000 ? this.#options.ip.route(remote) : undefined;
    if (!route || route.via.type === 'group') {
      return fail('unreachable', this.#options.ip.own ? `no way to ${to.address}:${to.port}` : 'no address yet');
    }
    const localPort = this.#table.size < CONNECTION_LIMIT ? this.#freePort() : undefined;
    if (localPort === undefined) return fail('full', 'no room for another TCP connection');
    return ok({ local: route.source, localPort, remote, remotePort: to.port });
  }

  /** A segment of no connection: a SYN makes one where somebody listens, anything else is refused. */
  #strange(ends: TcpEnds, segment: TcpSegment): void {
    const { flags } = segment;
    if (flags & TcpFlag.rst) return;
    const listening = this.#listeners.get(ends.localPort);
    const opens = (flags & (TcpFlag.ack | TcpFlag.syn)) === TcpFlag.syn;
    if (!listening || !opens) this.#refuse(ends, segment);
    // A SYN that is dropped comes again, when there may be room.
    else if (listening.fresh.size >= listening.backlog || this.#table.size >= CONNECTION_LIMIT) this.#options.counters.overflow++;
    else this.#accept(ends, segment, listening);
  }

  #accept(ends: TcpEnds, segment: TcpSegment, listening: Listening): void {
    const initialSequence = random32(this.#options.entropy);
    const connection = new TcpConnection(this, { ends, mss: this.#mss, initialSequence, syn: segment });
    this.#table.set(ends, connection);
    listening.fresh.add(connection);
    this.#fresh.set(connection, listening);
  }

  #refuse(ends: TcpEnds, { flags, sequence, acknowledgment, payload }: TcpSegment): void {
    this.#options.counters.noListener++;
    const length = payload.length + (flags & TcpFlag.syn ? 1 : 0) + (flags & TcpFlag.fin ? 1 : 0);
    const reset: TcpControl =
      flags & TcpFlag.ack
        ? { sequence: acknowledgment, acknowledgment: 0, flags: TcpFlag.rst, window: 0 }
        : { sequence: 0, acknowledgment: advance(sequence, length), flags: TcpFlag.rst | TcpFlag.ack, window: 0 };
    this.transmit(ends, reset, 0);
  }

  /** Runs outside every call of a user: on a segment, or on the alarm. Whoever wakes meanwhile has its turn in the same round. */
  #settle(at: Micros): void {
    this.#settling = true;
    try {
      for (const one of this.#awake) {
        this.#awake.delete(one);
        if (one instanceof TcpConnection) this.#introduce(one, at);
        one.settle(at);
      }
    } finally {
      this.#settling = false;
    }
  }

  /** Hands an accepted connection to the listener's user once it is open; `open` follows. */
  #introduce(connection: TcpConnection, at: Micros): void {
    const listening = this.#fresh.get(connection);
    if (!listening || connection.state === 'syn-received') return;
    this.#fresh.delete(connection);
    listening.fresh.delete(connection);
    if (connection.state !== 'closed') listening.onStream(connection.stream, at);
  }
}
