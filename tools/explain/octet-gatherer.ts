/** Octets that come in pieces and are taken in others: each is copied once, however small the pieces are. */
import { concat, EMPTY } from '../../hal/base/bytes.js';

export class OctetGatherer {
  #parts: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }

  /** The first octets; fewer where there are fewer. */
  peek(octets: number): Uint8Array {
    const [first = EMPTY] = this.#parts;
    if (first.length >= octets || this.#parts.length < 2) return first.subarray(0, octets);
    const needed: Uint8Array[] = [];
    for (let have = 0, i = 0; have < octets && i < this.#parts.length; i++) {
      needed.push(this.#parts[i]!);
      have += this.#parts[i]!.length;
    }
    return concat(...needed).subarray(0, octets);
  }

  /** Of those that are here. */
  take(octets: number): Uint8Array {
    const all = this.#parts.length === 1 ? this.#parts[0]! : concat(...this.#parts);
    const rest = all.subarray(octets);
    this.#parts = rest.length > 0 ? [rest] : [];
    this.#length = rest.length;
    return all.subarray(0, octets);
  }

  clear(): void {
    this.#parts = [];
    this.#length = 0;
  }
}
