/**
 * Random streams split from one seed by name: one more draw in one place moves nothing elsewhere.
 *
 * A stream is sfc32 (Chris Doty-Humphrey, PractRand), started from the MurmurHash3 mix (Austin Appleby) of `seed` and the stream's name.
 * Good enough for faults and fake entropy, and the same on every machine; not for cryptography, which is the platform's.
 */
import { utf8 } from '../../hal/base/bytes.js';

export interface Random {
  /** An integer from 0 to 2^32 - 1. */
  uint32(): number;
  /** At least 0 and less than 1. */
  fraction(): number;
  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number;
  /** True with the given probability; never draws for 0 or 1, so that a fault switched off costs nothing. */
  chance(probability: number): boolean;
  fill(out: Uint8Array): void;
}

export function randomStream(seed: number, name: string): Random {
  const uint32 = sfc32(seed, name);
  const fraction = (): number => uint32() / 0x1_0000_0000;
  return {
    uint32,
    fraction,
    below: (limit) => Math.floor(fraction() * limit),
    chance: (probability) => probability >= 1 || (probability > 0 && fraction() < probability),
    fill: (out) => {
      for (let i = 0; i < out.length; i++) out[i] = uint32() >>> 24;
    },
  };
}

/** Rounds after which sfc32's state is mixed, by its author. */
const WARM_UP = 15;

function sfc32(seed: number, name: string): () => number {
  const hash = murmur(utf8(`${seed}\0${name}`));
  let a = hash();
  let b = hash();
  let c = hash();
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  for (let i = 0; i < WARM_UP; i++) next();
  return next;
}

/** MurmurHash3's block and final mix over the octets; every call gives another 32 bits. */
function murmur(bytes: Uint8Array): () => number {
  let h = bytes.length;
  for (const byte of bytes) {
    h = Math.imul(h ^ Math.imul(byte, 0xcc9e2d51), 0x1b873593);
    h = (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
  }
  return () => {
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h = ((h ^ (h >>> 16)) + 0x9e3779b9) | 0;
    return h;
  };
}
