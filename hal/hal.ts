/**
 * The hardware abstraction layer: everything outside the core, as small ports. No behaviour lives here.
 * The laws that every binding keeps stand in `hal/README.md`; `hal/conformance` proves them.
 */
import type { Observable } from 'rxjs';

declare const unit: unique symbol;
type Brand<B extends string> = { readonly [unit]?: B };

/** Microseconds since boot: integer, monotonic. */
export type Micros = number & Brand<'Micros'>;
/** Milliseconds since 1970-01-01T00:00:00Z: integer. */
export type UnixMillis = number & Brand<'UnixMillis'>;
/** 12 upper-case hex digits, no separators. */
export type MacAddress = string;
/** Dotted quad, or RFC 5952 text. */
export type IpAddress = string;
/** One DER-encoded ASN.1 value. */
export type Der = Uint8Array;

export type Result<T, E> = { ok: true; value: T } | { ok: false; error: E };

/** Operating failures are values (law 4): a `kind` to decide by, a `detail` for people. */
export interface HalError {
  kind: HalErrorKind;
  detail: string;
}
export type HalErrorKind =
  | 'refused'
  | 'reset'
  | 'timeout'
  | 'unreachable'
  | 'not-found'
  | 'addr-in-use'
  | 'too-big'
  | 'full'
  | 'tls-alert'
  | 'tls-protocol'
  | 'tls-refused'
  | 'closed'
  | 'unsupported'
  | 'io'
  | 'other';

/** Called once, never during the call that it was given to (law 1). */
export type Done<T> = (result: Result<T, HalError>, at: Micros) => void;
/** Idempotent; nothing is delivered after it returns. */
export type Cancel = () => void;

export interface SocketAddress {
  address: IpAddress;
  port: number;
}

/** What a firmware core is given: one object, nothing global. */
export interface Hal {
  info: HalInfo;
  clock: Clock;
  entropy: Entropy;
  nic: Nic;
  net: Net;
  /** Absent where the board has no TLS. */
  tls?: TlsEngine;
  flash: Flash;
  audio: Audio;
  gpio: Gpio;
  crypto: Crypto;
  system: System;
}

export interface HalInfo {
  binding: 'sim' | 'node' | (string & {});
  version: string;
}

/** How far the wall clock can be believed: never set, kept by a real-time clock, or set from the network. */
export type ClockTrust = 'none' | 'rtc' | 'network';

/** Exactly one alarm: it may fire late, never early, never twice (law 2). */
export interface Clock {
  now(): Micros;
  wall(): { at: UnixMillis; trust: ClockTrust };
  setWall(at: UnixMillis): void;
  setAlarm(at: Micros | undefined): void;
  onAlarm(listener: (at: Micros) => void): void;
}

/** The only randomness (law 8). */
export interface Entropy {
  fill(out: Uint8Array): void;
}

export interface Nic {
  mac: MacAddress;
  /** Octets of an IP packet that fit a frame. */
  mtu: number;
  link(): LinkState;
  lease(): Lease | undefined;
  link$: Observable<LinkState & { at: Micros }>;
  lease$: Observable<{ lease: Lease | undefined; at: Micros }>;
  /** Raw frames, where the board has no sockets of its own or a capture is wanted. */
  frames?: FramePort;
}
export interface LinkState {
  up: boolean;
  mbps?: number;
}
export interface Lease {
  address: IpAddress;
  /** Length of the network prefix, in bits. */
  prefix: number;
  gateway?: IpAddress;
  dns: readonly IpAddress[];
  ntp: readonly IpAddress[];
  domain?: string;
  /** DHCP options as received, by code (66, 150, 160). */
  options: ReadonlyMap<number, Uint8Array>;
}
/** Ethernet frames without their check sequence. */
export interface FramePort {
  /** False when the frame cannot be taken now; it is then dropped. */
  send(frame: Uint8Array): boolean;
  onFrame(listener: (frame: Uint8Array, at: Micros) => void): void;
}

export interface Net {
  /** Port 0 takes a free one. */
  udp(options: { port: number; dscp?: number }): Result<UdpSocket, HalError>;
  connect(to: SocketAddress): ByteStream;
  listen(options: { port: number; backlog: number }, onStream: (stream: ByteStream, at: Micros) => void): Result<Listener, HalError>;
  resolve<K extends keyof DnsRecords>(name: string, type: K, done: Done<readonly DnsRecords[K][]>): Cancel;
}
export interface DnsRecords {
  A: IpAddress;
  AAAA: IpAddress;
  SRV: { priority: number; weight: number; port: number; target: string };
  NAPTR: { order: number; preference: number; flags: string; service: string; replacement: string };
}
export interface Listener {
  local: SocketAddress;
  close(): void;
}
export interface UdpSocket {
  local: SocketAddress;
  /** The bytes are valid during the call only (law 6). */
  onDatagram(listener: (bytes: Uint8Array, from: SocketAddress, at: Micros) => void): void;
  send(to: SocketAddress, bytes: Uint8Array): 'sent' | HalErrorKind;
  join(group: IpAddress): Result<void, HalError>;
  leave(group: IpAddress): void;
  close(): void;
}

/** A reliable stream of bytes: TCP, or TLS over it. Events come in the order open, data and writable, end, closed; `closed` comes once. */
export interface ByteStream {
  onEvent(listener: (event: StreamEvent) => void): void;
  /** Number of octets accepted; after fewer than given, `writable` tells when to go on. */
  write(bytes: Uint8Array): number;
  pause(): void;
  resume(): void;
  /** Half-close: nothing more will be written. */
  end(): void;
  /** Reset: nothing is delivered after it returns. */
  abort(): void;
}
export type StreamEvent =
  | { type: 'open'; local: SocketAddress; peer: SocketAddress; at: Micros }
  | { type: 'data'; bytes: Uint8Array; at: Micros }
  | { type: 'writable'; at: Micros }
  | { type: 'end'; at: Micros }
  | { type: 'closed'; error?: HalError; at: Micros };

