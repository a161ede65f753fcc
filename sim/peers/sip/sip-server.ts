/** A SIP registrar and proxy for one domain, by UDP and TLS. */

import type { DigestAlgorithm } from '../../../core/auth/digest.js';
import { composeResponse } from '../../../core/sip/compose.js';
import { type SipMessage, type SipRequest, writeMessage } from '../../../core/sip/message.codec.js';
import { hex } from '../../../hal/base/bytes.js';
import { ok } from '../../../hal/base/result.js';
import type {
  ByteStream,
  Der,
  HalError,
  Listener,
  Result,
  SocketAddress,
  TlsIdentity,
  TlsServerOptions,
  TlsVersion,
  UdpSocket,
} from '../../../hal/hal.js';
import { DigestAuthority } from '../digest-authority.js';
import type { Peer, PeerHost } from '../peer-host.js';
import { clientVerifier, peerCommonName } from './client-certificate.js';
import { datagramFlow, type PeerFlow, receiveDatagrams, StreamFlow } from './flow.js';
import { Location } from './location.js';
import { Notifier } from './notifier.js';
import { StatelessProxy, stamped } from './proxy.js';
import { Registrar } from './registrar.js';

export interface SipServerOptions {
  domain: string;
  /** Passwords by user. */
  users: ReadonlyMap<string, string>;
  /** Each served where given; ports default to 5060 and 5061. */
  udp?: { port?: number };
  tls?: SipTlsOptions;
  /** Seconds granted at most: 3600 unless given. */
  maximumExpires?: number;
  /** Challenges, best first: SHA-256 and MD5 unless given. */
  algorithms?: readonly DigestAlgorithm[];
}

export interface SipTlsOptions {
  port?: number;
  identity: TlsIdentity;
  clientCertificate: TlsServerOptions['client'];
  clientAuthorities: readonly Der[];
  versions?: { min: TlsVersion; max: TlsVersion };
  onSecret?(line: string): void;
}

const UDP_PORT = 5060;
const TLS_PORT = 5061;
const BACKLOG = 64;
const DEFAULT_EXPIRES_MAX = 3600;
/** Connections at once; one more is refused. A fleet of 10,000 devices with some callers. */
const CONNECTIONS_MAX = 12_000;

export interface SipPeer extends Peer {
  /** Tells every device that registered that user to look for a new configuration; with `reboot`, whether to reboot for it. */
  checkSync(user: string, reboot?: boolean): void;
}

/** Logs what `Registrar` and `Notifier` do, and `server.refused {detail}` for a TLS handshake that failed. */
export function startSipServer(host: PeerHost, options: SipServerOptions): Result<SipPeer, HalError> {
  const server = new SipServer(host, options);
  const opened = server.open();
  return opened.ok ? ok(server) : opened;
}

class SipServer implements SipPeer {
  readonly #host: PeerHost;
  readonly #options: SipServerOptions;
  readonly #registrar: Registrar;
  readonly #proxy: StatelessProxy;
  readonly #notifier: Notifier;
  readonly #connections = new Set<StreamFlow>();
  #socket: UdpSocket | undefined;
  #listener: Listener | undefined;

