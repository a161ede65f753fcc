/** One direction of a TCP connection put in order: what came late, twice, or never into the capture. */
import type { UnixMicros } from '../../hal/layers/pcapng.codec.js';
import { advance, distance } from '../../hal/stack/tcp-sequence.js';

export interface StreamSink {
  data(bytes: Uint8Array, at: UnixMicros): void;
  /** Octets that crossed the wire and are not in the capture. */
  missing(octets: number, at: UnixMicros): void;
}

interface Held {
  sequence: number;
  bytes: Uint8Array;
  /** On the wire. */
  length: number;
  at: UnixMicros;
}

/** Ours: a gap that so many segments did not fill will not be filled. They are views into the file, so that they cost little. */
const MOST_HELD = 256;

export class OrderedStream {
  readonly #sink: StreamSink;
  #next: number | undefined;
  #held: Held[] = [];
  octets = 0;
  /** Segments sent again, or seen twice by the mirror. */
  repeated = 0;
  /** Segments that came after later ones. */
  late = 0;
  missing = 0;

  constructor(sink: StreamSink) {
    this.#sink = sink;
  }

  /** The sequence number of the first octet, from a SYN; without one the first segment gives it. */
  begin(sequence: number): void {
    this.#next ??= sequence;
  }

  /** `length` is octets on the wire, of which `bytes` may hold fewer. */
  segment(sequence: number, bytes: Uint8Array, length: number, at: UnixMicros): void {
    if (length === 0) return;
    this.#next ??= sequence;
    const ahead = distance(this.#next, sequence);
    if (ahead + length <= 0) {
      // A keepalive repeats one octet on purpose (RFC 9293 3.8.4).
      if (length > 1 || ahead !== -1) this.repeated++;
    } else if (ahead <= 0) {
      if (this.#held.length > 0) this.late++;
      this.#deliver({ sequence, bytes, length, at });
      this.#drain();
    } else this.#hold({ sequence, bytes, length, at });
  }

  /** The receiver has everything before `sequence`: what is not here by now never will be. */
  acknowledged(sequence: number): void {
    const [first] = this.#held;
    if (first && distance(first.sequence, sequence) > 0) this.#skipTo(first);
  }

  /** The end of the connection, or of the capture. */
  flush(): void {
    for (let first = this.#held[0]; first; first = this.#held[0]) this.#skipTo(first);
  }

  #hold(segment: Held): void {
    let at = this.#held.length;
    while (at > 0 && distance(segment.sequence, this.#held[at - 1]!.sequence) > 0) at--;
    if (at < this.#held.length) this.late++;
    this.#held.splice(at, 0, segment);
    if (this.#held.length > MOST_HELD) this.#skipTo(this.#held[0]!);
  }

  #skipTo(first: Held): void {
    const gap = distance(this.#next!, first.sequence);
    if (gap > 0) {
      this.missing += gap;
      this.#sink.missing(gap, first.at);
      this.#next = first.sequence;
    }
    this.#drain();
  }

  #drain(): void {
    for (let first = this.#held[0]; first && distance(first.sequence, this.#next!) >= 0; first = this.#held[0]) {
      this.#held.shift();
      this.#deliver(first);
    }
  }

  /** From the next octet on; nothing where all of it is known. */
  #deliver({ sequence, bytes, length, at }: Held): void {
    const known = distance(sequence, this.#next!);
    if (known >= length) return;
    const kept = bytes.subarray(known, length);
    if (kept.length > 0) this.#sink.data(kept, at);
    const cut = length - known - kept.length;
    if (cut > 0) this.#sink.missing(cut, at);
    this.missing += Math.max(0, cut);
    this.octets += length - known;
    this.#next = advance(sequence, length);
  }
}
