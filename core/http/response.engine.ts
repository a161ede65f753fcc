/** Reads one HTTP answer to a GET from a byte stream, in whatever pieces it comes. Bounded in every part. */
import { EMPTY } from '../../hal/base/bytes.js';
import type { HalErrorKind } from '../../hal/hal.js';
import { BodyReader, type BodyResult } from './body.engine.js';
import { HeadReader } from './head.engine.js';
import { decodeStatusLine, keepsAlive, type ResponseHead, responseFraming, type StatusLine } from './message.codec.js';

export interface HttpResponse extends ResponseHead {
  body: Uint8Array;
}

export type ResponseResult =
  | { type: 'more' }
  /** `keepAlive`: the connection can take another request; `rest` are octets behind the answer, which nobody asked for. */
  | { type: 'response'; response: HttpResponse; keepAlive: boolean; rest: Uint8Array }
  | { type: 'error'; kind: HalErrorKind; detail: string };

/** Interim answers (1xx) before the final one; 100 and 103 are all there are. */
const MAX_INTERIM = 4;

const malformed = (detail: string): ResponseResult => ({ type: 'error', kind: 'other', detail });

export class ResponseReader {
  readonly #heads = new HeadReader<StatusLine, string>({
    decodeStart: decodeStatusLine,
    problem: (_fault, detail) => detail,
  });
  #interim = 0;
  #head: ResponseHead | undefined;
  #body: BodyReader | undefined;

  constructor(readonly maxBody: number) {}

  /** After an error or an answer the reader is spent. */
  push(bytes: Uint8Array): ResponseResult {
    let at = 0;
    while (!this.#body || !this.#head) {
      const result = this.#heads.read(bytes, at);
      if (result.type === 'more') return result;
      if (result.type === 'error') return malformed(result.problem);
      at = result.next;
      const problem = this.#take({ ...result.start, fields: result.fields });
      if (problem !== undefined) return malformed(problem);
    }
    return this.#finish(this.#head, this.#body, this.#body.read(bytes, at), bytes);
  }

  /** The peer closed the stream: the answer if closing is how it ends, else why it is not whole. */
  end(): ResponseResult {
    if (!this.#body || !this.#head) return { type: 'error', kind: 'reset', detail: 'the connection closed before an answer' };
    const end = this.#body.end();
    if (end.type === 'cut') return { type: 'error', kind: 'reset', detail: end.detail };
    return { type: 'response', response: { ...this.#head, body: end.body }, keepAlive: false, rest: EMPTY };
  }

  /** A whole head, or what is wrong with it. */
  #take(head: ResponseHead): string | undefined {
    // No upgrade was asked for.
    if (head.status === 101) return 'the server changes the protocol unasked';
    if (head.status < 200) return ++this.#interim > MAX_INTERIM ? 'the server sends interim answers without end' : undefined;
    const framing = responseFraming(head);
    if (!framing.ok) return framing.error;
    this.#head = head;
    this.#body = new BodyReader(framing.value, this.maxBody);
    return undefined;
  }

  #finish(head: ResponseHead, { framing }: BodyReader, result: BodyResult, bytes: Uint8Array): ResponseResult {
    switch (result.type) {
      case 'more':
        return result;
      case 'malformed':
        return malformed(result.detail);
      case 'too-big':
        // Of an answer that is not the file its status is all that counts: what is for people may be as long as it likes.
        return head.status < 300
          ? { type: 'error', kind: 'too-big', detail: `the server sends ${result.detail}` }
          : { type: 'response', response: { ...head, body: EMPTY }, keepAlive: false, rest: EMPTY };
      case 'complete': {
        const rest = bytes.subarray(result.next);
        return { type: 'response', response: { ...head, body: result.body }, keepAlive: keepsAlive(head, framing), rest };
      }
    }
  }
}
