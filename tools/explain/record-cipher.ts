/** Opens protected TLS records: AEAD of 1.3 (RFC 8446 5.2) and 1.2 (RFC 5246 6.2.3.3, RFC 7905), and CBC of 1.0 to 1.2. */
import { createDecipheriv, createHmac, type DecipherGCM, timingSafeEqual } from 'node:crypto';
import { concat, EMPTY, putU16, putU32 } from '../../hal/base/bytes.js';
import { VERSION } from '../../hal/layers/tls-wire.codec.js';
import { expandLabel, keyBlock } from './key-schedule.js';
import type { SuiteShape } from './suite-shape.js';

export interface SealedRecord {
  header: Uint8Array;
  body: Uint8Array;
}

export interface Opened {
  type: number;
  bytes: Uint8Array;
}

/** Opens the records of one direction one after another; undefined where the key or the count is not the right one, which costs nothing. */
export interface RecordCipher {
  open(record: SealedRecord): Opened | undefined;
}

/** Records of TLS 1.3 under one traffic secret. */
export class Aead13 implements RecordCipher {
  readonly #key: Uint8Array;
  readonly #iv: Uint8Array;
  #sequence = 0;

  constructor(
    readonly shape: SuiteShape,
    secret: Uint8Array,
  ) {
    this.#key = expandLabel(shape.hash, secret, 'key', shape.key);
    this.#iv = expandLabel(shape.hash, secret, 'iv', IV_OCTETS);
  }

  open({ header, body }: SealedRecord): Opened | undefined {
    const inner = openAead(this.shape, this.#key, sequenceNonce(this.#iv, this.#sequence), header, body);
    if (!inner) return undefined;
    this.#sequence++;
    let end = inner.length;
    while (end > 0 && inner[end - 1] === 0) end--;
    return end === 0 ? { type: 0, bytes: EMPTY } : { type: inner[end - 1]!, bytes: inner.subarray(0, end - 1) };
  }
}

/** What both directions of TLS 1.2 and older are opened with. */
export interface MasterKeys {
  version: number;
  shape: SuiteShape;
  master: Uint8Array;
  clientRandom: Uint8Array;
  serverRandom: Uint8Array;
  encryptThenMac: boolean;
}

export function openingCipher(keys: MasterKeys, role: 'client' | 'server'): RecordCipher {
  const { shape } = keys;
  const mac = shape.mode === 'cbc' ? MAC_OCTETS[shape.mac] : 0;
  const iv = shape.mode === 'cbc' ? shape.size : shape.mode === 'chacha' ? IV_OCTETS : SALT_OCTETS;
  const block = keyBlock(keys.version, shape, keys.master, concat(keys.serverRandom, keys.clientRandom), 2 * (mac + shape.key + iv));
  const pick = (from: number, length: number): Uint8Array => block.subarray(from, from + length);
  const own = role === 'client' ? 0 : 1;
  const secrets = {
    mac: pick(own * mac, mac),
    key: pick(2 * mac + own * shape.key, shape.key),
    iv: pick(2 * (mac + shape.key) + own * iv, iv),
  };
  return shape.mode === 'cbc' ? new Cbc(keys, secrets) : new Aead12(shape, secrets);
}

interface DirectionKeys {
  mac: Uint8Array;
  key: Uint8Array;
  iv: Uint8Array;
}

const IV_OCTETS = 12;
/** RFC 5288 3: an implicit salt; the rest of the nonce stands in front of each record. */
const SALT_OCTETS = 4;
const EXPLICIT_OCTETS = 8;
const MAC_OCTETS = { md5: 16, sha1: 20, sha256: 32, sha384: 48 } as const;

class Aead12 implements RecordCipher {
  #sequence = 0;

  constructor(
    readonly shape: SuiteShape,
    readonly keys: DirectionKeys,
  ) {}

