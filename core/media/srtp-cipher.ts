/**
 * How a suite protects one packet whose index is known: session keys (RFC 3711 4.3), then counter mode with HMAC-SHA-1 (RFC 3711 4) or
 * Galois/Counter Mode (RFC 7714).
 */
import { u16, u32 } from '../../hal/base/bytes.js';
import { type AesKeySchedule, aesCounterXor, expandAesKey } from './aes.js';
import { Ghash } from './ghash.js';
import { HmacSha1 } from './sha1.js';
import { SRTP_SUITES, type SrtpKey } from './srtp-suites.js';

/** Works in place and allocates nothing. Lengths in octets; `header` is where the payload begins. */
export interface SrtpCipher {
  /** Encrypts `packet[header, length)` and appends the tag; returns the new length. */
  seal(packet: Uint8Array, header: number, length: number, roc: number): number;
  /** Returns the length without the tag, or 0, with nothing changed, where the tag is wrong. */
  open(packet: Uint8Array, header: number, length: number, roc: number): number;
}

/** Labels of RFC 3711 4.3.1. */
const ENCRYPTION = 0x00;
const AUTHENTICATION = 0x01;
const SALT = 0x02;
/** HMAC-SHA-1 keys have 160 bits (RFC 3711 8.2). */
const AUTHENTICATION_KEY = 20;

/**
 * The key derivation of RFC 3711 4.3.1 at rate 0, by AES in counter mode with the master key (RFC 6188 3.1 for 256 bits): `length` octets
 * for `label`. A salt of 96 bits is padded on the right (RFC 7714 11).
 */
export function deriveSrtpKey(masterKey: Uint8Array, masterSalt: Uint8Array, label: number, length: number): Uint8Array {
  const x = new Uint8Array(16);
  x.set(masterSalt);
  x[7]! ^= label;
  const out = new Uint8Array(length);
  aesCounterXor(expandAesKey(masterKey), u32(x, 0), u32(x, 4), u32(x, 8), u32(x, 12), out, 0, length);
  return out;
}

export function createSrtpCipher(key: SrtpKey): SrtpCipher {
  const shape = SRTP_SUITES[key.suite];
  const derive = (label: number, length: number): Uint8Array =>
    deriveSrtpKey(key.material.subarray(0, shape.key), key.material.subarray(shape.key, shape.key + shape.salt), label, length);
  const sessionKey = derive(ENCRYPTION, shape.key);
  const salt = derive(SALT, shape.salt);
  const mki = key.mkiLength ?? 0;
  if (shape.cipher === 'gcm') return new GcmCipher(sessionKey, salt, mki);
  return new CounterCipher(sessionKey, salt, derive(AUTHENTICATION, AUTHENTICATION_KEY), shape.tag, mki);
}

class CounterCipher implements SrtpCipher {
  readonly #schedule: AesKeySchedule;
  readonly #hmac: HmacSha1;
  readonly #tag: number;
  readonly #mki: number;
  /** Three words of the salt, and its last 16 bits. */
  readonly #salt = new Int32Array(4);

  constructor(key: Uint8Array, salt: Uint8Array, authentication: Uint8Array, tag: number, mki: number) {
    this.#schedule = expandAesKey(key);
    this.#salt.set([u32(salt, 0), u32(salt, 4), u32(salt, 8), u16(salt, 12)]);
    this.#hmac = new HmacSha1(authentication);
    this.#tag = tag;
    this.#mki = mki;
  }

