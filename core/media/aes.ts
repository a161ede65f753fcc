/**
 * AES (FIPS 197) in counter mode over bytes in place: encryption only, which is all that counter mode and GCM need.
 *
 * Table lookups by secret bytes are not constant-time: whoever runs code on the same processor may learn keys from its cache.
 * A paging endpoint runs no foreign code; on a machine that does, give the core a platform with AES instructions instead.
 */

const SBOX = new Uint8Array(256);
/** Column tables: substitution, row shift and column mix of one byte, rotated for each of the four rows (FIPS 197 5.1). */
const T0 = new Int32Array(256);
const T1 = new Int32Array(256);
const T2 = new Int32Array(256);
const T3 = new Int32Array(256);

const double = (x: number): number => ((x << 1) ^ (x & 0x80 ? 0x11b : 0)) & 0xff;

function fillTables(): void {
  // p runs through the field by its generator 3, q through the inverses by 1/3 = 0xf6 (FIPS 197 5.1.1).
  let p = 1;
  let q = 1;
  do {
    p = p ^ double(p);
    q ^= q << 1;
    q ^= q << 2;
    q ^= q << 4;
    q = (q ^ (q & 0x80 ? 0x09 : 0)) & 0xff;
    const spread = q | (q << 8);
    SBOX[p] = 0x63 ^ q ^ (spread >> 7) ^ (spread >> 6) ^ (spread >> 5) ^ (spread >> 4);
  } while (p !== 1);
  SBOX[0] = 0x63;
  for (let i = 0; i < 256; i++) {
    const s = SBOX[i]!;
    const t = (double(s) << 24) | (s << 16) | (s << 8) | (double(s) ^ s);
    T0[i] = t;
    T1[i] = (t >>> 8) | (t << 24);
    T2[i] = (t >>> 16) | (t << 16);
    T3[i] = (t >>> 24) | (t << 8);
  }
}
fillTables();

const substituted = (w: number): number =>
  (SBOX[w >>> 24]! << 24) | (SBOX[(w >>> 16) & 255]! << 16) | (SBOX[(w >>> 8) & 255]! << 8) | SBOX[w & 255]!;

/** Round keys as big-endian words, for a key of 16 or 32 octets (FIPS 197 5.2). */
export type AesKeySchedule = Int32Array;

export function expandAesKey(key: Uint8Array): AesKeySchedule {
  const words = key.length / 4;
  const schedule = new Int32Array(4 * (words + 7));
  for (let i = 0; i < words; i++) {
    schedule[i] = (key[4 * i]! << 24) | (key[4 * i + 1]! << 16) | (key[4 * i + 2]! << 8) | key[4 * i + 3]!;
  }
  let constant = 1;
  for (let i = words; i < schedule.length; i++) {
    let t = schedule[i - 1]!;
    if (i % words === 0) {
      t = substituted((t << 8) | (t >>> 24)) ^ (constant << 24);
      constant = double(constant);
    } else if (words > 6 && i % words === 4) t = substituted(t);
    schedule[i] = schedule[i - words]! ^ t;
  }
  return schedule;
}

/**
 * XORs the key stream over `bytes[from, to)`. The counter block is four big-endian words, and block n uses `c3 + n`: the callers'
 * counters start where 32 bits cannot overflow within a packet. Allocates nothing.
 */
export function aesCounterXor(
  k: AesKeySchedule,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  bytes: Uint8Array,
  from: number,
  to: number,
): void {
  const last = k.length - 4;
  const [i0, i1, i2] = [c0 ^ k[0]!, c1 ^ k[1]!, c2 ^ k[2]!];
  for (let at = from, counter = c3; at < to; at += 16, counter++) {
    let s0 = i0;
    let s1 = i1;
    let s2 = i2;
    let s3 = counter ^ k[3]!;
    for (let r = 4; r < last; r += 4) {
      const t0 = T0[s0 >>> 24]! ^ T1[(s1 >>> 16) & 255]! ^ T2[(s2 >>> 8) & 255]! ^ T3[s3 & 255]! ^ k[r]!;
      const t1 = T0[s1 >>> 24]! ^ T1[(s2 >>> 16) & 255]! ^ T2[(s3 >>> 8) & 255]! ^ T3[s0 & 255]! ^ k[r + 1]!;
      const t2 = T0[s2 >>> 24]! ^ T1[(s3 >>> 16) & 255]! ^ T2[(s0 >>> 8) & 255]! ^ T3[s1 & 255]! ^ k[r + 2]!;
      s3 = T0[s3 >>> 24]! ^ T1[(s0 >>> 16) & 255]! ^ T2[(s1 >>> 8) & 255]! ^ T3[s2 & 255]! ^ k[r + 3]!;
      s0 = t0;
      s1 = t1;
      s2 = t2;
    }
    xorWord(bytes, at, to, lastRound(s0, s1, s2, s3) ^ k[last]!);
    xorWord(bytes, at + 4, to, lastRound(s1, s2, s3, s0) ^ k[last + 1]!);
    xorWord(bytes, at + 8, to, lastRound(s2, s3, s0, s1) ^ k[last + 2]!);
    xorWord(bytes, at + 12, to, lastRound(s3, s0, s1, s2) ^ k[last + 3]!);
  }
}

const lastRound = (a: number, b: number, c: number, d: number): number =>
  (SBOX[a >>> 24]! << 24) | (SBOX[(b >>> 16) & 255]! << 16) | (SBOX[(c >>> 8) & 255]! << 8) | SBOX[d & 255]!;

function xorWord(bytes: Uint8Array, at: number, to: number, word: number): void {
  if (at + 4 <= to) {
    bytes[at]! ^= word >>> 24;
    bytes[at + 1]! ^= word >>> 16;
    bytes[at + 2]! ^= word >>> 8;
    bytes[at + 3]! ^= word;
  } else {
    for (let i = at, shift = 24; i < to; i++, shift -= 8) bytes[i]! ^= word >>> shift;
  }
}
