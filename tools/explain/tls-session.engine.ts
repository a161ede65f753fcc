/** Follows one TLS connection from outside: reads what is in clear, opens what the secrets open, and keeps what tells people something. */
import { hex, latin1 } from '../../hal/base/bytes.js';
import type { UnixMicros } from '../../hal/layers/pcapng.codec.js';
import {
  alertName,
  ContentType,
  decodeClientHello,
  decodeServerHello,
  HandshakeType,
  TlsExtension,
  VERSION,
} from '../../hal/layers/tls-wire.codec.js';
import { decodeAuthorities, decodeCertificates, type HandshakeMessage, HandshakeReader } from './handshake.codec.js';
import type { SecretLabel, Secrets } from './key-log.codec.js';
import { expandLabel } from './key-schedule.js';
import { Aead13, type MasterKeys, type Opened, openingCipher, type RecordCipher } from './record-cipher.js';
import { type SuiteShape, suiteShape } from './suite-shape.js';
import { RecordReader, type TlsRecord } from './tls-record.engine.js';
import { emptyView, otherRole, type Role, type TlsView } from './tls-view.js';

const ROLES = ['client', 'server'] as const;
const FATAL = 2;
/** Ours: enough for the first line of a request or an answer. */
const CLEAR_KEPT = 2048;
/** Ours: the handshake of TLS 1.3 is over by then. */
const SEALED_KEPT = 16;
/** Ours: a server that warns again and again need not be quoted each time. */
const ALERTS_KEPT = 16;

interface Direction {
  reader: RecordReader;
  messages: HandshakeReader;
  /** Records are protected from here on (TLS 1.2 and older: after ChangeCipherSpec). */
  sealed: boolean;
  cipher: RecordCipher | undefined;
}

export class TlsSession {
  readonly view: TlsView;
  readonly #keys: ReadonlyMap<string, Secrets>;
  readonly #directions: Record<Role, Direction>;
  #secrets: Secrets | undefined;

  constructor(keys: ReadonlyMap<string, Secrets>, began: UnixMicros) {
    this.#keys = keys;
    this.view = emptyView(began);
    this.#directions = { client: this.#direction('client'), server: this.#direction('server') };
  }

  push(role: Role, bytes: Uint8Array, at: UnixMicros): void {
    this.#directions[role].reader.push(bytes, at);
  }

  missing(role: Role, octets: number, at: UnixMicros): void {
    this.#directions[role].reader.missing(octets, at);
  }

  #direction(role: Role): Direction {
    const reader = new RecordReader({ record: (record) => this.#record(role, record), lost: () => this.#lost(role) });
    return { reader, messages: new HandshakeReader(), sealed: false, cipher: undefined };
  }

  /** Without their count no further record of this direction can be opened. */
  #lost(role: Role): void {
    const direction = this.#directions[role];
    direction.messages.drop();
    direction.cipher = undefined;
    this.view.sides[role].lost = true;
  }