  constructor(host: PeerHost, options: SipServerOptions) {
    this.#host = host;
    this.#options = options;
    const { domain, users } = options;
    const location = new Location();
    this.#registrar = new Registrar(host, {
      location,
      authority: new DigestAuthority(host, { realm: domain, users, algorithms: options.algorithms ?? ['SHA-256', 'MD5'] }),
      maximumExpires: options.maximumExpires ?? DEFAULT_EXPIRES_MAX,
      newTag: () => this.#newTag(),
    });
    this.#proxy = new StatelessProxy({
      crypto: host.crypto,
      location,
      now: () => host.clock.now(),
      newTag: () => this.#newTag(),
      hasUser: (user) => users.has(user),
      isOurs: (name, port) => name === domain || (name === host.address && this.#ports().includes(port)),
      flowTo: (transport, peer) => this.#flowTo(transport, peer),
    });
    this.#notifier = new Notifier(host, { domain, location, most: CONNECTIONS_MAX });
  }

  open(): Result<void, HalError> {
    const { udp, tls } = this.#options;
    if (udp) {
      const socket = this.#host.net.udp({ port: udp.port ?? UDP_PORT });
      if (!socket.ok) return socket;
      this.#socket = socket.value;
      receiveDatagrams(socket.value, this.#address(socket.value.local.port), (message, flow) => this.#receive(message, flow));
    }
    if (tls) {
      const listener = this.#host.net.listen({ port: tls.port ?? TLS_PORT, backlog: BACKLOG }, (stream) => this.#accept(stream, tls));
      if (!listener.ok) {
        this.close();
        return listener;
      }
      this.#listener = listener.value;
    }
    return ok(undefined);
  }

  checkSync(user: string, reboot?: boolean): void {
    this.#notifier.checkSync(user, reboot);
  }

  close(): void {
    this.#notifier.close();
    this.#socket?.close();
    this.#listener?.close();
    for (const connection of this.#connections) connection.abort();
    this.#connections.clear();
  }

  #accept(stream: ByteStream, { identity, clientCertificate, clientAuthorities, versions, onSecret }: SipTlsOptions): void {
    if (this.#connections.size >= CONNECTIONS_MAX) {
      stream.abort();
      return;
    }
    const secured = this.#host.tls.server(stream, {
      identity,
      client: clientCertificate,
      verify: clientVerifier(this.#host, clientAuthorities),
      versions: versions ?? { min: '1.2', max: '1.3' },
      ...(onSecret ? { onSecret } : {}),
    });
    const flow = new StreamFlow(secured, {
      sentBy: this.#address(this.#listener?.local.port ?? TLS_PORT),
      onOpen: () => peerCommonName(secured),
      onMessage: (message) => this.#receive(message, flow),
      onClosed: (error) => this.#closed(flow, error),
    });
    this.#connections.add(flow);
  }

  #closed(flow: StreamFlow, error: HalError | undefined): void {
    this.#connections.delete(flow);
    this.#notifier.onFlowClosed(flow, error?.kind ?? 'closed');
    if (error && !flow.wasOpen) this.#host.log('server.refused', { detail: error.detail });
  }

  #receive(message: SipMessage, flow: PeerFlow): void {
    if (message.type === 'response') {
      this.#notifier.onResponse(message);
      this.#proxy.response(message);
      return;
    }
    const answer = this.#answer(stamped(message, flow), flow);
    if (answer) flow.send(writeMessage(answer));
  }

  #answer(request: SipRequest, flow: PeerFlow): ReturnType<StatelessProxy['request']> {
    const { uri, method } = request;
    const forUs = uri.kind === 'sip' && uri.user === undefined && uri.host === this.#options.domain;
    if (forUs && method === 'REGISTER') return this.#registrar.register(request, flow);
    if (forUs && method === 'OPTIONS') return composeResponse(request, { status: 200, toTag: this.#newTag() });
    return this.#proxy.request(request, flow);
  }

  #flowTo(transport: PeerFlow['transport'], peer: SocketAddress): PeerFlow | undefined {
    if (transport === 'udp') return this.#socket && datagramFlow(this.#socket, this.#address(this.#socket.local.port), peer);
    for (const flow of this.#connections) if (flow.open && flow.peer.port === peer.port && flow.peer.address === peer.address) return flow;
    return undefined;
  }

  /** Ports that a URI of ours may name. */
  #ports(): readonly (number | undefined)[] {
    return [undefined, this.#socket?.local.port, this.#listener?.local.port];
  }

  #address(port: number): SocketAddress {
    return { address: this.#host.address, port };
  }

  #newTag(): string {
    const octets = new Uint8Array(8);
    this.#host.entropy.fill(octets);
    return hex(octets);
  }
}
