/** Reads the body of an HTTP/1 message (RFC 9112 part 6) as its head told the end of it, and keeps no more than it may. */
import { concat } from '../../hal/base/bytes.js';
import { ChunkedReader } from './chunked.engine.js';
import type { BodyFraming } from './message.codec.js';

export type BodyResult =
  | { type: 'more' }
  /** `next` is the octet behind the body. */
  | { type: 'complete'; body: Uint8Array; next: number }
  | { type: 'too-big'; detail: string }
  | { type: 'malformed'; detail: string };

export class BodyReader {
  readonly #chunks = new ChunkedReader();
  #pieces: Uint8Array[] = [];
  #size = 0;

  constructor(
    readonly framing: BodyFraming,
    readonly max: number,
  ) {}

  /** The octets must stay as they are until the body is complete. */
  read(bytes: Uint8Array, from: number): BodyResult {
    switch (this.framing.type) {
      case 'none':
        return this.#complete(from);
      case 'length': {
        if (this.framing.length > this.max) return this.#tooBig(`of ${this.framing.length} octets`);
        const end = Math.min(bytes.length, from + this.framing.length - this.#size);
        this.#keep(bytes.subarray(from, end));
        return this.#size === this.framing.length ? this.#complete(end) : { type: 'more' };
      }
      case 'until-close':
        this.#keep(bytes.subarray(from));
        return this.#size > this.max ? this.#tooBig('without a length') : { type: 'more' };
      case 'chunked':
        return this.#readChunks(bytes, from);
    }
  }

  /** The peer closed the stream: the body if closing is how it ends, else why it is not whole. */
  end(): { type: 'complete'; body: Uint8Array } | { type: 'cut'; detail: string } {
    if (this.framing.type === 'until-close') return { type: 'complete', body: concat(...this.#pieces) };
    const detail = this.framing.type === 'length' ? `after ${this.#size} of ${this.framing.length} octets` : 'in the middle of the answer';
    return { type: 'cut', detail: `the connection closed ${detail}` };
  }

  #readChunks(bytes: Uint8Array, from: number): BodyResult {
    for (let at = from; ; ) {
      const result = this.#chunks.read(bytes, at);
      if (result.type === 'more') return result;
      if (result.type === 'error') return { type: 'malformed', detail: result.detail };
      if (result.type === 'complete') return this.#complete(result.next);
      this.#keep(result.body);
      at = result.next;
      if (this.#size > this.max) return this.#tooBig('in chunks');
    }
  }

  #keep(piece: Uint8Array): void {
    this.#size += piece.length;
    if (piece.length > 0 && this.#size <= this.max) this.#pieces.push(piece);
  }

  #complete(next: number): BodyResult {
    return { type: 'complete', body: concat(...this.#pieces), next };
  }

  #tooBig(size: string): BodyResult {
    return { type: 'too-big', detail: `a body ${size}, at most ${this.max} are taken` };
  }
}
