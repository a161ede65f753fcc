/**
 * `UdpSocket` over dgram. `Net.udp` answers at once, and so does Node here: `bind` is asynchronous only through its address lookup, and a
 * `lookup` that calls back at once makes the bind, its error and the port taken known before the call returns. The same `lookup` keeps
 * `send` from resolving an address for each packet.
 */
import type { Socket } from 'node:dgram';
import { isIP, isIPv6 } from 'node:net';
import { DgramAsPromised, type SocketAsPromised } from 'dgram-as-promised';
import { fail, ok } from '../base/result.js';
import type { HalError, HalErrorKind, IpAddress, Micros, Result, SocketAddress, UdpSocket } from '../hal.js';
import { bindError, halError } from './node-errors.js';
import { plain } from './octets.js';

/** Longest payload of a datagram over IPv4: 65,535 octets less the IP and UDP headers. */
const LONGEST_PAYLOAD = 65_507;
const ANY: readonly IpAddress[] = ['0.0.0.0', '::'];

export interface UdpOptions {
  address: IpAddress;
  port: number;
  clock: { now(): Micros };
  onClosed?(socket: UdpSocket): void;
}

/** `addr-in-use`, `refused` (a privileged port), `not-found` (not an address of this machine). Node sets no DSCP. */
export function openUdp(options: UdpOptions): Result<UdpSocket, HalError> {
  const { address, port } = options;
  const family = isIPv6(address) ? 6 : 4;
  const socket = DgramAsPromised.createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    lookup: (host, _options, done) => done(null, host, family),
  });
  let failure: NodeJS.ErrnoException | undefined;
  socket.socket.on('error', (error) => {
    failure ??= error;
  });
  // The promise only repeats what the error event has told.
  socket.bind(port, address).catch(() => undefined);
  if (failure) {
    socket.close().catch(() => undefined);
    return bindError('UDP', { address, port }, failure);
  }
  return ok(new NodeUdpSocket(socket, options));
}

class NodeUdpSocket implements UdpSocket {
  readonly local: SocketAddress;
  readonly #promised: SocketAsPromised;
  readonly #raw: Socket;
  readonly #options: UdpOptions;
  #closed = false;

  constructor(promised: SocketAsPromised, options: UdpOptions) {
    this.#promised = promised;
    this.#raw = promised.socket;
    this.#options = options;
    this.local = { address: options.address, port: this.#raw.address().port };
  }

  /** On the raw socket: the promised one has no queue and loses what comes between two awaits. */
  onDatagram(listener: (bytes: Uint8Array, from: SocketAddress, at: Micros) => void): void {
    this.#raw.removeAllListeners('message');
    this.#raw.on('message', (bytes, { address, port }) => {
      if (!this.#closed) listener(plain(bytes), { address, port }, this.#options.clock.now());
    });
  }

  /** `sent` means given to the operating system. */
  send(to: SocketAddress, bytes: Uint8Array): 'sent' | HalErrorKind {
    if (this.#closed) return 'closed';
    if (bytes.length > LONGEST_PAYLOAD) return 'too-big';
    // Addresses and ports come from the network (SDP, SIP headers): what cannot be one is no error of the caller.
    if (isIP(to.address) !== isIP(this.local.address) || !(to.port > 0 && to.port <= 0xffff)) return 'unreachable';
    this.#raw.send(bytes, to.port, to.address);
    return 'sent';
  }

  /** `unsupported` on a socket bound to one address: Linux would not deliver a group's datagrams to it. */
  join(group: IpAddress): Result<void, HalError> {
    if (this.#closed) return fail('closed', 'the socket is closed');
    const { address } = this.local;
    if (!ANY.includes(address)) return fail('unsupported', `bound to ${address}, where no datagrams to ${group} arrive: bind to ${ANY[0]}`);
    try {
      this.#promised.addMembership(group);
      return ok(undefined);
    } catch (error) {
      return { ok: false, error: halError(error as NodeJS.ErrnoException) };
    }
  }

  leave(group: IpAddress): void {
    try {
      if (!this.#closed) this.#promised.dropMembership(group);
    } catch {
      // Not a member: there is nothing to leave.
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#promised.close().catch(() => undefined);
    this.#options.onClosed?.(this);
  }
}
