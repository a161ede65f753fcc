/** SIP transport (RFC 3261 18, RFC 3581): the UDP port, the listeners, the connections that we make, and where an answer goes. */
import { fail, ok } from '../../hal/base/result.js';
import type {
  ByteStream,
  HalError,
  HalErrorKind,
  IpAddress,
  Listener,
  Micros,
  Net,
  Result,
  SocketAddress,
  UdpSocket,
} from '../../hal/hal.js';
import type { Kernel } from '../kernel/kernel.js';
import type { SecureStreams } from '../tls/secure-streams.js';
import { composeRefusal, setTopVia } from './compose.js';
import type { Flow } from './flow.js';
import { defaultPort, type Target } from './locate.js';
import { readMessage, type SipMessage } from './message.codec.js';
import { StreamFlow } from './stream-flow.js';
import { param } from './text.js';
import { type Via, withParam } from './via.codec.js';

export interface TransportOptions {
  kernel: Pick<Kernel, 'now' | 'timer'>;
  net: Net;
  /** Absent where the board has no TLS: nothing listens on the TLS port. */
  secure: SecureStreams | undefined;
  ports: { sip: number; tls: number };
  /** Differentiated services code point of datagrams; 0 is best effort. */
  dscp: number;
  /** Between keepalives on connections that we made; 0 sends none. */
  keepalive: Micros;
  /** `required`: only clients whose certificate validates reach us at the TLS port, and they are trusted. */
  tlsClients: 'no' | 'required';
  localAddress(): IpAddress;
  /** That address belongs to a server that we register with. */
  isServer(address: IpAddress): boolean;
  onMessage(message: SipMessage, flow: Flow): void;
  onFlowClosed(flow: Flow, kind: HalErrorKind): void;
}

/** Connections that others made to us. `ours`: a site has a handful of proxies; when there are more, the idlest gives way. */
const INBOUND_FLOWS_MAX = 64;
const BACKLOG = 16;

interface Connection {
  flow: StreamFlow;
  /** Who asked for it while it was being made. */
  waiting: ((result: Result<Flow, HalError>) => void)[];
}

