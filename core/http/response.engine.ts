/** Reads one HTTP answer to a GET from a byte stream, in whatever pieces it comes. Bounded in every part. */
import { concat, EMPTY } from '../../hal/base/bytes.js';
import type { HalErrorKind } from '../../hal/hal.js';
import { ChunkedReader } from './chunked.engine.js';
import { LineReader } from './lines.engine.js';
import { type BodyFraming, decodeField, decodeStatusLine, keepsAlive, type ResponseHead, responseFraming } from './message.codec.js';

export interface HttpResponse extends ResponseHead {
  body: Uint8Array;
}

export type ResponseResult =
  | { type: 'more' }
  /** `keepAlive`: the connection can take another request; `rest` are octets behind the answer, which nobody asked for. */
  | { type: 'response'; response: HttpResponse; keepAlive: boolean; rest: Uint8Array }
  | { type: 'error'; kind: HalErrorKind; detail: string };

/** Ours: RFC 9112 part 3 asks for lines of at least 8000 octets; no server sends a hundred fields of its own accord. */
const MAX_LINE = 8192;
const MAX_FIELDS = 100;
/** Interim answers (1xx) before the final one; 100 and 103 are all there are. */
const MAX_INTERIM = 4;

const malformed = (detail: string): ResponseResult => ({ type: 'error', kind: 'other', detail });

export class ResponseReader {
  readonly #lines = new LineReader(MAX_LINE);
  readonly #chunks = new ChunkedReader();
  #status: Pick<ResponseHead, 'version' | 'status' | 'reason'> | undefined;
  #fields: (readonly [string, string])[] = [];
  #started = false;
  #interim = 0;
  #head: ResponseHead | undefined;
  #framing: BodyFraming = { type: 'none' };
  #body: Uint8Array[] = [];
  #size = 0;

  constructor(readonly maxBody: number) {}

  /** The octets must stay as they are until the answer is complete. After an error or an answer the reader is spent. */
  push(bytes: Uint8Array): ResponseResult {
    let at = 0;
    while (!this.#head) {
      const result = this.#lines.read(bytes, at);
      if (result.type === 'more') return result;
      if (result.type === 'error') return malformed(result.detail);
      at = result.next;
      const problem = this.#takeLine(result.line);
      if (problem !== undefined) return malformed(problem);
    }
    return this.#readBody(this.#head, bytes, at);
  }

  /** The peer closed the stream: the answer if closing is how it ends, else why it is not whole. */
  end(): ResponseResult {
    if (this.#head && this.#framing.type === 'until-close') return this.#complete(this.#head, EMPTY);
    const detail =
      this.#framing.type === 'length'
        ? `the connection closed after ${this.#size} of ${this.#framing.length} octets`
        : `the connection closed ${this.#head ? 'in the middle of the answer' : 'before an answer'}`;
    return { type: 'error', kind: 'reset', detail };
  }

  /** A line of the head, or what is wrong with it. */
  #takeLine(line: string): string | undefined {
    if (!this.#status) {
      // One empty line before the status line is what some servers leave behind a body.
      if (line === '' && !this.#started) {
        this.#started = true;
        return undefined;
      }
      const status = decodeStatusLine(line);
      if (!status.ok) return status.error;
      this.#status = status.value;
      return undefined;
    }
    if (line === '') return this.#headComplete({ ...this.#status, fields: this.#fields });
    const decoded = decodeField(line);
    if (!decoded.ok) return decoded.error;
    this.#fields.push(decoded.value);
    return this.#fields.length > MAX_FIELDS ? `the answer has more than ${MAX_FIELDS} header fields` : undefined;
  }

  #headComplete(head: ResponseHead): string | undefined {
    // 101 cannot come: no upgrade was asked for.
    if (head.status < 200 && head.status !== 101) {
      this.#status = undefined;
      this.#fields = [];
      this.#started = false;
      return ++this.#interim > MAX_INTERIM ? 'the server sends interim answers without end' : undefined;
    }
    if (head.status === 101) return 'the server changes the protocol unasked';
    const framing = responseFraming(head);
    if (!framing.ok) return framing.error;
    this.#head = head;
    this.#framing = framing.value;
    return undefined;
  }

  #readBody(head: ResponseHead, bytes: Uint8Array, from: number): ResponseResult {
    switch (this.#framing.type) {
      case 'none':
        return this.#complete(head, bytes.subarray(from));
      case 'length': {
        if (this.#framing.length > this.maxBody) return this.#tooBig(head, `of ${this.#framing.length} octets`);
        const end = Math.min(bytes.length, from + this.#framing.length - this.#size);
        this.#keep(bytes.subarray(from, end));
        return this.#size === this.#framing.length ? this.#complete(head, bytes.subarray(end)) : { type: 'more' };
      }
      case 'until-close':
        this.#keep(bytes.subarray(from));
        return this.#size > this.maxBody ? this.#tooBig(head, 'without a length') : { type: 'more' };
      case 'chunked':
        return this.#readChunks(head, bytes, from);
    }
  }

  #readChunks(head: ResponseHead, bytes: Uint8Array, from: number): ResponseResult {
    for (let at = from; ; ) {
      const result = this.#chunks.read(bytes, at);
      if (result.type === 'more') return result;
      if (result.type === 'error') return malformed(result.detail);
      if (result.type === 'complete') return this.#complete(head, bytes.subarray(result.next));
      this.#keep(result.body);
      at = result.next;
      if (this.#size > this.maxBody) return this.#tooBig(head, 'in chunks');
    }
  }

  #keep(piece: Uint8Array): void {
    this.#size += piece.length;
    if (piece.length > 0 && this.#size <= this.maxBody) this.#body.push(piece);
  }

  #tooBig(head: ResponseHead, size: string): ResponseResult {
    // Of an answer that is not the file its status is all that counts: what is for people may be as long as it likes.
    if (head.status >= 300) return { type: 'response', response: { ...head, body: EMPTY }, keepAlive: false, rest: EMPTY };
    return { type: 'error', kind: 'too-big', detail: `the server sends a body ${size}, at most ${this.maxBody} are taken` };
  }

  #complete(head: ResponseHead, rest: Uint8Array): ResponseResult {
    const keepAlive = rest.length === 0 && keepsAlive(head, this.#framing);
    return { type: 'response', response: { ...head, body: concat(...this.#body) }, keepAlive, rest };
  }
}
