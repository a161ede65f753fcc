/** Record keys from the secrets of a key log: HKDF of TLS 1.3 (RFC 8446 7.1), PRF of 1.2 (RFC 5246 5) and of 1.0 and 1.1 (RFC 2246 5). */
import { createHmac } from 'node:crypto';
import { concat, fromLatin1 } from '../../hal/base/bytes.js';
import { VERSION } from '../../hal/layers/tls-wire.codec.js';
import type { SuiteShape } from './suite-shape.js';

type Hash = 'md5' | 'sha1' | 'sha256' | 'sha384';

const hmac = (hash: Hash, key: Uint8Array, ...data: Uint8Array[]): Uint8Array =>
  new Uint8Array(data.reduce((mac, part) => mac.update(part), createHmac(hash, key)).digest());

/** HKDF-Expand-Label with an empty context, for no more than the hash is long. */
export function expandLabel(hash: SuiteShape['hash'], secret: Uint8Array, label: string, length: number): Uint8Array {
  const full = fromLatin1(`tls13 ${label}`);
  const info = concat(Uint8Array.of(length >> 8, length & 0xff, full.length), full, Uint8Array.of(0));
  return hmac(hash, secret, info, Uint8Array.of(1)).subarray(0, length);
}

/** `length` octets of key block from a master secret. */
export function keyBlock(version: number, shape: SuiteShape, master: Uint8Array, seed: Uint8Array, length: number): Uint8Array {
  const labelled = concat(fromLatin1('key expansion'), seed);
  if (version >= VERSION['1.2']) return pHash(shape.hash, master, labelled, length);
  const half = (master.length + 1) >> 1;
  const md5 = pHash('md5', master.subarray(0, half), labelled, length);
  const sha1 = pHash('sha1', master.subarray(master.length - half), labelled, length);
  return md5.map((octet, i) => octet ^ sha1[i]!);
}

/** RFC 5246 5. */
function pHash(hash: Hash, secret: Uint8Array, seed: Uint8Array, length: number): Uint8Array {
  const blocks: Uint8Array[] = [];
  let a = seed;
  for (let have = 0; have < length; have += blocks.at(-1)!.length) {
    a = hmac(hash, secret, a);
    blocks.push(hmac(hash, secret, a, seed));
  }
  return concat(...blocks).subarray(0, length);
}