export class SipTransport {
  readonly #options: TransportOptions;
  #udp: UdpSocket | undefined;
  readonly #listeners: Listener[] = [];
  readonly #inbound = new Set<StreamFlow>();
  readonly #outbound = new Map<string, Connection>();

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /** Opens the ports; on failure none stays open. */
  open(): Result<void, HalError> {
    const { net, ports, dscp, secure, tlsClients } = this.#options;
    const udp = net.udp({ port: ports.sip, dscp });
    if (!udp.ok) return udp;
    this.#udp = udp.value;
    udp.value.onDatagram((bytes, from) => this.#onDatagram(bytes, from));
    let listening = this.#listen('tcp', ports.sip, (stream) => stream);
    if (listening.ok && secure) {
      listening = this.#listen('tls', ports.tls, (under) => secure.accept(under, { service: 'sip-server', client: tlsClients }));
    }
    if (!listening.ok) this.close();
    return listening;
  }

  /** Closes everything without a word to anyone. */
  close(): void {
    this.#udp?.close();
    this.#udp = undefined;
    for (const listener of this.#listeners.splice(0)) listener.close();
    this.closeConnections();
  }

  /** Ends every connection, since our address is another one; gives them, for whoever waits on one. */
  closeConnections(): readonly Flow[] {
    const flows = [...this.#inbound, ...[...this.#outbound.values()].map(({ flow }) => flow)];
    for (const flow of flows) flow.end();
    this.#inbound.clear();
    this.#outbound.clear();
    return flows;
  }

  /**
   * A flow to the target: the connection that is there, or a new one. `done` is called once, perhaps at once.
   * `trusted`: the target is a server that may call us.
   */
  connect(target: Target, trusted: boolean, done: (result: Result<Flow, HalError>) => void): void {
    if (!this.#udp) done(fail('closed', 'the SIP ports are closed'));
    else if (target.transport === 'udp') done(ok(this.#datagramsTo(target)));
    else this.#connectStream(target, target.transport, trusted, done);
  }

  #connectStream(target: Target, transport: 'tcp' | 'tls', trusted: boolean, done: (result: Result<Flow, HalError>) => void): void {
    const key = `${transport} ${target.name} ${target.address} ${target.port}`;
    const known = this.#outbound.get(key);
    if (known?.flow.open) done(ok(known.flow));
    else if (known) known.waiting.push(done);
    else {
      const stream = this.#openStream(target);
      if (!stream) done(fail('unsupported', 'this board has no TLS'));
      else this.#outbound.set(key, { flow: this.#connectionTo(key, stream, transport, trusted), waiting: [done] });
    }
  }

  #openStream(target: Target): ByteStream | undefined {
    const { net, secure } = this.#options;
    if (target.transport === 'tcp') return net.connect(target);
    return secure?.connect({ service: 'sip', to: target, name: target.name });
  }

  #connectionTo(key: string, stream: ByteStream, transport: 'tcp' | 'tls', trusted: boolean): StreamFlow {
    const { kernel, ports, keepalive } = this.#options;
    const port = transport === 'tls' ? ports.tls : ports.sip;
    const settle = (result: Result<Flow, HalError>): void => {
      for (const done of this.#outbound.get(key)?.waiting.splice(0) ?? []) done(result);
    };
    return new StreamFlow({
      ...{ kernel, stream, transport, port, keepalive, outbound: true, trusts: () => trusted },
      onOpen: (flow) => settle(ok(flow)),
      onMessage: (bytes, flow) => this.#onStreamMessage(bytes, flow),
      onClosed: (flow, kind, detail) => {
        const waiting = this.#outbound.get(key)?.waiting ?? [];
        this.#outbound.delete(key);
        this.#options.onFlowClosed(flow, kind);
        for (const done of waiting.splice(0)) done(fail(kind, detail));
      },
    });
  }

  #listen(transport: 'tcp' | 'tls', port: number, secured: (stream: ByteStream) => ByteStream): Result<void, HalError> {
    const listener = this.#options.net.listen({ port, backlog: BACKLOG }, (stream) => this.#onConnection(secured(stream), transport, port));
    if (!listener.ok) return listener;
    this.#listeners.push(listener.value);
    return ok(undefined);
  }

  #onConnection(stream: ByteStream, transport: 'tcp' | 'tls', port: number): void {
    const { kernel, tlsClients, isServer } = this.#options;
    if (this.#inbound.size >= INBOUND_FLOWS_MAX) this.#closeIdlest();
    const flow = new StreamFlow({
      ...{ kernel, stream, transport, port, keepalive: 0, outbound: false },
      trusts: (peer) => (transport === 'tls' ? tlsClients === 'required' : isServer(peer.address)),
      onOpen: () => {},
      onMessage: (bytes, from) => this.#onStreamMessage(bytes, from),
      onClosed: (closed, kind) => {
        this.#inbound.delete(closed);
        this.#options.onFlowClosed(closed, kind);
      },
    });
    this.#inbound.add(flow);
  }

  #closeIdlest(): void {
    let idlest: StreamFlow | undefined;
    for (const flow of this.#inbound) if (!idlest || flow.lastHeard < idlest.lastHeard) idlest = flow;
    idlest?.close('full');
  }

  #onStreamMessage(bytes: Uint8Array, flow: StreamFlow): void {
    const read = readMessage(bytes);
    if (!read.ok) {
      if (read.error.reply) flow.send(composeRefusal(read.error.reply));
      // Whoever does not speak SIP here never will.
      else if (read.error.kind === 'not-sip') flow.close('other');
      return;
    }
    if (read.value.type === 'request') setTopVia(read.value, received(read.value.via, flow.peer));
    this.#options.onMessage(read.value, flow);
  }

  #onDatagram(bytes: Uint8Array, from: SocketAddress): void {
    // Keepalives of other kinds: CRLFs, zeros, STUN.
    if (bytes.length < MESSAGE_OCTETS_MIN || bytes[0]! < 0x21) return;
    const read = readMessage(bytes.slice());
    if (!read.ok) {
      if (read.error.reply) this.#datagramsTo(replyAddress(read.error.reply.via, from)).send(composeRefusal(read.error.reply));
      return;
    }
    const message = read.value;
    const peer = message.type === 'request' ? replyAddress(message.via, from) : from;
    if (message.type === 'request') setTopVia(message, received(message.via, from));
    this.#options.onMessage(message, this.#datagramsTo(peer));
  }

  #datagramsTo(peer: SocketAddress): Flow {
    const { localAddress, ports, isServer } = this.#options;
    const udp = (): UdpSocket | undefined => this.#udp;
    const here = { address: localAddress(), port: ports.sip };
    return {
      ...{ transport: 'udp', reliable: false, peer, sentBy: here, contact: here },
      trusted: isServer(peer.address),
      get open() {
        return udp() !== undefined;
      },
      send: (bytes) => udp()?.send(peer, bytes) === 'sent',
      close: () => {},
    };
  }
}

/** `ours`: shorter than any start line. */
const MESSAGE_OCTETS_MIN = 16;

/** Adds where it really came from (RFC 3261 18.2.1, RFC 3581 4). */
function received(via: Via, from: SocketAddress): Via {
  const asked = param(via.params, 'rport') !== undefined;
  const withPort = asked ? withParam(via, 'rport', String(from.port)) : via;
  return asked || via.host !== from.address ? withParam(withPort, 'received', from.address) : withPort;
}

/** Where the answer to a datagram goes (RFC 3261 18.2.2): its source, at the source's port or the one its Via names. `maddr` is not followed. */
function replyAddress(via: Via | undefined, from: SocketAddress): SocketAddress {
  if (!via || param(via.params, 'rport') !== undefined) return from;
  return { address: from.address, port: via.port ?? defaultPort('udp') };
}
