/** Reads the body of an HTTP/1 message (RFC 9112 part 6) as its head told the end of it, and keeps no more than it may. */
import { EMPTY } from '../../hal/base/bytes.js';
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
  /** The first `#size` octets are the body so far. A copy: views of what came would keep all of it, and there may be one for each octet. */
  #bytes: Uint8Array = EMPTY;
  #size = 0;

  constructor(
    readonly framing: BodyFraming,
    readonly max: number,
  ) {}

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
    if (this.framing.type === 'until-close') return { type: 'complete', body: this.#body };
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
    const size = this.#size + piece.length;
    if (size <= this.max) {
      if (size > this.#bytes.length) this.#bytes = grown(this.#bytes, Math.min(this.max, Math.max(size, 2 * this.#size)));
      this.#bytes.set(piece, this.#size);
    }
    this.#size = size;
  }

  get #body(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  #complete(next: number): BodyResult {
    return { type: 'complete', body: this.#body, next };
  }

  #tooBig(size: string): BodyResult {
    return { type: 'too-big', detail: `a body ${size}, at most ${this.max} are taken` };
  }
}

function grown(bytes: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  out.set(bytes);
  return out;
}
