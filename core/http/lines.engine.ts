/** Lines of a byte stream that end with CR LF and nothing else (RFC 9112 part 2.2), however the stream is cut into pieces. */
import { latin1 } from '../../hal/base/bytes.js';

export type LineResult =
  | { type: 'line'; line: string; next: number }
  | { type: 'more' }
  | { type: 'error'; reason: 'long' | 'malformed'; detail: string };

export class LineReader {
  #held = '';

  constructor(readonly limit: number) {}

  /** Nothing of a line has come. */
  get idle(): boolean {
    return this.#held === '';
  }

  /** The line that ends in `bytes` at or after `from`; `next` is the octet behind it. */
  read(bytes: Uint8Array, from: number): LineResult {
    const lf = bytes.indexOf(0x0a, from);
    const end = lf < 0 ? bytes.length : lf;
    if (this.#held.length + end - from > this.limit)
      return { type: 'error', reason: 'long', detail: `a line is longer than ${this.limit} octets` };
    this.#held += latin1(bytes, from, end);
    const cr = this.#held.indexOf('\r');
    if (cr >= 0 && cr < this.#held.length - 1) return { type: 'error', reason: 'malformed', detail: 'a carriage return stands alone' };
    if (lf < 0) return { type: 'more' };
    if (cr < 0) return { type: 'error', reason: 'malformed', detail: 'a line ends without a carriage return' };
    const line = this.#held.slice(0, -1);
    this.#held = '';
    return { type: 'line', line, next: lf + 1 };
  }
}
