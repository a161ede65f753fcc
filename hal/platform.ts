/** What a simulation borrows from the machine that it runs on. `belfry/hal/node` has one; the simulator itself imports no platform. */
import type { ByteStream, Crypto, Der, Micros, PrivateKey, TlsEngine, TlsIdentity, TlsVersion, UnixMillis } from './hal.js';

export interface Platform {
  crypto: Crypto;
  /** Engines that live in the world's time: bytes arrive only as the simulated streams bring them. */
  tls(clock: { now(): Micros }): TlsEngine;
  /** RSA-2048 keys for servers and devices of a simulation, made once a process; `index` names one, so that roles keep theirs. */
  testKey(index: number): { key: PrivateKey; pkcs8: Der };
  /** The platform's own HTTP server, so that HTTP is judged by a parser that Belfry did not write. */
  httpServer(options: HttpServerOptions): HttpServer;
  quiet: QuietProbe;
}

export interface HttpServerOptions {
  /** Absent: HTTP in clear. */
  tls?: HttpServerTls;
  /** Answers at once; the request's body, if any, is read and dropped. */
  handle(request: HttpRequest): HttpResponse;
  onClientError(detail: string): void;
}
export interface HttpServerTls {
  identity: TlsIdentity;
  /** Asks for a client certificate; every request without one that chains to `clientAuthorities` and is within its dates is answered 400. */
  clientCertificate: 'no' | 'asked' | 'required';
  clientAuthorities: readonly Der[];
  versions: { min: TlsVersion; max: TlsVersion };
  /** The server's wall clock: the platform's own is not that of a simulated world. */
  wall(): UnixMillis;
  onSecret?(line: string): void;
}
export interface HttpRequest {
  method: string;
  target: string;
  headers: Readonly<Record<string, string | undefined>>;
  /** Subject of the client's certificate as text, and its CN; absent where none was sent. */
  client?: { subject: string; commonName: string; der: Der };
}
export interface HttpResponse {
  status: number;
  headers?: Readonly<Record<string, string | readonly string[]>>;
  body?: Uint8Array;
}
export interface HttpServer {
  /** Serves one accepted transport connection. */
  accept(stream: ByteStream): void;
  close(): void;
}

/**
 * Tells when the platform has nothing left to do for the present instant.
 * `drain` runs what is already queued, `busy` says whether something waits for another turn of the host's event loop, `turn` gives it one.
 */
export interface QuietProbe {
  drain(): void;
  busy(): boolean;
  turn(next: () => void): void;
  /** What keeps it busy, for the error of a world that never becomes quiet. */
  report(): readonly string[];
}
