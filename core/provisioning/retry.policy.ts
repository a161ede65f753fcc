/** When a failed run is tried again. All figures are ours: the vendor documents none. */
import { MINUTE, SECOND } from '../../hal/base/time.js';
import type { Micros } from '../../hal/hal.js';

const FIRST: Micros = 15 * SECOND;
/** Short enough that a fleet is provisioned within five minutes of its server's return. */
const LONGEST: Micros = 4 * MINUTE;

/** After the `attempt`-th failure in a row, from 0. Between half and all of the doubled time: a fleet does not come back at one instant. */
export function retryDelay(attempt: number, random: number): Micros {
  const longest = Math.min(LONGEST, FIRST * 2 ** Math.min(attempt, 16));
  return Math.round(longest * (0.5 + random / 2));
}
