/** A conformance bench in real time, and TLS identities for tests over it. */
import { performance } from 'node:perf_hooks';
import { MILLISECOND } from '../../hal/base/time.js';
import { Unmet } from '../../hal/conformance/index.js';
import type { Micros } from '../../hal/hal.js';
import { createQuietProbe } from '../../hal/node/quiet.js';

/** µs of this process, for streams that no HAL stands behind. */
export const realNow = (): Micros => Math.floor(performance.now() * MILLISECOND);

const quiet = createQuietProbe();
const acts: (() => void)[] = [];
let pumping = false;

/**
 * Acts one after another, each when the platform is quiet: what a simulated world does between two events.
 * One queue a process, because two that wait for quiet would wait for each other.
 */
export function later(act: () => void): void {
  acts.push(act);
  if (pumping) return;
  pumping = true;
  quiet.turn(pump);
}

function pump(): void {
  if (!quiet.busy()) {
    const act = acts.shift();
    pumping = act !== undefined;
    if (!act) return;
    act();
    quiet.drain();
  }
  quiet.turn(pump);
}

const nextTick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

export async function until<T>(what: string, ready: () => T | undefined, limit: Micros): Promise<T> {
  const end = realNow() + limit;
  for (;;) {
    const value = ready();
    if (value !== undefined) return value;
    if (realNow() > end) throw new Unmet(`${what}: not within ${limit / MILLISECOND} ms`);
    await nextTick();
  }
}
