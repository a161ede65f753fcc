/** Segments that came before their turn. */
import { advance, distance } from './tcp-sequence.js';

/** Full segments of the 16 KiB window, and a few: small ones beyond that are dropped and sent again. */
const SEGMENT_LIMIT = 16;

interface Held {
  sequence: number;
  bytes: Uint8Array;
}

export class Reassembly {
  /** In order of sequence; they may overlap. */
  readonly #held: Held[] = [];

  /** Keeps octets inside the window; a full store drops the last in sequence, which is needed last. */
  hold(sequence: number, bytes: Uint8Array): void {
    let at = this.#held.length;
    while (at > 0 && distance(sequence, this.#held[at - 1]!.sequence) > 0) at--;
    const before = this.#held[at - 1];
    if (before && distance(advance(sequence, bytes.length), advance(before.sequence, before.bytes.length)) >= 0) return;
    this.#held.splice(at, 0, { sequence, bytes });
    if (this.#held.length > SEGMENT_LIMIT) this.#held.pop();
  }

  /** The octets that now come next, if any are here; what they make stale is dropped. */
  next(sequence: number): Uint8Array | undefined {
    for (let first = this.#held[0]; first && distance(first.sequence, sequence) >= 0; first = this.#held[0]) {
      this.#held.shift();
      const known = distance(first.sequence, sequence);
      if (known < first.bytes.length) return first.bytes.subarray(known);
    }
    return undefined;
  }

  clear(): void {
    this.#held.length = 0;
  }
}
