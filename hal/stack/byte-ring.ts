/** A first-in first-out store of octets with a maximum. It takes memory as it fills, and gives most of it back when it is empty. */
import { EMPTY } from '../base/bytes.js';

/** Octets kept once taken: a SIP message or a keepalive then costs no memory of its own. */
const SMALLEST = 512;

export class ByteRing {
  #store: Uint8Array = EMPTY;
  #start = 0;
  #length = 0;

  constructor(readonly limit: number) {}

  get length(): number {
    return this.#length;
  }

  get room(): number {
    return this.limit - this.#length;
  }

  /** Copies as much as there is room for; gives the number of octets taken. */
  push(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, this.room);
    if (this.#length + taken > this.#store.length) this.#grow(this.#length + taken);
    const at = (this.#start + this.#length) % this.#store.length;
    const first = Math.min(taken, this.#store.length - at);
    this.#store.set(bytes.subarray(0, first), at);
    this.#store.set(bytes.subarray(first, taken), 0);
    this.#length += taken;
    return taken;
  }

  /** Copies `length` octets from `offset` on into `out` at `at`; they stay. */
  copy(offset: number, length: number, out: Uint8Array, at: number): void {
    const from = (this.#start + offset) % this.#store.length;
    const first = Math.min(length, this.#store.length - from);
    out.set(this.#store.subarray(from, from + first), at);
    out.set(this.#store.subarray(0, length - first), at + first);
  }

  drop(octets: number): void {
    this.#length -= octets;
    if (this.#length > 0) {
      this.#start = (this.#start + octets) % this.#store.length;
      return;
    }
    if (this.#store.length > SMALLEST) this.#store = EMPTY;
    this.#start = 0;
  }

  /** All octets, which leave. */
  take(): Uint8Array {
    const out = new Uint8Array(this.#length);
    if (this.#length > 0) this.copy(0, this.#length, out, 0);
    this.drop(this.#length);
    return out;
  }

  #grow(needed: number): void {
    let size = Math.max(SMALLEST, this.#store.length);
    while (size < needed) size *= 2;
    const store = new Uint8Array(Math.min(size, this.limit));
    if (this.#length > 0) this.copy(0, this.#length, store, 0);
    this.#store = store;
    this.#start = 0;
  }
}
