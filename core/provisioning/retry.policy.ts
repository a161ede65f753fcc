/**
 * When a failed run is tried again, and at what pace. All figures are ours: the vendor documents none. They are chosen so that a fleet of
 * 200 whose server was away for half an hour never makes more than 20 requests in any second when it returns, and has its settings within
 * five minutes: the attempts of a long wait are spread over minutes, and one device then leaves a second between its own requests.
 */
import { HOUR, MINUTE, SECOND } from '../../hal/base/time.js';
import type { Micros } from '../../hal/hal.js';

const FIRST: Micros = 15 * SECOND;
const LONGEST: Micros = 4.5 * MINUTE;
/** No server silences a device for longer. */
const LONGEST_ASKED: Micros = HOUR;
const PAUSE: Micros = SECOND;

/**
 * After the `attempt`-th failure in a row, from 0. Between half and all of the doubled time: a fleet does not come back at one instant.
 * What the server asked for (Retry-After) is a least, spread over half as much again, because it asks everybody for the same.
 */
export function retryDelay(attempt: number, random: number, asked: Micros = 0): Micros {
  const longest = Math.min(LONGEST, FIRST * 2 ** Math.min(attempt, 16));
  return Math.round(Math.max(longest * (0.5 + random / 2), Math.min(asked, LONGEST_ASKED) * (1 + random / 2)));
}

/** Between the requests of one run: none at first; after a failure the server may have a whole fleet to answer. */
export const requestPause = (attempt: number): Micros => (attempt === 0 ? 0 : PAUSE);
