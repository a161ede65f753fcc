/** HMAC-SHA-1 (RFC 2104, FIPS 180-4) for one key and many packets: both pads are compressed once, and a packet allocates nothing. */

const INITIAL = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0);
const BLOCK = 64;
/** The message schedule; one is enough, nothing runs between its filling and its use. */
const W = new Int32Array(80);
const tail = new Uint8Array(2 * BLOCK);

function loadBlock(bytes: Uint8Array, at: number): void {
  for (let i = 0, o = at; i < 16; i++, o += 4) {
    W[i] = (bytes[o]! << 24) | (bytes[o + 1]! << 16) | (bytes[o + 2]! << 8) | bytes[o + 3]!;
  }
}

/** One compression of the loaded block into `h` (FIPS 180-4 6.1.2). */
function compress(h: Int32Array): void {
  for (let i = 16; i < 80; i++) {
    const x = W[i - 3]! ^ W[i - 8]! ^ W[i - 14]! ^ W[i - 16]!;
    W[i] = (x << 1) | (x >>> 31);
  }
  let a = h[0]!;
  let b = h[1]!;
  let c = h[2]!;
  let d = h[3]!;
  let e = h[4]!;
  for (let i = 0; i < 80; i++) {
    const f =
      i < 20
        ? (d ^ (b & (c ^ d))) + 0x5a827999
        : i < 40
          ? (b ^ c ^ d) + 0x6ed9eba1
          : i < 60
            ? ((b & c) | (d & (b | c))) - 0x70e44324
            : (b ^ c ^ d) - 0x359d3e2a;
    const t = (((a << 5) | (a >>> 27)) + f + e + W[i]!) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = t;
  }
  h[0] = (h[0]! + a) | 0;
  h[1] = (h[1]! + b) | 0;
  h[2] = (h[2]! + c) | 0;
  h[3] = (h[3]! + d) | 0;
  h[4] = (h[4]! + e) | 0;
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
    h.set(this.#inner);
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
    W.set(h);
    W[5] = 0x80000000 | 0;
    W.fill(0, 6, 15);
    W[15] = (BLOCK + 20) * 8;
    h.set(this.#outer);
    compress(h);
  }
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
