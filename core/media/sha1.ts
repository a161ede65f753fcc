/** HMAC-SHA-1 (RFC 2104, FIPS 180-4) for one key and many packets: both pads are compressed once, and a packet allocates nothing. */

const INITIAL = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0);
const BLOCK = 64;
/** The message schedule; one is enough, nothing runs between its filling and its use. */
const schedule = new Int32Array(80);
const tail = new Uint8Array(2 * BLOCK);

function loadBlock(bytes: Uint8Array, at: number): void {
  const w = schedule;
  for (let i = 0, o = at; i < 16; i++, o += 4) {
    w[i] = (bytes[o]! << 24) | (bytes[o + 1]! << 16) | (bytes[o + 2]! << 8) | bytes[o + 3]!;
  }
}

/** The words that each step of a compression adds, from the sixteen of the block (FIPS 180-4 6.1.2 step 1). */
function expandSchedule(): void {
  const w = schedule;
  for (let i = 16; i < 80; i++) {
    const x = w[i - 3]! ^ w[i - 8]! ^ w[i - 14]! ^ w[i - 16]!;
    w[i] = (x << 1) | (x >>> 31);
  }
}

/** Compresses the block in the schedule into `h` (FIPS 180-4 6.1.2). */
type Compress = (h: Int32Array) => void;
const compress = createCompress();

/** Five steps at once, after which the five words are in their places. Made by a function for the reason told in `aes.ts`. */
function createCompress(): Compress {
  const w = schedule;
  // FIPS 180-4 4.2.1, as signed words.
  const k0 = 0x5a827999;
  const k1 = 0x6ed9eba1;
  const k2 = 0x8f1bbcdc | 0;
  const k3 = 0xca62c1d6 | 0;
  return (h) => {
    expandSchedule();
    let a = h[0]!;
    let b = h[1]!;
    let c = h[2]!;
    let d = h[3]!;
    let e = h[4]!;
    for (let i = 0; i < 20; i += 5) {
      e = (e + ((a << 5) | (a >>> 27)) + (d ^ (b & (c ^ d))) + k0 + w[i]!) | 0;
      b = (b << 30) | (b >>> 2);
      d = (d + ((e << 5) | (e >>> 27)) + (c ^ (a & (b ^ c))) + k0 + w[i + 1]!) | 0;
      a = (a << 30) | (a >>> 2);
      c = (c + ((d << 5) | (d >>> 27)) + (b ^ (e & (a ^ b))) + k0 + w[i + 2]!) | 0;
      e = (e << 30) | (e >>> 2);
      b = (b + ((c << 5) | (c >>> 27)) + (a ^ (d & (e ^ a))) + k0 + w[i + 3]!) | 0;
      d = (d << 30) | (d >>> 2);
      a = (a + ((b << 5) | (b >>> 27)) + (e ^ (c & (d ^ e))) + k0 + w[i + 4]!) | 0;
      c = (c << 30) | (c >>> 2);
    }
    for (let i = 20; i < 40; i += 5) {
      e = (e + ((a << 5) | (a >>> 27)) + (b ^ c ^ d) + k1 + w[i]!) | 0;
      b = (b << 30) | (b >>> 2);
      d = (d + ((e << 5) | (e >>> 27)) + (a ^ b ^ c) + k1 + w[i + 1]!) | 0;
      a = (a << 30) | (a >>> 2);
      c = (c + ((d << 5) | (d >>> 27)) + (e ^ a ^ b) + k1 + w[i + 2]!) | 0;
      e = (e << 30) | (e >>> 2);
      b = (b + ((c << 5) | (c >>> 27)) + (d ^ e ^ a) + k1 + w[i + 3]!) | 0;
      d = (d << 30) | (d >>> 2);
      a = (a + ((b << 5) | (b >>> 27)) + (c ^ d ^ e) + k1 + w[i + 4]!) | 0;
      c = (c << 30) | (c >>> 2);
    }
    for (let i = 40; i < 60; i += 5) {
      e = (e + ((a << 5) | (a >>> 27)) + ((b & c) | (d & (b | c))) + k2 + w[i]!) | 0;
      b = (b << 30) | (b >>> 2);
      d = (d + ((e << 5) | (e >>> 27)) + ((a & b) | (c & (a | b))) + k2 + w[i + 1]!) | 0;
      a = (a << 30) | (a >>> 2);
      c = (c + ((d << 5) | (d >>> 27)) + ((e & a) | (b & (e | a))) + k2 + w[i + 2]!) | 0;
      e = (e << 30) | (e >>> 2);
      b = (b + ((c << 5) | (c >>> 27)) + ((d & e) | (a & (d | e))) + k2 + w[i + 3]!) | 0;
      d = (d << 30) | (d >>> 2);
      a = (a + ((b << 5) | (b >>> 27)) + ((c & d) | (e & (c | d))) + k2 + w[i + 4]!) | 0;
      c = (c << 30) | (c >>> 2);
    }
    for (let i = 60; i < 80; i += 5) {
      e = (e + ((a << 5) | (a >>> 27)) + (b ^ c ^ d) + k3 + w[i]!) | 0;
      b = (b << 30) | (b >>> 2);
      d = (d + ((e << 5) | (e >>> 27)) + (a ^ b ^ c) + k3 + w[i + 1]!) | 0;
      a = (a << 30) | (a >>> 2);
      c = (c + ((d << 5) | (d >>> 27)) + (e ^ a ^ b) + k3 + w[i + 2]!) | 0;
      e = (e << 30) | (e >>> 2);
      b = (b + ((c << 5) | (c >>> 27)) + (d ^ e ^ a) + k3 + w[i + 3]!) | 0;
      d = (d << 30) | (d >>> 2);
      a = (a + ((b << 5) | (b >>> 27)) + (c ^ d ^ e) + k3 + w[i + 4]!) | 0;
      c = (c << 30) | (c >>> 2);
    }
    h[0] = (h[0]! + a) | 0;
    h[1] = (h[1]! + b) | 0;
    h[2] = (h[2]! + c) | 0;
    h[3] = (h[3]! + d) | 0;
    h[4] = (h[4]! + e) | 0;
  };
}

