/** GHASH (NIST SP 800-38D 6.4) for one hash key: eight bits at a time, by a table of 4 KiB. Not constant-time, as told in `aes.ts`. */

const BLOCK = 16;
/** Bits of the field's polynomial x^128 + x^7 + x^2 + x + 1 in the reflected order of SP 800-38D 6.3. */
const POLYNOMIAL = 0xe1000000 | 0;

/** What the eight bits that a shift by one octet pushes out add to the first word. */
const REDUCTION = Int32Array.from({ length: 256 }, (_, octet) => {
  let low = octet;
  let high = 0;
  for (let i = 0; i < 8; i++) {
    high = (high >>> 1) ^ (low & 1 ? POLYNOMIAL : 0);
    low >>>= 1;
  }
  return high;
});

export class Ghash {
  /** The four big-endian words of the hash so far. */
  readonly words = new Int32Array(4);
  /** The hash key times each octet: four words an octet. */
  readonly #products = new Int32Array(256 * 4);

  /** `key` is the block cipher's image of the zero block, as four words. */
  constructor(key: Int32Array) {
    let [a, b, c, d] = [key[0]!, key[1]!, key[2]!, key[3]!];
    for (let bit = 0x80; bit > 0; bit >>= 1) {
      for (let octet = 0; octet < 256; octet++) {
        if ((octet & bit) === 0) continue;
        const at = 4 * octet;
        this.#products[at]! ^= a;
        this.#products[at + 1]! ^= b;
        this.#products[at + 2]! ^= c;
        this.#products[at + 3]! ^= d;
      }
      const carry = d & 1 ? POLYNOMIAL : 0;
      d = (d >>> 1) | (c << 31);
      c = (c >>> 1) | (b << 31);
      b = (b >>> 1) | (a << 31);
      a = (a >>> 1) ^ carry;
    }
  }

  reset(): void {
    this.words.fill(0);
  }

  /** Hashes `bytes[from, to)`, filled up with zeros to whole blocks. */
  absorb(bytes: Uint8Array, from: number, to: number): void {
    const z = this.words;
    for (let at = from; at < to; at += BLOCK) {
      if (at + BLOCK <= to) {
        for (let i = 0, o = at; i < 4; i++, o += 4) {
          z[i]! ^= (bytes[o]! << 24) | (bytes[o + 1]! << 16) | (bytes[o + 2]! << 8) | bytes[o + 3]!;
        }
      } else for (let o = at, i = 0; o < to; o++, i++) z[i >> 2]! ^= bytes[o]! << (24 - 8 * (i & 3));
      this.#multiply();
    }
  }

  /** The closing block: both lengths, in bits. */
  absorbLengths(authenticated: number, encrypted: number): void {
    this.words[1]! ^= authenticated * 8;
    this.words[3]! ^= encrypted * 8;
    this.#multiply();
  }

  /** The hash times the key (SP 800-38D 6.3), by Horner's rule over the octets, last first. */
  #multiply(): void {
    const z = this.words;
    const m = this.#products;
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let word = 3; word >= 0; word--) {
      const x = z[word]!;
      for (let shift = 0; shift < 32; shift += 8) {
        const at = ((x >>> shift) & 255) << 2;
        const out = REDUCTION[d & 255]!;
        d = ((d >>> 8) | (c << 24)) ^ m[at + 3]!;
        c = ((c >>> 8) | (b << 24)) ^ m[at + 2]!;
        b = ((b >>> 8) | (a << 24)) ^ m[at + 1]!;
        a = (a >>> 8) ^ out ^ m[at]!;
      }
    }
    z[0] = a;
    z[1] = b;
    z[2] = c;
    z[3] = d;
  }
}
