/**
 * `TlsEngine`: OpenSSL through node:tls over any `ByteStream`, simulated or real, client and server, by one path. OpenSSL makes the
 * handshake; whether the peer is trusted is asked of `verify`, and until it says yes no application data is read or written.
 *
 * - A client is handed its stream before that opens; a server may be handed one that is open already, and then reports the address
 *   `0.0.0.0` port 0 in its own `open`.
 * - `write` accepts nothing before `open`. `secured.suite` is the IANA name. Sessions are never resumed.
 */
import { isIP } from 'node:net';
import { connect, type SecureContext, TLSSocket } from 'node:tls';
import type {
  ByteStream,
  Der,
  HalError,
  Micros,
  Result,
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
import { StreamDuplex } from './stream-duplex.js';
import { NODE_VERSION, SecureContexts } from './tls-contexts.js';
import { DROPPED, tlsError } from './tls-errors.js';

/** Octets accepted for sending and not yet sent. */
const WRITE_LIMIT = 64 * 1024;
/** Certificates of a peer's chain that are looked at: longer ones are cut, and then refused by any policy. */
const CHAIN_LIMIT = 16;
const UNKNOWN: SocketAddress = { address: '0.0.0.0', port: 0 };

export interface Timebase {
  now(): Micros;
}

export function createNodeTls(clock: Timebase, contexts = new SecureContexts()): TlsEngine {
  return {
    versions: ['1.0', '1.1', '1.2', '1.3'],
    client: (under, options) => {
      const context = contexts.get(options);
      return new NodeTlsStream(clock, under, context, (duplex, secureContext) => clientSide(duplex, secureContext, options));
    },
    server: (under, options) => {
      const context = contexts.get(options);
      return new NodeTlsStream(clock, under, context, (duplex, secureContext) => serverSide(duplex, secureContext, options));
    },
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

class NodeTlsStream implements TlsStream {
  secured?: NonNullable<TlsStream['secured']>;
  readonly #clock: Timebase;
  readonly #under: ByteStream;
  #side: Side | undefined;
  #duplex: StreamDuplex | undefined;
  #listener: ((event: StreamEvent) => void) | undefined;
  #error: HalError | undefined;
  #state: 'handshake' | 'open' | 'closed' = 'handshake';
  #ended = false;
  #paused = false;
  /** A write was cut short: `writable` is owed. */
  #short = false;

  constructor(
    clock: Timebase,
    under: ByteStream,
    context: Result<SecureContext, HalError>,
    start: (duplex: StreamDuplex, context: SecureContext) => Side,
  ) {
    this.#clock = clock;
    this.#under = under;
    if (context.ok) this.#start(new StreamDuplex(under), context.value, start);
    else {
      this.#error = context.error;
      under.abort();
      setImmediate(() => this.#close());
    }
  }

  onEvent(listener: (event: StreamEvent) => void): void {
    this.#listener = listener;
  }

  write(bytes: Uint8Array): number {
    if (this.#state !== 'open' || this.#ended) return 0;
    const { socket } = this.#side!;
    const accepted = Math.min(bytes.length, Math.max(0, WRITE_LIMIT - socket.writableLength));
    if (accepted < bytes.length) this.#short = true;
    // A copy: the octets stay the caller's.
    if (accepted > 0) socket.write(Buffer.from(bytes.subarray(0, accepted)));
    return accepted;
  }

  pause(): void {
    this.#paused = true;
    if (this.#state === 'open') this.#side!.socket.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#state === 'open') this.#side!.socket.resume();
  }

  end(): void {
    this.#ended = true;
    if (this.#state === 'open') this.#side!.socket.end();
  }

  abort(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#reset();
  }

  #start(duplex: StreamDuplex, context: SecureContext, start: (duplex: StreamDuplex, context: SecureContext) => Side): void {
    this.#duplex = duplex;
    const side = start(duplex, context);
    this.#side = side;
    const { socket } = side;
    socket.on('error', (error) => {
      this.#error ??= duplex.failure ?? tlsError(error);
    });
    socket.once('close', () => this.#close());
    socket.once(side.secured, () => this.#onSecured(side));
  }

  #onSecured(side: Side): void {
    if (this.#state !== 'handshake') return;
    const at = this.#clock.now();
    const peer = peerChain(side.socket);
    const verdict = side.judge(peer, at);
    if (this.#state !== 'handshake') return; // Aborted by whoever was asked.
    if (verdict && !verdict.ok) {
      this.#error = { kind: 'tls-refused', detail: `${verdict.rule}: ${verdict.detail}` };
      this.#reset();
    } else this.#open(side.socket, peer, at);
  }

  #open(socket: TLSSocket, peer: readonly Der[], at: Micros): void {
    this.#state = 'open';
    this.secured = {
      version: versionOf(socket),
      suite: socket.getCipher().standardName,
      resumed: socket.isSessionReused(),
      ...(peer.length > 0 ? { peer } : {}),
    };
    socket.on('drain', () => this.#onDrain());
    socket.on('end', () => this.#onEnd(socket));
    // Pausing first keeps the listener below from starting the flow.
    if (this.#paused) socket.pause();
    socket.on('data', (chunk: Buffer) => this.#emit({ type: 'data', bytes: plain(chunk), at: this.#clock.now() }));
    this.#emit({ type: 'open', local: this.#duplex!.local ?? UNKNOWN, peer: this.#duplex!.peer ?? UNKNOWN, at });
    if (this.#ended) socket.end();
  }

  #onDrain(): void {
    if (!this.#short) return;
    this.#short = false;
    this.#emit({ type: 'writable', at: this.#clock.now() });
  }

  #onEnd(socket: TLSSocket): void {
    this.#emit({ type: 'end', at: this.#clock.now() });
    if (this.#duplex!.over) socket.destroy(); // The stream below is closed both ways: there is nobody left to write to.
  }

  #reset(): void {
    this.#under.abort();
    this.#side?.socket.destroy();
  }

  #close(): void {
    if (this.#state === 'closed') return;
    const error = this.#error ?? this.#duplex?.failure ?? (this.#state === 'handshake' ? DROPPED : undefined);
    this.#emit({ type: 'closed', ...(error ? { error } : {}), at: this.#clock.now() });
    this.#state = 'closed';
  }

  #emit(event: StreamEvent): void {
    if (this.#state !== 'closed') this.#listener?.(event);
  }
}

/** What the peer sent, leaf first. */
function peerChain(socket: TLSSocket): readonly Der[] {
  const chain: Der[] = [];
  for (let c = socket.getPeerX509Certificate(); c && chain.length < CHAIN_LIMIT; c = c.issuerCertificate) chain.push(plain(c.raw));
  return chain;
}

function versionOf(socket: TLSSocket): TlsVersion {
  const name = socket.getProtocol();
  return (Object.keys(NODE_VERSION) as TlsVersion[]).find((version) => NODE_VERSION[version] === name) ?? '1.3';
}
