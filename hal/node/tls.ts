/**
 * `TlsEngine`: OpenSSL through node:tls over any `ByteStream`, simulated or real, client and server, by one path. OpenSSL makes the
 * handshake; whether the peer is trusted is asked of `verify`, and until it says yes no application data is read or written.
 *
 * - A client is handed its stream before that opens; a server may be handed one that is open already, and then reports the address
 *   `0.0.0.0` port 0 in its own `open`.
 * - `write` accepts nothing before `open`. `secured.suite` is the IANA name.
 * - Sessions are never resumed: a client offers none, and a server knows none again. With TLS 1.3 it sends two tickets all the same, whose
 *   number Node does not let us set; nobody keeps what they stand for.
 * - Node does not tell a client which authorities the server names in its CertificateRequest: the identity there is, is sent, and the
 *   server decides (RFC 8446 part 4.4.2.3 leaves the choice to the client).
 */
import { isIP } from 'node:net';
import { connect, type SecureContext, TLSSocket } from 'node:tls';
import type {
  ByteStream,
  Der,
  HalError,
  Micros,
  SocketAddress,
  StreamEvent,
  TlsClientOptions,
  TlsEngine,
  TlsOptions,
  TlsServerOptions,
  TlsStream,
  TlsVersion,
  Verdict,
} from '../hal.js';
import { plain } from './octets.js';
import { SocketStream, type Timebase } from './socket-stream.js';
import { StreamDuplex } from './stream-duplex.js';
import { type ContextOptions, NODE_VERSION, SecureContexts } from './tls-contexts.js';
import { DROPPED, tlsError } from './tls-errors.js';

/** Certificates of a peer's chain that are looked at: longer ones are cut, and then refused by any policy. */
const CHAIN_LIMIT = 16;
const UNKNOWN: SocketAddress = { address: '0.0.0.0', port: 0 };

export function createNodeTls(clock: Timebase, contexts = new SecureContexts()): TlsEngine {
  const begin = (under: ByteStream, options: ContextOptions, side: (duplex: StreamDuplex, context: SecureContext) => Side): TlsStream => {
    const context = contexts.get(options);
    if (!context.ok) return new RefusedStream(clock, under, context.error);
    const duplex = new StreamDuplex(under);
    return new NodeTlsStream(clock, under, duplex, side(duplex, context.value));
  };
  return {
    versions: ['1.0', '1.1', '1.2', '1.3'],
    client: (under, options) => begin(under, options, (duplex, context) => clientSide(duplex, context, options)),
    server: (under, options) => begin(under, options, (duplex, context) => serverSide(duplex, context, options)),
  };
}

/** One end of a connection that OpenSSL works on. */
interface Side {
  socket: TLSSocket;
  /** The event of a finished handshake. */
  secured: 'secure' | 'secureConnect';
  /** Asks the core; undefined where nothing is to be asked. */
  judge(chain: readonly Der[], at: Micros): Verdict | undefined;
}

function clientSide(duplex: StreamDuplex, secureContext: SecureContext, options: TlsClientOptions): Side {
  const { serverName } = options;
  const socket = connect({
    socket: duplex,
    secureContext,
    // OpenSSL would judge by this machine's clock; the core judges by its own.
    rejectUnauthorized: false,
    servername: serverName !== undefined && isIP(serverName) === 0 ? serverName : '', // RFC 6066 part 3: no literals
  });
  logSecrets(socket, options);
  return {
    socket,
    secured: 'secureConnect',
    judge: (chain, at) => options.verify({ chain, ...(serverName === undefined ? {} : { serverName }) }, at),
  };
}

function serverSide(duplex: StreamDuplex, secureContext: SecureContext, options: TlsServerOptions): Side {
  const { client, verify } = options;
  const socket = new TLSSocket(duplex, {
    isServer: true,
    secureContext,
    requestCert: client !== 'no',
    // On a socket without a tls.Server this asks for the presence of a certificate only; the core judges what is present.
    rejectUnauthorized: client === 'required',
  });
  // Node reports errors after the handshake on 'error' for the sockets of a tls.Server alone; this is the event behind it.
  socket.on('_tlsError', (error: Error) => socket.destroy(error));
  logSecrets(socket, options);
  return { socket, secured: 'secure', judge: (chain, at) => (chain.length > 0 ? verify?.({ chain }, at) : undefined) };
}

function logSecrets(socket: TLSSocket, { onSecret }: Pick<TlsOptions, 'onSecret'>): void {
  if (onSecret) socket.on('keylog', (line: Buffer) => onSecret(line.toString('latin1').trimEnd()));
}

class NodeTlsStream extends SocketStream<TLSSocket> implements TlsStream {
  secured?: NonNullable<TlsStream['secured']>;
  readonly #under: ByteStream;
  readonly #duplex: StreamDuplex;
  #error: HalError | undefined;

  constructor(clock: Timebase, under: ByteStream, duplex: StreamDuplex, side: Side) {
    super(clock, side.socket);
    this.#under = under;
    this.#duplex = duplex;
    const { socket } = side;
    socket.on('error', (error) => {
      this.#error ??= duplex.failure ?? tlsError(error);
      // An alert that comes after the handshake leaves Node's socket open, and nothing good can come of it.
      socket.destroy();
    });
    socket.once('close', () => this.closed(this.#error ?? duplex.failure ?? (this.opening ? DROPPED : undefined)));
    socket.once(side.secured, () => this.#onSecured(side));
  }

  protected override reset(): void {
    this.#under.abort();
    this.socket.destroy();
  }

  #onSecured({ socket, judge }: Side): void {
    if (!this.opening) return;
    const at = this.clock.now();
    const peer = peerChain(socket);
    const verdict = judge(peer, at);
    if (!this.opening) return; // Aborted by whoever was asked.
    if (verdict && !verdict.ok) {
      this.#error = { kind: 'tls-refused', detail: `${verdict.rule}: ${verdict.detail}` };
      this.reset();
      return;
    }
    this.secured = {
      version: versionOf(socket),
      suite: socket.getCipher().standardName,
      resumed: socket.isSessionReused(),
      ...(peer.length > 0 ? { peer } : {}),
    };
    this.opened(this.#duplex.local ?? UNKNOWN, this.#duplex.peer ?? UNKNOWN, at);
    socket.on('end', () => {
      // The stream below is closed both ways: there is nobody left to write to.
      if (this.#duplex.over) socket.destroy();
    });
  }
}

/** A stream that was never begun: `closed` is all that comes. */
class RefusedStream implements TlsStream {
  #listener: ((event: StreamEvent) => void) | undefined;

  constructor(clock: Timebase, under: ByteStream, error: HalError) {
    under.abort();
    setImmediate(() => this.#listener?.({ type: 'closed', error, at: clock.now() }));
  }

  onEvent(listener: (event: StreamEvent) => void): void {
    this.#listener = listener;
  }

  write(): number {
    return 0;
  }

  pause(): void {}
  resume(): void {}
  end(): void {}

  abort(): void {
    this.#listener = undefined;
  }
}

/** What the peer sent, leaf first. To be called once a connection: Node takes the chain apart as it reads it. */
function peerChain(socket: TLSSocket): readonly Der[] {
  const chain: Der[] = [];
  for (let c = socket.getPeerX509Certificate(); c && chain.length < CHAIN_LIMIT; c = c.issuerCertificate) chain.push(plain(c.raw));
  return chain;
}

function versionOf(socket: TLSSocket): TlsVersion {
  const name = socket.getProtocol();
  return (Object.keys(NODE_VERSION) as TlsVersion[]).find((version) => NODE_VERSION[version] === name) ?? '1.3';
}
