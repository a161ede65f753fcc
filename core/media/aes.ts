/**
 * AES (FIPS 197) in counter mode over bytes in place: encryption only, which is all that counter mode and GCM need.
 *
 * Table lookups by secret bytes are not constant-time: whoever runs code on the same processor may learn keys from its cache.
 * A paging endpoint runs no foreign code; on a machine that does, give the core a platform with AES instructions instead.
 */

import { u32 } from '../../hal/base/bytes.js';

const double = (x: number): number => ((x << 1) ^ (x & 0x80 ? 0x11b : 0)) & 0xff;

/** Of FIPS 197. S: the substitution of 5.1.1. T0 to T3: substitution, row shift and column mix of one octet, for each of the four rows. */
const tables = createTables();

function createTables(): { S: Uint8Array } & Record<'T0' | 'T1' | 'T2' | 'T3', Int32Array> {
  const S = substitution();
  const T0 = Int32Array.from(S, (s) => (double(s) << 24) | (s << 16) | (s << 8) | (double(s) ^ s));
  const turned = (bits: number): Int32Array => T0.map((t) => (t >>> bits) | (t << (32 - bits)));
  return { S, T0, T1: turned(8), T2: turned(16), T3: turned(24) };
}

function substitution(): Uint8Array {
  const S = new Uint8Array(256);
  S[0] = 0x63;
  // p runs through the field by its generator 3, q through the inverses by 1/3.
  let p = 1;
  let q = 1;
  do {
    p = p ^ double(p);
    q ^= q << 1;
    q ^= q << 2;
    q ^= q << 4;
    q = (q ^ (q & 0x80 ? 0x09 : 0)) & 0xff;
    const twice = q | (q << 8);
    S[p] = 0x63 ^ q ^ (twice >> 7) ^ (twice >> 6) ^ (twice >> 5) ^ (twice >> 4);
  } while (p !== 1);
  return S;
}

function substituted(word: number): number {
  const { S } = tables;
  return (S[word >>> 24]! << 24) | (S[(word >>> 16) & 255]! << 16) | (S[(word >>> 8) & 255]! << 8) | S[word & 255]!;
}

/**
 * Round keys as big-endian words, laid out for `encrypt`: the last eleven round keys first, so that the rounds which both key lengths
 * share find theirs at fixed places. For 256 bits the four keys before them follow, and then the first of the eleven again.
 */
export type AesKeySchedule = Int32Array;

/** Words of eleven round keys. */
const SHARED = 44;

/** For a key of 16 or 32 octets. */
export function expandAesKey(key: Uint8Array): AesKeySchedule {
  const inOrder = expand(key);
  const before = inOrder.length - SHARED;
  const schedule = new Int32Array(before === 0 ? SHARED : SHARED + before + 4);
  schedule.set(inOrder.subarray(before));
  if (before > 0) schedule.set(inOrder.subarray(0, before + 4), SHARED);
  return schedule;
}

