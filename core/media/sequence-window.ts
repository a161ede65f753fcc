/** Which of the last packets of a stream have come: extends 16-bit sequence numbers, and tells what is new from what is not. */

/** Packets behind the newest that are told apart; RFC 3711 3.3.2 asks for at least 64. 128 packets are 2.5 s of audio. */
const WINDOW = 128;
const CYCLE = 65_536;

export class SequenceWindow {
  /** The highest extended sequence number so far. */
  highest: number;
  readonly #seen = new Uint8Array(WINDOW);

  constructor(first: number) {
    this.highest = first;
    this.#seen[first % WINDOW] = 1;
  }

  /** The extended number nearest to the highest (RFC 3711 3.3.1); negative where it would lie before the stream's first cycle. */
  extend(sequence: number): number {
    const last = this.highest % CYCLE;
    const cycle = this.highest - last;
    if (last < CYCLE / 2) return (sequence - last > CYCLE / 2 ? cycle - CYCLE : cycle) + sequence;
    return (last - CYCLE / 2 > sequence ? cycle + CYCLE : cycle) + sequence;
  }

  /** False for what has come already, and for what is older than the window. */
  isNew(extended: number): boolean {
    if (extended > this.highest) return true;
    return extended >= 0 && extended > this.highest - WINDOW && this.#seen[extended % WINDOW] === 0;
  }

  /** Notes a new one. */
  accept(extended: number): void {
    // What lies between has not come: its places in the ring were those of numbers that now leave the window.
    const skipped = Math.min(extended - this.highest, WINDOW);
    for (let i = 1; i <= skipped; i++) this.#seen[(this.highest + i) % WINDOW] = 0;
    if (extended > this.highest) this.highest = extended;
    this.#seen[extended % WINDOW] = 1;
  }
}
