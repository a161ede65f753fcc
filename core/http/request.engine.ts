/** Reads HTTP requests off a connection, one after the other, in whatever pieces they come (RFC 9112). Bounded in every part. */
import { ok } from '../../hal/base/result.js';
import type { Result } from '../../hal/hal.js';
import { BodyReader, type BodyResult } from './body.engine.js';
import { HeadReader } from './head.engine.js';
import { listMembers } from './message.codec.js';
import {
  decodeRequestLine,
  mayFollow,
  type RequestHead,
  type RequestLine,
  type RequestProblem,
  refused,
  requestFraming,
} from './request.codec.js';

export interface HttpRequest extends RequestHead {
  body: Uint8Array;
}

export type RequestResult =
  | { type: 'more' }
  /** The client waits for 100 before it sends the body (RFC 9110 part 10.1.1): answer that, or finally, and push what comes. */
  | { type: 'continue'; head: RequestHead }
  /** `rest` are the octets behind it: push them once it is answered. Without `keepAlive` they are not for us, and the answer is the last. */
  | { type: 'request'; request: HttpRequest; keepAlive: boolean; rest: Uint8Array }
  /** Answer with that status and close. */
  | ({ type: 'error' } & RequestProblem);

interface Current {
  head: RequestHead;
  body: BodyReader;
  /** The client waits to be told to go on. */
  waits: boolean;
}

export class RequestReader {
  readonly #heads = new HeadReader<RequestLine, RequestProblem>({
    decodeStart: decodeRequestLine,
    problem: (fault, detail) => ({ status: fault === 'malformed' ? 400 : fault === 'long-start' ? 414 : 431, detail }),
  });
  #current: Current | undefined;
  #over: RequestProblem | undefined;

  constructor(readonly maxBody: number) {}

  /** Between two requests: a connection that ends or falls silent here does nobody harm. */
  get idle(): boolean {
    return !this.#current && this.#heads.idle;
  }

  /** After an error the reader is spent. */
  push(bytes: Uint8Array): RequestResult {
    if (this.#over) return { type: 'error', ...this.#over };
    let at = 0;
    if (!this.#current) {
      const result = this.#heads.read(bytes, 0);
      if (result.type === 'more') return result;
      if (result.type === 'error') return this.#fail(result.problem);
      at = result.next;
      const begun = this.#begin({ ...result.start, fields: result.fields });
      if (!begun.ok) return this.#fail(begun.error);
      this.#current = begun.value;
    }
    return this.#readBody(this.#current, bytes, at);
  }

  #begin(head: RequestHead): Result<Current, RequestProblem> {
    const framing = requestFraming(head);
    if (!framing.ok) return framing;
    const expected = listMembers(head.fields, 'Expect');
    if (expected.some((member) => member !== '100-continue')) return refused(417, 'it expects more than 100-continue');
    const waits = expected.length > 0 && head.version === '1.1' && framing.value.type !== 'none';
    return ok({ head, body: new BodyReader(framing.value, this.maxBody), waits });
  }

  #readBody(current: Current, bytes: Uint8Array, from: number): RequestResult {
    const result: BodyResult = current.body.read(bytes, from);
    switch (result.type) {
      case 'more':
        // Who sends the body already does not wait.
        if (!current.waits || from < bytes.length) return result;
        current.waits = false;
        return { type: 'continue', head: current.head };
      case 'too-big':
        return this.#fail({ status: 413, detail: `the client sends ${result.detail}` });
      case 'malformed':
        return this.#fail({ status: 400, detail: result.detail });
      case 'complete':
        return this.#complete(current.head, result.body, bytes.subarray(result.next));
    }
  }

  #complete(head: RequestHead, body: Uint8Array, rest: Uint8Array): RequestResult {
    const keepAlive = mayFollow(head);
    this.#current = undefined;
    // RFC 9112 part 9.6: what comes behind the last request is not read any more.
    if (!keepAlive) this.#over = { status: 400, detail: 'octets behind the last request' };
    return { type: 'request', request: { ...head, body }, keepAlive, rest };
  }

  #fail(problem: RequestProblem): RequestResult {
    this.#over = problem;
    return { type: 'error', ...problem };
  }
}