/** FIPS 197 5.2. */
function expand(key: Uint8Array): Int32Array {
  const words = key.length / 4;
  const schedule = new Int32Array(4 * (words + 7));
  for (let i = 0; i < words; i++) schedule[i] = u32(key, 4 * i);
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

/** Encrypts the block of four big-endian words into `block`. */
type Encrypt = (k: AesKeySchedule, c0: number, c1: number, c2: number, c3: number) => void;

/** What `encrypt` leaves: one is enough, nothing runs between its making and its use. */
const block = new Int32Array(4);
const encrypt = createEncrypt();

/**
 * Unrolled, because a loop over the nine rounds takes twice the time; and made by a function, because only a function's constants stay
 * constants in a bundle: tables that the engine must read from a variable, and check each index of, take half as long again.
 */
function createEncrypt(): Encrypt {
  const { S, T0, T1, T2, T3 } = tables;
  const out = block;
  return (k, c0, c1, c2, c3) => {
    const first = k.length === SHARED ? 0 : SHARED;
    let s0 = c0 ^ k[first]!;
    let s1 = c1 ^ k[first + 1]!;
    let s2 = c2 ^ k[first + 2]!;
    let s3 = c3 ^ k[first + 3]!;
    let t0: number;
    let t1: number;
    let t2: number;
    let t3: number;
    // The four rounds that only a key of 256 bits has.
    for (let r = SHARED + 4; r < k.length; r += 4) {
      t0 = T0[s0 >>> 24]! ^ T1[(s1 >>> 16) & 255]! ^ T2[(s2 >>> 8) & 255]! ^ T3[s3 & 255]! ^ k[r]!;
      t1 = T0[s1 >>> 24]! ^ T1[(s2 >>> 16) & 255]! ^ T2[(s3 >>> 8) & 255]! ^ T3[s0 & 255]! ^ k[r + 1]!;
      t2 = T0[s2 >>> 24]! ^ T1[(s3 >>> 16) & 255]! ^ T2[(s0 >>> 8) & 255]! ^ T3[s1 & 255]! ^ k[r + 2]!;
      t3 = T0[s3 >>> 24]! ^ T1[(s0 >>> 16) & 255]! ^ T2[(s1 >>> 8) & 255]! ^ T3[s2 & 255]! ^ k[r + 3]!;
      s0 = t0;
      s1 = t1;
      s2 = t2;
      s3 = t3;
    }
    t0 = T0[s0 >>> 24]! ^ T1[(s1 >>> 16) & 255]! ^ T2[(s2 >>> 8) & 255]! ^ T3[s3 & 255]! ^ k[4]!;
    t1 = T0[s1 >>> 24]! ^ T1[(s2 >>> 16) & 255]! ^ T2[(s3 >>> 8) & 255]! ^ T3[s0 & 255]! ^ k[5]!;
    t2 = T0[s2 >>> 24]! ^ T1[(s3 >>> 16) & 255]! ^ T2[(s0 >>> 8) & 255]! ^ T3[s1 & 255]! ^ k[6]!;
    t3 = T0[s3 >>> 24]! ^ T1[(s0 >>> 16) & 255]! ^ T2[(s1 >>> 8) & 255]! ^ T3[s2 & 255]! ^ k[7]!;
    s0 = T0[t0 >>> 24]! ^ T1[(t1 >>> 16) & 255]! ^ T2[(t2 >>> 8) & 255]! ^ T3[t3 & 255]! ^ k[8]!;
    s1 = T0[t1 >>> 24]! ^ T1[(t2 >>> 16) & 255]! ^ T2[(t3 >>> 8) & 255]! ^ T3[t0 & 255]! ^ k[9]!;
    s2 = T0[t2 >>> 24]! ^ T1[(t3 >>> 16) & 255]! ^ T2[(t0 >>> 8) & 255]! ^ T3[t1 & 255]! ^ k[10]!;
    s3 = T0[t3 >>> 24]! ^ T1[(t0 >>> 16) & 255]! ^ T2[(t1 >>> 8) & 255]! ^ T3[t2 & 255]! ^ k[11]!;
    t0 = T0[s0 >>> 24]! ^ T1[(s1 >>> 16) & 255]! ^ T2[(s2 >>> 8) & 255]! ^ T3[s3 & 255]! ^ k[12]!;
    t1 = T0[s1 >>> 24]! ^ T1[(s2 >>> 16) & 255]! ^ T2[(s3 >>> 8) & 255]! ^ T3[s0 & 255]! ^ k[13]!;
    t2 = T0[s2 >>> 24]! ^ T1[(s3 >>> 16) & 255]! ^ T2[(s0 >>> 8) & 255]! ^ T3[s1 & 255]! ^ k[14]!;
    t3 = T0[s3 >>> 24]! ^ T1[(s0 >>> 16) & 255]! ^ T2[(s1 >>> 8) & 255]! ^ T3[s2 & 255]! ^ k[15]!;
    s0 = T0[t0 >>> 24]! ^ T1[(t1 >>> 16) & 255]! ^ T2[(t2 >>> 8) & 255]! ^ T3[t3 & 255]! ^ k[16]!;
    s1 = T0[t1 >>> 24]! ^ T1[(t2 >>> 16) & 255]! ^ T2[(t3 >>> 8) & 255]! ^ T3[t0 & 255]! ^ k[17]!;
    s2 = T0[t2 >>> 24]! ^ T1[(t3 >>> 16) & 255]! ^ T2[(t0 >>> 8) & 255]! ^ T3[t1 & 255]! ^ k[18]!;
    s3 = T0[t3 >>> 24]! ^ T1[(t0 >>> 16) & 255]! ^ T2[(t1 >>> 8) & 255]! ^ T3[t2 & 255]! ^ k[19]!;
    t0 = T0[s0 >>> 24]! ^ T1[(s1 >>> 16) & 255]! ^ T2[(s2 >>> 8) & 255]! ^ T3[s3 & 255]! ^ k[20]!;
    t1 = T0[s1 >>> 24]! ^ T1[(s2 >>> 16) & 255]! ^ T2[(s3 >>> 8) & 255]! ^ T3[s0 & 255]! ^ k[21]!;
    t2 = T0[s2 >>> 24]! ^ T1[(s3 >>> 16) & 255]! ^ T2[(s0 >>> 8) & 255]! ^ T3[s1 & 255]! ^ k[22]!;
    t3 = T0[s3 >>> 24]! ^ T1[(s0 >>> 16) & 255]! ^ T2[(s1 >>> 8) & 255]! ^ T3[s2 & 255]! ^ k[23]!;
    s0 = T0[t0 >>> 24]! ^ T1[(t1 >>> 16) & 255]! ^ T2[(t2 >>> 8) & 255]! ^ T3[t3 & 255]! ^ k[24]!;
    s1 = T0[t1 >>> 24]! ^ T1[(t2 >>> 16) & 255]! ^ T2[(t3 >>> 8) & 255]! ^ T3[t0 & 255]! ^ k[25]!;
    s2 = T0[t2 >>> 24]! ^ T1[(t3 >>> 16) & 255]! ^ T2[(t0 >>> 8) & 255]! ^ T3[t1 & 255]! ^ k[26]!;
    s3 = T0[t3 >>> 24]! ^ T1[(t0 >>> 16) & 255]! ^ T2[(t1 >>> 8) & 255]! ^ T3[t2 & 255]! ^ k[27]!;
    t0 = T0[s0 >>> 24]! ^ T1[(s1 >>> 16) & 255]! ^ T2[(s2 >>> 8) & 255]! ^ T3[s3 & 255]! ^ k[28]!;
    t1 = T0[s1 >>> 24]! ^ T1[(s2 >>> 16) & 255]! ^ T2[(s3 >>> 8) & 255]! ^ T3[s0 & 255]! ^ k[29]!;
    t2 = T0[s2 >>> 24]! ^ T1[(s3 >>> 16) & 255]! ^ T2[(s0 >>> 8) & 255]! ^ T3[s1 & 255]! ^ k[30]!;
    t3 = T0[s3 >>> 24]! ^ T1[(s0 >>> 16) & 255]! ^ T2[(s1 >>> 8) & 255]! ^ T3[s2 & 255]! ^ k[31]!;
    s0 = T0[t0 >>> 24]! ^ T1[(t1 >>> 16) & 255]! ^ T2[(t2 >>> 8) & 255]! ^ T3[t3 & 255]! ^ k[32]!;
    s1 = T0[t1 >>> 24]! ^ T1[(t2 >>> 16) & 255]! ^ T2[(t3 >>> 8) & 255]! ^ T3[t0 & 255]! ^ k[33]!;
    s2 = T0[t2 >>> 24]! ^ T1[(t3 >>> 16) & 255]! ^ T2[(t0 >>> 8) & 255]! ^ T3[t1 & 255]! ^ k[34]!;
    s3 = T0[t3 >>> 24]! ^ T1[(t0 >>> 16) & 255]! ^ T2[(t1 >>> 8) & 255]! ^ T3[t2 & 255]! ^ k[35]!;
    t0 = T0[s0 >>> 24]! ^ T1[(s1 >>> 16) & 255]! ^ T2[(s2 >>> 8) & 255]! ^ T3[s3 & 255]! ^ k[36]!;
    t1 = T0[s1 >>> 24]! ^ T1[(s2 >>> 16) & 255]! ^ T2[(s3 >>> 8) & 255]! ^ T3[s0 & 255]! ^ k[37]!;
    t2 = T0[s2 >>> 24]! ^ T1[(s3 >>> 16) & 255]! ^ T2[(s0 >>> 8) & 255]! ^ T3[s1 & 255]! ^ k[38]!;
    t3 = T0[s3 >>> 24]! ^ T1[(s0 >>> 16) & 255]! ^ T2[(s1 >>> 8) & 255]! ^ T3[s2 & 255]! ^ k[39]!;
    out[0] = ((S[t0 >>> 24]! << 24) | (S[(t1 >>> 16) & 255]! << 16) | (S[(t2 >>> 8) & 255]! << 8) | S[t3 & 255]!) ^ k[40]!;
    out[1] = ((S[t1 >>> 24]! << 24) | (S[(t2 >>> 16) & 255]! << 16) | (S[(t3 >>> 8) & 255]! << 8) | S[t0 & 255]!) ^ k[41]!;
    out[2] = ((S[t2 >>> 24]! << 24) | (S[(t3 >>> 16) & 255]! << 16) | (S[(t0 >>> 8) & 255]! << 8) | S[t1 & 255]!) ^ k[42]!;
    out[3] = ((S[t3 >>> 24]! << 24) | (S[(t0 >>> 16) & 255]! << 16) | (S[(t1 >>> 8) & 255]! << 8) | S[t2 & 255]!) ^ k[43]!;
  };
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
  let counter = c3;
  let at = from;
  for (; at + 16 <= to; at += 16) {
    encrypt(k, c0, c1, c2, counter++);
    for (let i = 0, o = at; i < 4; i++, o += 4) {
      const word = block[i]!;
      bytes[o]! ^= word >>> 24;
      bytes[o + 1]! ^= word >>> 16;
      bytes[o + 2]! ^= word >>> 8;
      bytes[o + 3]! ^= word;
    }
  }
  if (at === to) return;
  encrypt(k, c0, c1, c2, counter);
  for (let i = 0; at < to; i++, at++) bytes[at]! ^= block[i >> 2]! >>> (24 - 8 * (i & 3));
}