  seal(packet: Uint8Array, header: number, length: number, roc: number): number {
    this.#xor(packet, header, length, roc);
    this.#hmac.update(packet, length, roc);
    for (let i = 0; i < this.#tag; i++) packet[length + i] = this.#tagOctet(i);
    return length + this.#tag;
  }

  open(packet: Uint8Array, header: number, length: number, roc: number): number {
    const end = length - this.#tag - this.#mki;
    if (end < header) return 0;
    this.#hmac.update(packet, end, roc);
    let difference = 0;
    // All octets are looked at, so that the time tells nothing about the first that differs.
    for (let i = 0, at = length - this.#tag; i < this.#tag; i++, at++) difference |= packet[at]! ^ this.#tagOctet(i);
    if (difference !== 0) return 0;
    this.#xor(packet, header, end, roc);
    return end;
  }

  #tagOctet(i: number): number {
    return (this.#hmac.words[i >> 2]! >>> (24 - 8 * (i & 3))) & 0xff;
  }

  /** The counter block of RFC 3711 4.1.1: salt * 2^16 XOR SSRC * 2^64 XOR index * 2^16. */
  #xor(packet: Uint8Array, from: number, to: number, roc: number): void {
    const s = this.#salt;
    aesCounterXor(this.#schedule, s[0]!, s[1]! ^ u32(packet, 8), s[2]! ^ roc, (s[3]! ^ u16(packet, 2)) << 16, packet, from, to);
  }
}

/** AEAD_AES_…_GCM tags are whole (RFC 7714 13.1). */
const GCM_TAG = 16;

class GcmCipher implements SrtpCipher {
  readonly #schedule: AesKeySchedule;
  readonly #ghash: Ghash;
  readonly #salt = new Int32Array(3);
  readonly #mki: number;
  readonly #tag = new Uint8Array(GCM_TAG);

  constructor(key: Uint8Array, salt: Uint8Array, mki: number) {
    this.#schedule = expandAesKey(key);
    const zero = new Uint8Array(GCM_TAG);
    aesCounterXor(this.#schedule, 0, 0, 0, 0, zero, 0, zero.length);
    this.#ghash = new Ghash(Int32Array.of(u32(zero, 0), u32(zero, 4), u32(zero, 8), u32(zero, 12)));
    this.#salt.set([u32(salt, 0), u32(salt, 4), u32(salt, 8)]);
    this.#mki = mki;
  }

  seal(packet: Uint8Array, header: number, length: number, roc: number): number {
    this.#xor(packet, roc, packet, 2, header, length);
    this.#computeTag(packet, header, length, roc);
    packet.set(this.#tag, length);
    return length + GCM_TAG;
  }

  /** The MKI stands behind the tag, which belongs to the cipher text here (RFC 7714 5.2). */
  open(packet: Uint8Array, header: number, length: number, roc: number): number {
    const end = length - GCM_TAG - this.#mki;
    if (end < header) return 0;
    this.#computeTag(packet, header, end, roc);
    let difference = 0;
    for (let i = 0; i < GCM_TAG; i++) difference |= packet[end + i]! ^ this.#tag[i]!;
    if (difference !== 0) return 0;
    this.#xor(packet, roc, packet, 2, header, end);
    return end;
  }

  #computeTag(packet: Uint8Array, header: number, end: number, roc: number): void {
    const hash = this.#ghash;
    hash.reset();
    hash.absorb(packet, 0, header);
    hash.absorb(packet, header, end);
    hash.absorbLengths(header, end - header);
    for (let i = 0; i < GCM_TAG; i++) this.#tag[i] = hash.words[i >> 2]! >>> (24 - 8 * (i & 3));
    this.#xor(packet, roc, this.#tag, 1, 0, GCM_TAG);
  }

  /** Key stream from block `counter` on; the nonce is salt XOR (0, SSRC, roll-over counter, sequence number) (RFC 7714 8.1). */
  #xor(packet: Uint8Array, roc: number, bytes: Uint8Array, counter: number, from: number, to: number): void {
    const s = this.#salt;
    const ssrc = u32(packet, 8);
    const n0 = s[0]! ^ (ssrc >>> 16);
    const n1 = s[1]! ^ ((ssrc << 16) | (roc >>> 16));
    const n2 = s[2]! ^ ((roc << 16) | u16(packet, 2));
    aesCounterXor(this.#schedule, n0, n1, n2, counter, bytes, from, to);
  }
}
