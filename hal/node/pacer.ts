/** Calls at an even pace. Deadlines are counted from the start, so that lateness of one call moves none of the others. */
import { MILLISECOND, SECOND } from '../base/time.js';
import type { Micros } from '../hal.js';

/** Lateness that is made up by calling more often; after more, as of a machine that slept, the pace begins anew. */
const CATCH_UP: Micros = SECOND;

export interface Pace {
  /** Samples a call, at samples a second: their quotient need not be a whole number of µs. */
  frame: number;
  rate: number;
  clock: { now(): Micros };
}

/** The first call comes one frame from now. Returns what ends it; nothing is called after that. */
export function startPacer({ frame, rate, clock }: Pace, call: () => void): () => void {
  let start = clock.now();
  let count = 0;
  let running = true;
  const due = (): Micros => start + Math.round(((count + 1) * frame * SECOND) / rate);
  const wake = (): void => {
    if (clock.now() - due() > CATCH_UP) {
      start = clock.now();
      count = 0;
    }
    while (running && due() <= clock.now()) {
      count++;
      call();
    }
    if (running) timeout = wait();
  };
  const wait = (): NodeJS.Timeout => setTimeout(wake, Math.max(1, Math.ceil((due() - clock.now()) / MILLISECOND)));
  let timeout = wait();
  return () => {
    running = false;
    clearTimeout(timeout);
  };
}
