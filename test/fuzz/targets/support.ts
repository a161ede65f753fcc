/** What the targets share. */
import { fromLatin1 } from '../../../hal/base/bytes.js';
import type { Draw } from '../../support/mutation.js';

export const lines = (...all: readonly string[]): Uint8Array => fromLatin1(all.join('\r\n'));

/** One octet a character. */
export const tokens = (...all: readonly string[]): Uint8Array[] => all.map(fromLatin1);

/** Fails the run. */
export function holds(condition: boolean, what: string): void {
  if (!condition) throw new Error(`does not hold: ${what}`);
}

export const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** The input as a stream may bring it: octet by octet, or cut in a few places. */
export function* pieces(input: Uint8Array, random: Draw): Generator<Uint8Array> {
  const most = input.length <= 256 && random(4) === 0 ? 1 : 1 + random(input.length + 1);
  for (let at = 0; at < input.length; ) {
    const end = at + 1 + random(most);
    yield input.subarray(at, end);
    at = end;
  }
}
