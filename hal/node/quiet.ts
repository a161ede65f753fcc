/**
 * Tells when node:tls has nothing left to do for the present instant. All its work runs on the main thread: what it defers is a tick, a
 * microtask or a referenced Immediate, and the last are counted by `getActiveResourcesInfo` (measured: exact, 0.2 µs a call).
 */
import type { QuietProbe } from '../platform.js';

/** Runs the tick and microtask queues to their end. Not documented by Node, present in 20 to 26; without it each drain costs a turn. */
const drainTicks = (process as { _tickCallback?: () => void })._tickCallback;

/** `drain` null: this Node cannot run its ticks at once. */
export function createQuietProbe(drain: (() => void) | null = drainTicks ?? null): QuietProbe {
  /** Without `drain`, ticks are through only after a turn of the event loop. */
  let ticksOwed = false;
  return {
    drain: () => {
      if (drain) drain();
      else ticksOwed = true;
    },
    busy: () => ticksOwed || process.getActiveResourcesInfo().includes('Immediate'),
    turn: (next) => {
      setImmediate(() => {
        ticksOwed = false;
        next();
      });
    },
    report: () => process.getActiveResourcesInfo(),
  };
}