  /** Known from the first word of the server, be it a retry. */
  get #version(): number {
    return (this.view.chosen ?? this.view.retry)?.version ?? 0;
  }

  #record(role: Role, record: TlsRecord): void {
    const direction = this.#directions[role];
    const is13 = this.#version >= VERSION['1.3'];
    if (record.type === ContentType.changeCipherSpec) {
      // TLS 1.3 sends them for the eyes of middleboxes, some before the server has said anything (RFC 8446 D.4).
      if (this.view.chosen && !is13) this.#protect(role);
      return;
    }
    // TLS 1.3 dresses everything that it protects as application data, and an alert in clear is of two octets.
    const looksSealed = record.type === ContentType.applicationData || (record.type === ContentType.alert && record.body.length !== 2);
    const isSealed = looksSealed || (!is13 && direction.sealed);
    const opened = isSealed ? this.#open(role, record) : { type: record.type, bytes: record.body };
    if (!opened) return this.#unopened(role, record);
    this.#content(role, opened, record);
  }

  #content(role: Role, { type, bytes }: Opened, { at, whole }: TlsRecord): void {
    if (type === ContentType.alert && bytes.length >= 2) this.#alert(role, at, bytes);
    else if (type === ContentType.applicationData) {
      const side = this.view.sides[role];
      side.records++;
      side.clear += latin1(bytes.subarray(0, CLEAR_KEPT - side.clear.length));
    } else if (type === ContentType.handshake)
      for (const message of this.#directions[role].messages.push(bytes, at, whole)) this.#message(role, message);
  }

  #alert(by: Role, at: UnixMicros, bytes: Uint8Array): void {
    if (this.view.alerts.length < ALERTS_KEPT) this.view.alerts.push({ by, at, name: alertName(bytes[1]!), fatal: bytes[0] === FATAL });
  }

  #message(role: Role, { type, body, at, whole }: HandshakeMessage): void {
    const { view } = this;
    const side = view.sides[role];
    const isHello = type === HandshakeType.clientHello || type === HandshakeType.serverHello;
    // A hello with a hole still tells something, a certificate does not; and in a capture that begins later anything may look like one.
    if (!isHello && (!whole || view.hellos.length === 0)) return;
    switch (type) {
      case HandshakeType.clientHello:
        return this.#clientHello(body);
      case HandshakeType.serverHello:
        return this.#serverHello(body);
      case HandshakeType.certificate:
        side.certificates ??= { at, chain: decodeCertificates(body, this.#version) };
        return;
      case HandshakeType.compressedCertificate:
        view.compressed = true;
        return;
      case HandshakeType.certificateRequest:
        view.request ??= { at, authorities: decodeAuthorities(body, this.#version) };
        return;
      case HandshakeType.finished:
        side.finished = true;
        return;
      default:
    }
  }

  #clientHello(body: Uint8Array): void {
    const hello = decodeClientHello(body);
    if (this.view.hellos.length < 2) this.view.hellos.push(hello);
    this.#secrets = this.#keys.get(hex(hello.random));
    this.view.hasSecrets = this.#secrets !== undefined;
  }

  #serverHello(body: Uint8Array): void {
    const hello = decodeServerHello(body);
    if (hello.retry) {
      this.view.retry = hello;
      return;
    }
    this.view.chosen ??= hello;
    if (hello.version < VERSION['1.3']) return;
    this.view.resumed = hello.extensions.has(TlsExtension.preSharedKey);
    const shape = suiteShape(hello.suite);
    for (const role of ROLES) this.#directions[role].cipher = shape && this.#secrets ? new Phases13(shape, this.#secrets, role) : undefined;
  }

  /** ChangeCipherSpec: what this end sends from now on is protected; where no certificate came before it, a session goes on (RFC 5246 7.3). */
  #protect(role: Role): void {
    const direction = this.#directions[role];
    const { chosen, sides, hellos } = this.view;
    // A second one begins a renegotiation, whose secrets are others.
    direction.cipher = direction.sealed || !chosen ? undefined : this.#cipher12(role);
    direction.sealed = true;
    sides[role].finished = true;
    if (role === 'server' && chosen && hellos.length > 0 && !sides.server.certificates && !sides.client.finished) this.view.resumed = true;
  }

  #cipher12(role: Role): RecordCipher | undefined {
    const { chosen, hellos } = this.view;
    const master = this.#secrets?.get('CLIENT_RANDOM' satisfies SecretLabel);
    const shape = chosen && suiteShape(chosen.suite);
    if (!chosen || !hellos[0] || !master || !shape) return undefined;
    const keys: MasterKeys = {
      version: chosen.version,
      shape,
      master,
      clientRandom: hellos[0].random,
      serverRandom: chosen.random,
      encryptThenMac: chosen.extensions.has(TlsExtension.encryptThenMac),
    };
    return openingCipher(keys, role);
  }

  #open(role: Role, record: TlsRecord): Opened | undefined {
    return record.whole ? this.#directions[role].cipher?.open(record) : undefined;
  }

  #unopened(role: Role, record: TlsRecord): void {
    const side = this.view.sides[role];
    side.closed = true;
    if (record.type === ContentType.alert) {
      // TLS 1.2 shows that it is one, and hides which.
      if (this.view.alerts.length < ALERTS_KEPT) this.view.alerts.push({ by: role, at: record.at, fatal: false });
      return;
    }
    if (record.type !== ContentType.applicationData) return;
    if (this.#version < VERSION['1.3']) {
      side.records++;
      return;
    }
    const reply = this.view.sides[otherRole(role)].sealed.length > 0;
    if (side.sealed.length < SEALED_KEPT) side.sealed.push({ length: record.body.length, at: record.at, reply });
  }
}

/**
 * One direction of TLS 1.3: early, handshake and application secrets follow one another, and key updates after them (RFC 8446 7.2). Which
 * one a record is under need not be reckoned: the tag tells, so the next is tried where the present one does not fit.
 */
class Phases13 implements RecordCipher {
  readonly #shape: SuiteShape;
  readonly #secrets: Uint8Array[];
  #present: RecordCipher | undefined;
  #last: Uint8Array | undefined;

  constructor(shape: SuiteShape, secrets: Secrets, role: Role) {
    this.#shape = shape;
    this.#secrets = LABELS[role].flatMap((label) => secrets.get(label) ?? []);
  }

  open(record: TlsRecord): Opened | undefined {
    const opened = this.#present?.open(record);
    if (opened) return opened;
    for (const [i, secret] of this.#following().entries()) {
      const next = new Aead13(this.#shape, secret);
      const first = next.open(record);
      if (!first) continue;
      this.#secrets.splice(0, i + 1);
      this.#present = next;
      this.#last = secret;
      return first;
    }
    return undefined;
  }

  /** Once the logged secrets are used up, what a key update makes of the last one. */
  #following(): Uint8Array[] {
    if (this.#secrets.length > 0 || !this.#last) return [...this.#secrets];
    return [expandLabel(this.#shape.hash, this.#last, 'traffic upd', this.#last.length)];
  }
}

const LABELS: Readonly<Record<Role, readonly SecretLabel[]>> = {
  client: ['CLIENT_EARLY_TRAFFIC_SECRET', 'CLIENT_HANDSHAKE_TRAFFIC_SECRET', 'CLIENT_TRAFFIC_SECRET_0'],
  server: ['SERVER_HANDSHAKE_TRAFFIC_SECRET', 'SERVER_TRAFFIC_SECRET_0'],
};