export type TlsVersion = '1.0' | '1.1' | '1.2' | '1.3';

/** TLS is the platform's: OpenSSL, mbedTLS, a secure element. The decision to trust is the core's, in `verify`. */
export interface TlsEngine {
  versions: readonly TlsVersion[];
  client(under: ByteStream, options: TlsClientOptions): TlsStream;
  server(under: ByteStream, options: TlsServerOptions): TlsStream;
}
/** `open` comes after the handshake *and* an accepting verdict; no application data crosses before it. */
export interface TlsStream extends ByteStream {
  readonly secured?: { version: TlsVersion; suite: string; resumed: boolean; peer?: readonly Der[] };
}
export interface TlsIdentity {
  /** Leaf first. */
  chain: readonly Der[];
  key: PrivateKey;
}
export interface TlsOptions {
  versions: { min: TlsVersion; max: TlsVersion };
  /** An OpenSSL cipher string; the engine's default where absent. */
  suites?: string;
  identity?: TlsIdentity;
  /** Lines of an NSS key log, for captures. */
  onSecret?(line: string): void;
}
export interface TlsClientOptions extends TlsOptions {
  serverName?: string;
  verify(peer: { chain: readonly Der[]; serverName?: string }, at: Micros): Verdict;
}
export interface TlsServerOptions extends TlsOptions {
  identity: TlsIdentity;
  client: 'no' | 'asked' | 'required';
  /** Subjects (DER names) of the authorities named in the CertificateRequest. */
  issuers?: readonly Der[];
  verify?(peer: { chain: readonly Der[] }, at: Micros): Verdict;
}
/** `verified: false` means that validation is switched off, or that only the server's date is asked for; not that it failed. */
export type Verdict =
  | { ok: true; verified: boolean; anchor?: string }
  | { ok: false; rule: TrustRule; subject: string; clock: UnixMillis; detail: string; mend: string };
export type TrustRule =
  | 'no-certificate'
  | 'malformed'
  | 'unknown-issuer'
  | 'signature'
  | 'expired'
  | 'not-yet-valid'
  | 'time-not-trusted'
  | 'name'
  | 'not-a-ca'
  | 'path-length'
  | 'key-usage'
  | 'purpose'
  | 'name-constraints'
  | 'critical-extension'
  | 'weak-signature'
  | 'weak-key'
  | 'revoked'
  | 'too-long'
  | 'version'
  | 'refused-by-peer';

export interface Flash {
  partitions: readonly Partition[];
  /** Operations complete in the order submitted; a `read` gives bytes, the others nothing. */
  submit(op: FlashOp, done: Done<Uint8Array | undefined>): void;
}
/** Sizes in octets: `sector` is the unit of erase, `program` of writing. */
export interface Partition {
  name: string;
  size: number;
  sector: number;
  program: number;
  erased: 0x00 | 0xff;
}
/** NOR semantics: `program` only moves bits away from the erased state, `erase` sets one sector, `sync` orders what came before. */
export type FlashOp =
  | { type: 'read'; partition: string; offset: number; length: number }
  | { type: 'program'; partition: string; offset: number; bytes: Uint8Array }
  | { type: 'erase'; partition: string; offset: number }
  | { type: 'sync'; partition: string };

/** Mono, 16 bit; `frame` is samples a frame. */
export interface AudioFormat {
  rate: 8000 | 16000 | 48000;
  frame: number;
}
export interface AudioStream {
  close(): void;
}
export interface Audio {
  /** The device pulls frames at its own pace. */
  open(format: AudioFormat, pull: (out: Int16Array, at: Micros) => void): Result<AudioStream, HalError>;
  openInput?(format: AudioFormat, push: (pcm: Int16Array, at: Micros) => void): Result<AudioStream, HalError>;
}

export interface GpioLine {
  name: string;
  kind: 'relay' | 'strobe' | 'led' | 'button' | 'input' | 'amplifier';
}
export interface Gpio {
  lines: readonly GpioLine[];
  set(line: string, on: boolean): Result<void, HalError>;
  edges$: Observable<{ line: string; on: boolean; at: Micros }>;
}

export type HashName = 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512' | 'sha512-256';
export type SignatureAlgorithm =
  | { type: 'rsa-pkcs1' | 'ecdsa'; hash: HashName }
  | { type: 'rsa-pss'; hash: HashName; salt: number }
  | { type: 'ed25519' };
/** Opaque: bytes in a file, or a slot of a secure element. */
export interface PrivateKey {
  readonly spki: Der;
}
/** Synchronous; ECDSA signatures are DER. Never throws on hostile keys or signatures: `verify` answers false. */
export interface Crypto {
  digest(algorithm: HashName, ...data: readonly Uint8Array[]): Uint8Array;
  hmac(algorithm: HashName, key: Uint8Array, ...data: readonly Uint8Array[]): Uint8Array;
  verify(algorithm: SignatureAlgorithm, spki: Der, data: Uint8Array, signature: Uint8Array): boolean;
  sign(algorithm: SignatureAlgorithm, key: PrivateKey, data: Uint8Array): Uint8Array;
  importKey(pkcs8: Der): Result<PrivateKey, HalError>;
  generateKey(type: 'rsa-2048' | 'ec-p256', done: Done<{ key: PrivateKey; pkcs8: Der }>): void;
}

export interface System {
  boot: { reason: 'power' | 'reboot' | 'watchdog' | 'brownout' };
  reboot(why: string): void;
  watchdog: { kick(): void };
}
