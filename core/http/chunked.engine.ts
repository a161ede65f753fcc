/** The chunked transfer coding (RFC 9112 part 7.1), read piece by piece. Extensions and trailer fields are checked and dropped. */
import { LineReader } from './lines.engine.js';
import { decodeField } from './message.codec.js';

export type ChunkedResult =
  /** `body` lies in the octets that were given; `next` is the octet behind what was read. */
  | { type: 'body'; body: Uint8Array; next: number }
  | { type: 'more' }
  | { type: 'complete'; next: number }
  | { type: 'error'; detail: string };

/** Ours: a chunk's line has a size and perhaps an extension, and no peer of ours sends trailers at all. */
const MAX_LINE = 1024;
const MAX_TRAILERS = 32;

/** chunk-ext of RFC 9112 part 7.1.1: `;name`, `;name=token` or `;name="quoted"`. */
const EXTENSIONS =
  /^(?:[ \t]*;[ \t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[ \t]*=[ \t]*(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+|"(?:[\t !#-[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"))?)*$/;

export class ChunkedReader {
  readonly #lines = new LineReader(MAX_LINE);
  #state: 'size' | 'data' | 'data-end' | 'trailer' = 'size';
  #left = 0;
  #trailers = 0;

  /** Reads on in `bytes` from `from`: at most one piece of body, then it is to be called again with `next`. */
  read(bytes: Uint8Array, from: number): ChunkedResult {
    let at = from;
    while (at < bytes.length) {
      if (this.#state === 'data') {
        const end = Math.min(bytes.length, at + this.#left);
        this.#left -= end - at;
        if (this.#left === 0) this.#state = 'data-end';
        return { type: 'body', body: bytes.subarray(at, end), next: end };
      }
      const result = this.#lines.read(bytes, at);
      if (result.type !== 'line') return result;
      at = result.next;
      const end = this.#take(result.line);
      if (end === 'complete') return { type: 'complete', next: at };
      if (end !== undefined) return { type: 'error', detail: end };
    }
    return { type: 'more' };
  }

  /** One line outside of data: undefined to go on, `complete`, or what is wrong. */
  #take(line: string): string | undefined {
    switch (this.#state) {
      case 'size':
        return this.#takeSize(line);
      case 'data-end':
        this.#state = 'size';
        return line === '' ? undefined : 'a chunk is longer than it said';
      default:
        if (line === '') return 'complete';
        return ++this.#trailers > MAX_TRAILERS || !decodeField(line).ok ? 'the trailer is malformed' : undefined;
    }
  }

  #takeSize(line: string): string | undefined {
    // Eight digits are 4 GiB: beyond any limit that a body has here.
    const m = /^([0-9A-Fa-f]{1,8})(.*)$/.exec(line);
    if (!m || !EXTENSIONS.test(m[2]!)) return 'a chunk does not begin with its size';
    this.#left = Number.parseInt(m[1]!, 16);
    this.#state = this.#left === 0 ? 'trailer' : 'data';
    return undefined;
  }
}
