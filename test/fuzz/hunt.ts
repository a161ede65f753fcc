/**
 * Runs one reader over inputs that nobody would send by mistake, and says what it cost: each run follows from its seed and its number
 * alone, so that any of them can be done again.
 */
import { createContext, Script } from 'node:vm';
import { memoryInUse } from '../support/memory.js';
import { type Draw, mutate, noise, randomFrom, spliced } from '../support/mutation.js';

export interface Target {
  name: string;
  /** Valid inputs to begin from. */
  samples: readonly Uint8Array[];
  /** Pieces of the format, to be put where they do not belong. */
  tokens?: readonly Uint8Array[];
  /** A change that keeps what frames the format (lengths, checksums), for some of the runs. */
  restructure?(input: Uint8Array, random: Draw): Uint8Array;
  /** Reads, and throws where what must hold does not. True where the input was taken, false where it was refused. */
  read(input: Uint8Array, random: Draw): boolean;
}

export interface HuntOptions {
  executions: number;
  seed: number;
  /** Of the first run. */
  from?: number;
  /** Milliseconds after which 1024 runs, which take a few dozen, count as one that does not end. */
  patience?: number;
}

/** One line for people. */
export const told = ({ target, executions, taken, seconds, slowest, growth }: Figures): string =>
  `${target}: ${executions} executions, ${taken} taken, ${seconds.toFixed(1)} s, slowest ${(1000 * slowest.seconds).toFixed(1)} ms ` +
  `(run ${slowest.run}, ${slowest.octets} octets), heap ${growth < 0 ? '' : '+'}${(growth / 1024).toFixed(0)} KiB`;

/** Octets by which the heap may have grown: what the engine takes for code that it compiled meanwhile. */
export const GROWTH_MAX = 4 * 1024 * 1024;

export interface Figures {
  target: string;
  executions: number;
  /** Inputs that the reader took. */
  taken: number;
  seconds: number;
  slowest: { run: number; octets: number; seconds: number };
  /** Octets in use after all runs, beyond those before them. */
  growth: number;
}

/** Octets of an input in a message; its run makes all of them again. */
const SHOWN = 512;

/** A run that threw, hung, or did not hold what it must. */
export class Found extends Error {
  constructor(
    readonly target: string,
    readonly seed: number,
    readonly run: number,
    readonly input: Uint8Array,
    cause: unknown,
  ) {
    const shown = Buffer.from(input.subarray(0, SHOWN)).toString('hex');
    super(`${target}, seed ${seed}, run ${run}: ${shown}${input.length > SHOWN ? `… (${input.length} octets)` : ''}`, { cause });
  }
}

/** Runs between two looks of the watchdog. */
const BATCH = 1024;
const PATIENCE = 30_000;
/** Pieces are repeated up to this size, in one run of so many: a reader whose work grows faster than its input shows itself. */
const LARGE = 512 * 1024;
const LARGE_EVERY = 2048;

/** Throws `Found` at the first run that goes wrong. */
export function hunt(target: Target, { executions, seed, from = 0, patience = PATIENCE }: HuntOptions): Figures {
  const slowest = { run: from, octets: 0, seconds: 0 };
  const figures: Figures = { target: target.name, executions, taken: 0, seconds: 0, slowest, growth: -memoryInUse() };
  const began = performance.now();
  const end = from + executions;
  for (let run = from; run < end; ) {
    const batch = (): void => {
      for (const last = Math.min(run + BATCH, end); run < last; run++) execute(target, seed, run, figures);
    };
    try {
      interruptible(batch, patience);
    } catch (error) {
      throw new Found(target.name, seed, run, inputOf(target, seed, run).input, error);
    }
  }
  figures.seconds = (performance.now() - began) / 1000;
  figures.growth += memoryInUse();
  return figures;
}

const context = createContext();
const script = new Script('work()');

/** Ends work that does not end by itself, with an error; in milliseconds. */
function interruptible(work: () => void, timeout: number): void {
  context['work'] = work;
  script.runInContext(context, { timeout });
}

/** What a run reads, and the draws that are left for its reader. */
export function inputOf(target: Target, seed: number, run: number): { input: Uint8Array; random: Draw } {
  const random = randomFrom(seed, run);
  return { input: draw(target, run, random), random };
}

function draw({ samples, tokens, restructure }: Target, run: number, random: Draw): Uint8Array {
  const sample = samples[run % samples.length]!;
  // First each beginning of each sample with noise behind it: the reader's state at every octet meets what it does not expect.
  const split = Math.floor(run / samples.length);
  if (split <= sample.length) return spliced(sample, split, random(2) === 0 ? sample.length : split, noise(1 + random(16), random));
  if (random(LARGE_EVERY) === 0) return enlarged(mutate(sample, random, tokens), random);
  if (random(16) === 0) return crossed(sample, samples[random(samples.length)]!, random);
  if (restructure && random(4) !== 0) return restructure(sample, random);
  return mutate(sample, random, tokens);
}

function execute(target: Target, seed: number, run: number, figures: Figures): void {
  const first = timed(target, seed, run);
  if (first.taken) figures.taken++;
  if (first.seconds <= figures.slowest.seconds) return;
  // The machine does other things too: the shorter of two times is the reader's own.
  const seconds = Math.min(first.seconds, timed(target, seed, run).seconds);
  if (seconds > figures.slowest.seconds) figures.slowest = { run, octets: first.octets, seconds };
}

function timed(target: Target, seed: number, run: number): { taken: boolean; octets: number; seconds: number } {
  const { input, random } = inputOf(target, seed, run);
  const began = performance.now();
  const taken = target.read(input, random);
  return { taken, octets: input.length, seconds: (performance.now() - began) / 1000 };
}

/** A piece of the input over and over, as deep or as long as that goes. */
function enlarged(input: Uint8Array, random: Draw): Uint8Array {
  const at = random(input.length + 1);
  const piece = input.subarray(at, at + 1 + random(32));
  const times = piece.length === 0 ? 0 : Math.floor((1 + random(LARGE)) / piece.length);
  const pieces = new Uint8Array(times * piece.length);
  for (let i = 0; i < times; i++) pieces.set(piece, i * piece.length);
  return spliced(input, at, at, pieces);
}

/** The beginning of one and the end of another. */
const crossed = (a: Uint8Array, b: Uint8Array, random: Draw): Uint8Array =>
  spliced(a, random(a.length + 1), a.length, b.subarray(random(b.length + 1)));
