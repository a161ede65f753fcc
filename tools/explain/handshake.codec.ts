/** Handshake messages that tell of certificates (RFC 5246 7.4.2, 7.4.4; RFC 8446 4.3.2, 4.4.2), and how messages are cut from records. */
import { readDer } from '../../core/certs/asn1.js';
import { type Name, readName } from '../../core/certs/name.codec.js';
import type { Der } from '../../hal/hal.js';
import { eachOf, OctetCursor } from '../../hal/layers/octet-cursor.js';
import type { UnixMicros } from '../../hal/layers/pcapng.codec.js';
import { readExtensions, TlsExtension, VERSION } from '../../hal/layers/tls-wire.codec.js';
import { OctetGatherer } from './octet-gatherer.js';

export interface HandshakeMessage {
  type: number;
  body: Uint8Array;
  /** When its last octet came. */
  at: UnixMicros;
  /** The capture has every octet of it; those that it lacks are zeros. */
  whole: boolean;
}

const HEADER = 4;
/** Ours: OpenSSL takes certificate lists of up to 100 KiB. */
const MOST_OCTETS = 2 ** 17;

/** One direction: messages may share a record, and may be spread over several. */
export class HandshakeReader {
  readonly #held = new OctetGatherer();
  #whole = true;

  push(bytes: Uint8Array, at: UnixMicros, whole: boolean): HandshakeMessage[] {
    this.#held.push(bytes);
    this.#whole &&= whole;
    const messages: HandshakeMessage[] = [];
    while (this.#held.length >= HEADER) {
      const header = new OctetCursor(this.#held.peek(HEADER));
      const type = header.uint(1);
      const length = header.uint(3);
      if (length > MOST_OCTETS) this.drop();
      if (this.#held.length < HEADER + length) break;
      messages.push({ type, body: this.#held.take(HEADER + length).subarray(HEADER), at, whole: this.#whole });
    }
    if (this.#held.length === 0) this.#whole = true;
    return messages;
  }

  /** What came so far cannot be finished. */
  drop(): void {
    this.#held.clear();
    this.#whole = true;
  }
}

/** Ours: one more than a device takes, so that a longer list is still seen to be too long. */
const MOST_CERTIFICATES = 33;
/** Ours: servers that name every public CA name 150. */
const MOST_AUTHORITIES = 256;

/** The certificates of a Certificate message, leaf first. */
export function decodeCertificates(body: Uint8Array, version: number): Der[] {
  const cursor = new OctetCursor(body);
  const is13 = version >= VERSION['1.3'];
  if (is13) cursor.vector(1);
  const chain = eachOf(cursor.vector(3), (each) => {
    const certificate = each.vector(3);
    if (is13) each.vector(2);
    return certificate;
  });
  return chain.slice(0, MOST_CERTIFICATES);
}

/** The authorities that a CertificateRequest names; none means that any will do, or that the server does not say. */
export function decodeAuthorities(body: Uint8Array, version: number): Name[] {
  const cursor = new OctetCursor(body);
  cursor.vector(1);
  if (version >= VERSION['1.3']) {
    const named = readExtensions(cursor).get(TlsExtension.certificateAuthorities);
    return named ? names(new OctetCursor(named).vector(2)) : [];
  }
  if (version === VERSION['1.2']) cursor.vector(2);
  return names(cursor.vector(2));
}

const names = (list: Uint8Array): Name[] =>
  eachOf(list, (each) => each.vector(2))
    .slice(0, MOST_AUTHORITIES)
    .flatMap((der) => {
      const name = readDer(der, readName);
      return name.ok ? [name.value] : [];
    });
