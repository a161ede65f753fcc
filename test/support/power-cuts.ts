/**
 * Every way in which power can fail at every flash operation of a run, and what is left of the chip.
 *
 * A run is recorded once, and its operations are done again on a copy of the chip up to each cut. That is exact: a chip's octets follow
 * from the operations done on it alone, a port does them one after the other in the order in which they were asked for, and everything
 * before a cut is the same run.
 */
import { createHash } from 'node:crypto';
import type { FlashOp } from '../../hal/hal.js';
import type { NorFlash } from '../../sim/flash/nor-flash.js';
import type { PowerCut } from '../../sim/flash/power-cut.js';

/** Draws of the kinds that follow from a seed. */
const NOISES = 1;
const ORDERS = 3;

/** A cut at an operation that is known by its number among all. */
type NthCut = Extract<PowerCut, { nth: number }>;

/** Ways to cut one operation, the `nth`. */
export type Ways = (op: FlashOp, nth: number, sector: number) => readonly NthCut[];

/** Before it, torn after 1 octet, half, all but 1, noisy, after it, and out of order since the last sync. */
const everyWay: Ways = (op, nth, sector) => {
  const cuts: NthCut[] = [
    { nth, how: 'before' },
    { nth, how: 'after' },
  ];
  const size = op.type === 'program' ? op.bytes.length : op.type === 'erase' ? sector : 0;
  if (size > 0) {
    for (const octets of [1, size / 2, size - 1]) cuts.push({ nth, how: 'torn', octets });
    for (let seed = 1; seed <= NOISES; seed++) cuts.push({ nth, how: 'noisy', seed });
  }
  for (let seed = 1; seed <= ORDERS; seed++) cuts.push({ nth, how: 'reordered', seed });
  return cuts;
};

/** One of each kind, for the second cut of a pair. */
export const oneOfEachKind: Ways = (op, nth, sector) => {
  const size = op.type === 'program' ? op.bytes.length : sector;
  const inside: NthCut[] = [
    { nth, how: 'torn', octets: size / 2 },
    { nth, how: 'noisy', seed: nth },
  ];
  return [{ nth, how: 'before' }, ...(op.type === 'sync' ? [] : inside), { nth, how: 'reordered', seed: nth }];
};

/** `name` tells how to plan the same cut again. */
export interface Left {
  name: string;
  cut: NthCut;
  chip: NorFlash;
}

/** `chip` is the one from before the operations; none of them is a read. */
export function* everyCut(chip: NorFlash, operations: readonly FlashOp[], ways = everyWay): Generator<Left> {
  // What came before the last sync is done for good: every cut goes on from there.
  const durable = chip.copy();
  let since: FlashOp[] = [];
  for (const [index, op] of operations.entries()) {
    const { sector } = chip.partitions.find(({ name }) => name === op.partition)!;
    since.push(op);
    for (const cut of ways(op, index + 1, sector)) {
      const left = durable.copy();
      left.cutPowerAt({ ...cut, nth: since.length });
      for (const each of since) left.commit(each);
      yield { name: `${op.type} of ${op.partition}, ${JSON.stringify(cut)}`, cut, chip: left };
    }
    if (op.type === 'sync' && since.every(({ partition }) => partition === op.partition)) {
      for (const each of since) durable.commit(each);
      since = [];
    }
  }
}

/** A key for what these partitions hold: chips that are alike need one look. */
export function contentOf(chip: NorFlash, partitions: readonly string[]): string {
  const hash = createHash('sha256');
  for (const { name, size } of chip.partitions) if (partitions.includes(name)) hash.update(chip.memory(name).read(0, size));
  return hash.digest('hex');
}

export interface Survey {
  cuts: number;
  /** Different chips among what the cuts left. */
  chips: number;
  /** What went wrong, with the cut. */
  losses: readonly string[];
}

/** Looks at the chip that each cut left; `lossOn` says what is wrong with one. */
export async function survey(
  left: Iterable<Left>,
  partitions: readonly string[],
  lossOn: (chip: NorFlash) => string | undefined | Promise<string | undefined>,
): Promise<Survey> {
  const verdicts = new Map<string, string | undefined>();
  const losses: string[] = [];
  let cuts = 0;
  for (const { name, chip } of left) {
    cuts++;
    const key = contentOf(chip, partitions);
    if (!verdicts.has(key)) verdicts.set(key, await lossOn(chip));
    const loss = verdicts.get(key);
    if (loss !== undefined) losses.push(`${name}: ${loss}`);
  }
  return { cuts, chips: verdicts.size, losses };
}

/** `N of N cuts survived`, for the log of a run. */
export const tally = ({ cuts, chips, losses }: Survey): string =>
  `${cuts - losses.length} of ${cuts} cuts survived (${chips} different chips)`;