export class HmacSha1 {
  /** The five words of the last tag. */
  readonly words = new Int32Array(5);
  readonly #inner: Int32Array;
  readonly #outer: Int32Array;

  /** `key` has at most 64 octets. */
  constructor(key: Uint8Array) {
    this.#inner = primed(key, 0x36);
    this.#outer = primed(key, 0x5c);
  }

  /** Authenticates `bytes[0, length)` followed by the 32-bit word `suffix`; the tag is in `words` after it. */
  update(bytes: Uint8Array, length: number, suffix: number): void {
    const h = this.words;
    copyWords(this.#inner, h);
    let at = 0;
    for (; at + BLOCK <= length; at += BLOCK) {
      loadBlock(bytes, at);
      compress(h);
    }
    const end = padTail(bytes, at, length, suffix);
    for (let block = 0; block < end; block += BLOCK) {
      loadBlock(tail, block);
      compress(h);
    }
    this.#finish();
  }

  /** The outer hash of the five inner words: one block. */
  #finish(): void {
    const h = this.words;
    copyWords(h, schedule);
    schedule[5] = 0x80000000 | 0;
    for (let i = 6; i < 15; i++) schedule[i] = 0;
    schedule[15] = (BLOCK + 20) * 8;
    copyWords(this.#outer, h);
    compress(h);
  }
}

/** By hand: `set` costs more than the five words. */
function copyWords(from: Int32Array, to: Int32Array): void {
  for (let i = 0; i < 5; i++) to[i] = from[i]!;
}

/** Copies what is left with the suffix and the padding of FIPS 180-4 5.1.1; returns the octets filled: one block or two. */
function padTail(bytes: Uint8Array, from: number, length: number, suffix: number): number {
  let n = 0;
  for (let at = from; at < length; at++) tail[n++] = bytes[at]!;
  n = putWord(n, suffix);
  tail[n++] = 0x80;
  const end = n > BLOCK - 8 ? 2 * BLOCK : BLOCK;
  tail.fill(0, n, end - 4);
  putWord(end - 4, (BLOCK + length + 4) * 8);
  return end;
}

function putWord(at: number, word: number): number {
  tail[at] = word >>> 24;
  tail[at + 1] = word >>> 16;
  tail[at + 2] = word >>> 8;
  tail[at + 3] = word;
  return at + 4;
}

function primed(key: Uint8Array, pad: number): Int32Array {
  const block = new Uint8Array(BLOCK).fill(pad);
  for (let i = 0; i < key.length; i++) block[i]! ^= key[i]!;
  const h = Int32Array.from(INITIAL);
  loadBlock(block, 0);
  compress(h);
  return h;
}
