/** The receiving half of a connection (RFC 9293 parts 3.4 and 3.8.6): what is in order, what is not yet, and the window offered. */
import { concat, EMPTY } from '../base/bytes.js';
import { ByteRing } from './byte-ring.js';
import { Reassembly } from './tcp-reassembly.js';
import { advance, distance } from './tcp-sequence.js';

/** Octets that the peer may send ahead of the reader. */
export const RECEIVE_WINDOW = 16 * 1024;

export class TcpReceiver {
  readonly #ready = new ByteRing(RECEIVE_WINDOW);
  /** What came first into an empty store: mostly it is read before more comes, and need not be copied. */
  #first = EMPTY;
  readonly #early = new Reassembly();
  readonly #mss: number;
  #next: number;
  /** One past the last octet of the window last offered; it never moves back (RFC 9293 part 3.8.6). */
  #edge: number;
  /** Sequence number of the peer's FIN, once seen. */
  #fin: number | undefined;
  #finished = false;

  /** `first` is the peer's initial sequence number, `mss` our own maximum. */
  constructor(first: number, mss: number) {
    this.#next = advance(first, 1);
    this.#edge = advance(this.#next, RECEIVE_WINDOW);
    this.#mss = mss;
  }

  /** RCV.NXT. */
  get next(): number {
    return this.#next;
  }

  /** The peer's FIN came, and all before it. */
  get finished(): boolean {
    return this.#finished;
  }

  get readable(): number {
    return this.#first.length + this.#ready.length;
  }

  /** RCV.WND as last offered. */
  get window(): number {
    return distance(this.#next, this.#edge);
  }

  /** Whether a segment of `length` octets of sequence space touches the window (RFC 9293 part 3.10.7.4, first). */
  acceptable(sequence: number, length: number): boolean {
    const start = distance(this.#next, sequence);
    if (this.window === 0) return length === 0 && start === 0;
    const inside = (at: number): boolean => at >= 0 && at < this.window;
    return length === 0 ? inside(start) : inside(start) || inside(start + length - 1);
  }

  /** Takes what lies in the window of an acceptable segment. False when nothing moved: it came before its turn, or again. */
  accept(sequence: number, payload: Uint8Array, fin: boolean): boolean {
    const before = this.#next;
    const skip = Math.max(0, distance(sequence, this.#next));
    const room = Math.max(0, distance(sequence, this.#edge));
    const bytes = payload.subarray(Math.min(skip, payload.length), room);
    if (fin && payload.length >= skip && payload.length <= room) this.#fin ??= advance(sequence, payload.length);
    if (bytes.length > 0) {
      if (distance(this.#next, sequence) <= 0) this.#append(bytes);
      else this.#early.hold(sequence, bytes);
    }
    for (let next = this.#early.next(this.#next); next; next = this.#early.next(this.#next)) this.#append(next);
    if (this.#fin === this.#next && !this.#finished) {
      this.#finished = true;
      this.#next = advance(this.#next, 1);
      this.#early.clear();
    }
    return this.#next !== before;
  }

  /** What is in order; it leaves room in the window. */
  read(): Uint8Array {
    const first = this.#first;
    this.#first = EMPTY;
    if (this.#ready.length === 0) return first;
    return first.length === 0 ? this.#ready.take() : concat(first, this.#ready.take());
  }

  /** True when a reader has made room that is worth a segment of its own: silly windows are not offered (RFC 9293 part 3.8.6.2.2). */
  get windowOpened(): boolean {
    return !this.#finished && this.#growth() >= Math.min(this.#mss, RECEIVE_WINDOW / 2);
  }

  /** The window to write into a segment that leaves now. */
  offer(): number {
    if (this.windowOpened) this.#edge = advance(this.#edge, this.#growth());
    return Math.max(0, this.window);
  }

  #append(bytes: Uint8Array): void {
    // The window never exceeds the room: what the edge admits fits.
    if (this.readable === 0) this.#first = bytes;
    else this.#ready.push(bytes);
    this.#next = advance(this.#next, bytes.length);
  }

  #growth(): number {
    return distance(this.#edge, advance(this.#next, RECEIVE_WINDOW - this.readable));
  }
}
