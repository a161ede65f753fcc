/** Failures of power: which operation of a chip they hit, and what is left of that operation and of those before it. */
import type { FlashOp } from '../../hal/hal.js';
import { randomStream } from '../world/random.js';

/**
 * Where power fails: `op` counts programs and erases of the chip from 1, `nth` every operation, reads and syncs too. How it fails:
 *
 * - `before` and `after` the operation; nobody hears its answer;
 * - `torn`: its first `octets` are done, the others are not;
 * - `noisy`: any bit of it is done or is not, as in cells that were given too little time;
 * - `reordered`: of what the partitions have not synced, this operation among it, some operations are done, in another order, and the
 *   last of them perhaps in part. The chip must know of it before the first of these operations.
 *
 * Another kind of cut is another member here and another case in `leftBy`.
 */
export type PowerCut = ({ op: number } | { nth: number }) &
  ({ how: 'before' | 'after' } | { how: 'torn'; octets: number } | { how: 'noisy' | 'reordered'; seed: number });

/** An operation that changes the chip. */
export type Change = Extract<FlashOp, { type: 'program' | 'erase' }>;

/** What a range holds when all of an operation is done: a bit that has left the erased state stays until an erase. */
export function afterChange(op: Change, before: Uint8Array, erased: 0x00 | 0xff): Uint8Array {
  if (op.type === 'erase') return new Uint8Array(before.length).fill(erased);
  const after = op.bytes.slice();
  for (let i = 0; i < after.length; i++) after[i] = erased === 0xff ? after[i]! & before[i]! : after[i]! | before[i]!;
  return after;
}

/** What a range holds when power failed in the operation that was to make `after` of `before`. */
export function leftBy(cut: PowerCut, before: Uint8Array, after: Uint8Array): Uint8Array {
  switch (cut.how) {
    case 'before':
      return before;
    case 'torn':
      return torn(before, after, cut.octets);
    case 'noisy': {
      const undone = new Uint8Array(before.length);
      randomStream(cut.seed, 'power cut').fill(undone);
      return after.map((octet, i) => (octet & ~undone[i]!) | (before[i]! & undone[i]!));
    }
    case 'after':
    case 'reordered':
      return after;
  }
}

/** Its first octets are done. */
export function torn(before: Uint8Array, after: Uint8Array, octets: number): Uint8Array {
  const left = before.slice();
  left.set(after.subarray(0, octets));
  return left;
}
