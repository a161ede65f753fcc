/** Seeded mutation of inputs for readers that must be total: the same seed gives the same inputs on every machine. */

/** Integers from 0 to below `limit`. */
export type Draw = (limit: number) => number;

/** sfc32 (Chris Doty-Humphrey, PractRand): every pair of seed and run has a stream of its own. */
export function randomFrom(seed: number, run = 0): Draw {
  let a = seed | 0;
  let b = run | 0;
  let c = 0x9e3779b9 | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i++) next();
  return (limit) => next() % limit;
}

/** Octets that formats give a meaning: ends of lines, signs and ends of numbers, delimiters. */
const TELLING = Uint8Array.from([0, 1, 0x7f, 0x80, 0xfe, 0xff, 9, 10, 13, 32, 34, 44, 45, 46, 47, 48, 57, 58, 59, 61]);
/** In place of a number that stands in the text. */
const NUMBERS = [
  '0',
  '-1',
  '00',
  '1',
  '255',
  '256',
  '65535',
  '65536',
  '2147483648',
  '4294967296',
  '99999999999999999999',
  '1e9',
  '0x10',
  '',
];

const DIGITS = /\d+/g;
const text = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
const octets = (string: string): Uint8Array => Uint8Array.from(Buffer.from(string, 'latin1'));

/** `bytes` with what stands from `from` to `to` replaced. */
export function spliced(bytes: Uint8Array, from: number, to: number, insert: Uint8Array): Uint8Array {
  const out = new Uint8Array(from + insert.length + bytes.length - to);
  out.set(bytes.subarray(0, from));
  out.set(insert, from);
  out.set(bytes.subarray(to), from + insert.length);
  return out;
}

export const noise = (length: number, random: Draw): Uint8Array => new Uint8Array(length).map(() => random(256));

function changeNumber(bytes: Uint8Array, random: Draw): Uint8Array {
  const all = [...text(bytes).matchAll(DIGITS)];
  const found = all[random(Math.max(1, all.length))];
  if (!found) return bytes;
  return spliced(bytes, found.index, found.index + found[0].length, octets(NUMBERS[random(NUMBERS.length)]!));
}

function changeOnce(bytes: Uint8Array, random: Draw, tokens: readonly Uint8Array[]): Uint8Array {
  const at = random(bytes.length + 1);
  const end = Math.min(bytes.length, at + 1 + random(random(4) === 0 ? 64 : 8));
  switch (random(12)) {
    case 0:
      return spliced(bytes, at, Math.min(bytes.length, at + 1), noise(1, random));
    case 1:
      return at < bytes.length ? spliced(bytes, at, at + 1, Uint8Array.of(bytes[at]! ^ (1 << random(8)))) : bytes;
    case 2:
      return spliced(bytes, at, Math.min(bytes.length, at + random(2)), TELLING.subarray(random(TELLING.length)).subarray(0, 1));
    case 3:
      return spliced(bytes, at, end, new Uint8Array(0));
    case 4:
      return spliced(bytes, at, at, bytes.subarray(at, end));
    case 5: {
      const rest = spliced(bytes, at, end, new Uint8Array(0));
      const to = random(rest.length + 1);
      return spliced(rest, to, to, bytes.subarray(at, end));
    }
    case 6:
      return spliced(bytes, at, at, noise(1 + random(8), random));
    case 7:
    case 8:
      return changeNumber(bytes, random);
    case 9:
      return random(4) === 0 ? bytes.subarray(0, at) : bytes;
    default:
      return tokens.length === 0 ? bytes : spliced(bytes, at, random(2) === 0 ? at : end, tokens[random(tokens.length)]!);
  }
}

/** With one to eight changes, few more often than many: octets, bits, pieces, numbers, its end, and `tokens` of the format put in. */
export function mutate(input: Uint8Array, random: Draw, tokens: readonly Uint8Array[] = []): Uint8Array {
  let bytes = input;
  for (let changes = 1 + random(1 + random(8)); changes > 0; changes--) bytes = changeOnce(bytes, random, tokens);
  return bytes;
}

/** Runs `read` over `executions` mutations of the samples. A throw fails the test and names the input in hex. */
export function fuzz(samples: readonly Uint8Array[], executions: number, read: (input: Uint8Array) => void, seed = 1): void {
  for (let run = 0; run < executions; run++) {
    const input = mutate(samples[run % samples.length]!, randomFrom(seed, run));
    try {
      read(input);
    } catch (error) {
      throw new Error(`seed ${seed}, run ${run}: ${Buffer.from(input).toString('hex')}`, { cause: error });
    }
  }
}