  open({ header, body }: SealedRecord): Opened | undefined {
    const { shape, keys } = this;
    const explicit = shape.mode === 'chacha' ? 0 : EXPLICIT_OCTETS;
    if (body.length < explicit + shape.size) return undefined;
    const nonce = explicit === 0 ? sequenceNonce(keys.iv, this.#sequence) : concat(keys.iv, body.subarray(0, explicit));
    const sealed = body.subarray(explicit);
    const bytes = openAead(shape, keys.key, nonce, covered(this.#sequence, header, sealed.length - shape.size), sealed);
    if (!bytes) return undefined;
    this.#sequence++;
    return { type: header[0]!, bytes };
  }
}

class Cbc implements RecordCipher {
  #sequence = 0;
  /** TLS 1.0: the last block of the record before. */
  #iv: Uint8Array;

  constructor(
    readonly settings: MasterKeys,
    readonly keys: DirectionKeys,
  ) {
    this.#iv = keys.iv;
  }

  open({ header, body }: SealedRecord): Opened | undefined {
    const { shape, version, encryptThenMac } = this.settings;
    const mac = MAC_OCTETS[shape.mac];
    const sealed = encryptThenMac ? body.subarray(0, Math.max(0, body.length - mac)) : body;
    const explicit = version >= VERSION['1.1'] ? shape.size : 0;
    const blocks = sealed.subarray(explicit);
    if (blocks.length === 0 || blocks.length % shape.size !== 0) return undefined;
    if (encryptThenMac && !this.#proves(header, sealed, body.subarray(sealed.length))) return undefined;
    const clear = decrypt(shape, this.keys.key, explicit > 0 ? sealed.subarray(0, explicit) : this.#iv, blocks);
    const end = clear.length - 1 - clear.at(-1)!;
    const bytes = clear.subarray(0, Math.max(0, encryptThenMac ? end : end - mac));
    if (!encryptThenMac && !this.#proves(header, bytes, clear.subarray(bytes.length, Math.max(0, end)))) return undefined;
    this.#iv = blocks.subarray(blocks.length - shape.size);
    this.#sequence++;
    return { type: header[0]!, bytes };
  }

  #proves(header: Uint8Array, content: Uint8Array, tag: Uint8Array): boolean {
    const expected = createHmac(this.settings.shape.mac, this.keys.mac)
      .update(covered(this.#sequence, header, content.length))
      .update(content)
      .digest();
    return expected.length === tag.length && timingSafeEqual(expected, tag);
  }
}

function decrypt(shape: SuiteShape, key: Uint8Array, iv: Uint8Array, blocks: Uint8Array): Uint8Array {
  const decipher = createDecipheriv(shape.cipher, key, iv).setAutoPadding(false);
  return concat(decipher.update(blocks), decipher.final());
}

function openAead(shape: SuiteShape, key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  const length = sealed.length - shape.size;
  if (length < 0) return undefined;
  try {
    // One signature for three modes: node:crypto types them apart by the names of their ciphers.
    const decipher = createDecipheriv(shape.cipher as 'aes-128-gcm', key, nonce, { authTagLength: shape.size }) as DecipherGCM;
    decipher.setAuthTag(sealed.subarray(length));
    decipher.setAAD(aad, { plaintextLength: length });
    return concat(decipher.update(sealed.subarray(0, length)), decipher.final());
  } catch {
    return undefined; // The tag is not that of this key, number and header.
  }
}

/** RFC 8446 5.3: the number of the record, over the end of the IV. */
function sequenceNonce(iv: Uint8Array, sequence: number): Uint8Array {
  const nonce = iv.slice();
  const number = sequenceOctets(sequence);
  for (let i = 0; i < number.length; i++) nonce[i + IV_OCTETS - number.length]! ^= number[i]!;
  return nonce;
}

/** RFC 5246 6.2.3.1: number, type, version, length of the content. */
function covered(sequence: number, header: Uint8Array, length: number): Uint8Array {
  const head = concat(sequenceOctets(sequence), header);
  putU16(head, head.length - 2, length);
  return head;
}

function sequenceOctets(sequence: number): Uint8Array {
  const octets = new Uint8Array(8);
  putU32(octets, 0, Math.floor(sequence / 2 ** 32));
  putU32(octets, 4, sequence % 2 ** 32);
  return octets;
}
