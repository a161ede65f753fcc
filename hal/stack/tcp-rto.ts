/** The retransmission timeout (RFC 6298), in microseconds. */
import { MILLISECOND, SECOND } from '../base/time.js';
import type { Micros } from '../hal.js';

/** RFC 6298 part 2.1. */
export const INITIAL_RTO: Micros = SECOND;
/** RFC 6298 part 5.7: with data, after a SYN that had to be sent again. */
const RTO_AFTER_LOST_SYN: Micros = 3 * SECOND;
/** RFC 6298 part 2.4 says "SHOULD" to 1 s; 200 ms is Linux's TCP_RTO_MIN, which stands above the 40 ms by which Linux delays an ACK. */
const MINIMUM: Micros = 200 * MILLISECOND;
/** RFC 6298 part 2.5: at least 60 s. */
const MAXIMUM: Micros = 60 * SECOND;
/** RFC 6298 part 2: the clock counts single microseconds, so that its granularity does not matter. */
const K = 4;

export class RetransmissionTimeout {
  #smoothed: number | undefined;
  #variation = 0;
  #base: Micros;
  #backedOff = 0;

  constructor(synLost: boolean) {
    this.#base = synLost ? RTO_AFTER_LOST_SYN : INITIAL_RTO;
  }

  get value(): Micros {
    return Math.min(MAXIMUM, this.#base * 2 ** this.#backedOff);
  }

  /** The last timeout was not followed by progress. */
  get backedOff(): boolean {
    return this.#backedOff > 0;
  }

  /** A round trip of a segment that was sent once (Karn's rule is the caller's). */
  sample(roundTrip: Micros): void {
    if (this.#smoothed === undefined) {
      this.#smoothed = roundTrip;
      this.#variation = roundTrip / 2;
    } else {
      this.#variation += (Math.abs(this.#smoothed - roundTrip) - this.#variation) / 4;
      this.#smoothed += (roundTrip - this.#smoothed) / 8;
    }
    this.#base = Math.max(MINIMUM, Math.round(this.#smoothed + K * this.#variation));
  }

  /** RFC 6298 part 5.5; the exponent stops where the maximum does. */
  backOff(): void {
    if (this.value < MAXIMUM) this.#backedOff++;
  }

  /** The peer acknowledged something new: as BSD and Linux do, the next timeout is not backed off, even before a new sample. */
  progress(): void {
    this.#backedOff = 0;
  }
}
