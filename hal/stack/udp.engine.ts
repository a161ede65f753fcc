/** UDP sockets over IPv4 (RFC 768, RFC 1122 part 4.1). */

import { u16 } from '../base/bytes.js';
import { fail, ok } from '../base/result.js';
import type { Entropy, HalError, HalErrorKind, IpAddress, Micros, Result, SocketAddress, UdpSocket } from '../hal.js';
import { type Ipv4, ipv4Text, isMulticast, parseIpv4 } from './address.js';
import type { StackCounters } from './counters.js';
import { IPV4_HEADER, Protocol } from './ipv4.codec.js';
import { type Incoming, type Ipv4Engine, newFrame, TRANSPORT_AT } from './ipv4.engine.js';
import { randomPort } from './random.js';
import { decodeUdp, UDP_HEADER, writeUdp } from './udp.codec.js';
import type { Undelivered } from './unreachable.js';

/** Sockets at a time: an endpoint has a dozen, a simulated proxy two a call. */
const SOCKET_LIMIT = 1024;
/** Destinations whose error waits for the next `send`; more are forgotten, oldest first. */
const ERROR_LIMIT = 8;

type Listener = (bytes: Uint8Array, from: SocketAddress, at: Micros) => void;

export class UdpEngine {
  readonly #ip: Ipv4Engine;
  readonly #entropy: Entropy;
  readonly #counters: StackCounters;
  readonly #sockets = new Map<number, Socket>();

  constructor(ip: Ipv4Engine, entropy: Entropy, counters: StackCounters) {
    this.#ip = ip;
    this.#entropy = entropy;
    this.#counters = counters;
  }

  /** One socket a port; it takes what is sent to any address of ours, to a broadcast address, and to the groups that it joined. */
  open(options: { port: number; dscp?: number }): Result<UdpSocket, HalError> {
    if (this.#sockets.size >= SOCKET_LIMIT) return fail('full', `${SOCKET_LIMIT} UDP sockets are open already`);
    const port = options.port === 0 ? randomPort(this.#entropy, (free) => this.#sockets.has(free)) : options.port;
    if (port === undefined) return fail('full', 'no free UDP port');
    if (this.#sockets.has(port)) return fail('addr-in-use', `UDP port ${port} is taken`);
    const socket = new Socket(this.#ip, port, options.dscp ?? 0, () => this.#sockets.delete(port));
    this.#sockets.set(port, socket);
    return ok(socket);
  }

  /** False when nobody listens on the port. */
  receive({ packet }: Incoming, at: Micros): boolean {
    const decoded = decodeUdp(packet.payload, packet.source, packet.destination);
    if (!decoded.ok) {
      this.#counters[decoded.error === 'checksum' ? 'badChecksum' : 'malformed']++;
      return true;
    }
    const { sourcePort, destinationPort, payload } = decoded.value;
    const socket = this.#sockets.get(destinationPort);
    if (!socket || (isMulticast(packet.destination) && !socket.hasJoined(packet.destination))) return false;
    socket.deliver(payload, { address: ipv4Text(packet.source), port: sourcePort }, at);
    return true;
  }

  undelivered(what: Undelivered): void {
    const to = { address: ipv4Text(what.destination), port: u16(what.payload, 2) };
    this.#sockets.get(u16(what.payload, 0))?.remember(to, what.kind);
  }
}

class Socket implements UdpSocket {
  readonly #ip: Ipv4Engine;
  readonly #dscp: number;
  readonly #onClose: () => void;
  readonly #groups = new Set<Ipv4>();
  /** By destination: what became of the last datagram, told once by the next `send` there. */
  readonly #errors = new Map<string, HalErrorKind>();
  readonly local: SocketAddress;
  #listener: Listener | undefined;
  #closed = false;

  constructor(ip: Ipv4Engine, port: number, dscp: number, onClose: () => void) {
    this.#ip = ip;
    this.#dscp = dscp;
    this.#onClose = onClose;
    this.local = { address: '0.0.0.0', port };
  }

  onDatagram(listener: Listener): void {
    this.#listener = listener;
  }

  send(to: SocketAddress, bytes: Uint8Array): 'sent' | HalErrorKind {
    if (this.#closed) return 'closed';
    const error = this.#takeError(to);
    if (error) return error;
    const destination = parseIpv4(to.address);
    if (destination === undefined) return 'unsupported';
    const route = to.port > 0 && to.port < 0x10000 ? this.#ip.route(destination) : undefined;
    if (!route) return 'unreachable';
    const length = UDP_HEADER + bytes.length;
    if (IPV4_HEADER + length > this.#ip.mtu) return 'too-big';
    const frame = newFrame(length);
    writeUdp(frame, TRANSPORT_AT, { sourcePort: this.local.port, destinationPort: to.port, payload: bytes }, route.source, destination);
    return this.#ip.send(frame, route, Protocol.udp, this.#dscp);
  }

  join(group: IpAddress): Result<void, HalError> {
    const address = parseIpv4(group);
    if (this.#closed) return fail('closed', 'the socket is closed');
    if (address === undefined) return fail('unsupported', `${group} is not an IPv4 address`);
    if (this.#groups.has(address)) return ok(undefined);
    const joined = this.#ip.join(address);
    if (joined.ok) this.#groups.add(address);
    return joined;
  }

  leave(group: IpAddress): void {
    const address = parseIpv4(group);
    if (address !== undefined && this.#groups.delete(address)) this.#ip.leave(address);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const group of this.#groups) this.#ip.leave(group);
    this.#onClose();
  }

  hasJoined(group: Ipv4): boolean {
    return this.#groups.has(group);
  }

  deliver(bytes: Uint8Array, from: SocketAddress, at: Micros): void {
    if (!this.#closed) this.#listener?.(bytes, from, at);
  }

  remember(to: SocketAddress, kind: HalErrorKind): void {
    if (this.#errors.size >= ERROR_LIMIT) this.#errors.delete(this.#errors.keys().next().value!);
    this.#errors.set(destinationKey(to), kind);
  }

  #takeError(to: SocketAddress): HalErrorKind | undefined {
    if (this.#errors.size === 0) return undefined;
    const key = destinationKey(to);
    const error = this.#errors.get(key);
    this.#errors.delete(key);
    return error;
  }
}

const destinationKey = ({ address, port }: SocketAddress): string => `${address}:${port}`;
