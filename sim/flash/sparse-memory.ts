/** Memory that costs nothing where it is erased. */

import { isFilledWith } from '../../hal/base/bytes.js';

const CHUNK = 4096;

export class SparseMemory {
  /** Chunks that are not wholly erased, as far as they were written. */
  readonly #chunks = new Map<number, Uint8Array>();

  constructor(
    readonly size: number,
    readonly erased: 0x00 | 0xff,
  ) {}

  /** Memory with the same octets and a life of its own. */
  copy(): SparseMemory {
    const copy = new SparseMemory(this.size, this.erased);
    for (const [index, chunk] of this.#chunks) copy.#chunks.set(index, chunk.slice());
    return copy;
  }

  /** A copy. */
  read(offset: number, length: number): Uint8Array {
    const out = new Uint8Array(length).fill(this.erased);
    this.#each(offset, length, (index, from, to, done) => {
      const chunk = this.#chunks.get(index);
      if (chunk) out.set(chunk.subarray(from, to), done);
    });
    return out;
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#each(offset, bytes.length, (index, from, to, done) => {
      const part = bytes.subarray(done, done + to - from);
      const known = this.#chunks.get(index);
      if ((!known || part.length === CHUNK) && isFilledWith(part, this.erased)) {
        this.#chunks.delete(index);
        return;
      }
      const chunk = known ?? new Uint8Array(CHUNK).fill(this.erased);
      chunk.set(part, from);
      this.#chunks.set(index, chunk);
    });
  }

  /** Calls `visit` for each chunk touched: its index, the range inside it, and how many octets came before. */
  #each(offset: number, length: number, visit: (index: number, from: number, to: number, done: number) => void): void {
    for (let done = 0; done < length; ) {
      const from = (offset + done) % CHUNK;
      const to = Math.min(CHUNK, from + length - done);
      visit(Math.floor((offset + done) / CHUNK), from, to, done);
      done += to - from;
    }
  }
}
