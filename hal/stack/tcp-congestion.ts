/** The congestion window (RFC 5681) with NewReno's recovery (RFC 6582), in octets. Which segment to send is the sender's business. */

/** RFC 6928 part 2. A restart after idling (RFC 5681 part 4.1) is left out: our send buffer hardly exceeds this window. */
const initialWindow = (mss: number): number => Math.min(10 * mss, Math.max(2 * mss, 14600));

export class Congestion {
  #window: number;
  #threshold = Number.POSITIVE_INFINITY;
  #recovering = false;

  /** After a lost SYN the first flight is one segment (RFC 5681 part 3.1). */
  constructor(
    readonly mss: number,
    synLost: boolean,
  ) {
    this.#window = synLost ? mss : initialWindow(mss);
  }

  get window(): number {
    return this.#window;
  }

  get recovering(): boolean {
    return this.#recovering;
  }

  /** New data acknowledged outside recovery: slow start, then congestion avoidance (RFC 5681 part 3.1). */
  acknowledged(octets: number): void {
    if (this.#window < this.#threshold) this.#window += Math.min(octets, this.mss);
    else this.#window += Math.max(1, Math.floor((this.mss * this.mss) / this.#window));
  }

  /** The third duplicate ACK (RFC 5681 part 3.2, steps 2 and 3). */
  enterRecovery(flight: number): void {
    this.#threshold = this.#half(flight);
    this.#window = this.#threshold + 3 * this.mss;
    this.#recovering = true;
  }

  /** Each further duplicate: one more segment has left the network (step 4). */
  duplicate(): void {
    this.#window += this.mss;
  }

  /** An ACK that covers part of what was in flight at the loss (RFC 6582 part 3.2, step 3). */
  partial(octets: number): void {
    this.#window = Math.max(this.mss, this.#window - octets + (octets >= this.mss ? this.mss : 0));
  }

  /** An ACK that covers all of it; without a burst (RFC 6582 part 3.2, step 3, option 1). */
  leaveRecovery(flight: number): void {
    this.#window = Math.min(this.#threshold, Math.max(flight, this.mss) + this.mss);
    this.#recovering = false;
  }

  /** A retransmission timeout: one segment, then slow start (RFC 5681 part 3.1). `again`: of the same segment, which counts once. */
  timeout(flight: number, again: boolean): void {
    if (!again) this.#threshold = this.#half(flight);
    this.#window = this.mss;
    this.#recovering = false;
  }

  #half(flight: number): number {
    return Math.max(Math.floor(flight / 2), 2 * this.mss);
  }
}
