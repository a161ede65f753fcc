/** Reads the head of an HTTP/1 message (RFC 9112 part 2.1): a start line, fields, an empty line. Bounded in every part. */
import { err, ok } from '../../hal/base/result.js';
import type { Result } from '../../hal/hal.js';
import { LineReader } from './lines.engine.js';
import { decodeField, type HttpFields } from './message.codec.js';

/** Ours: RFC 9112 part 3 asks for lines of at least 8000 octets; nobody sends a hundred fields of their own accord. */
const MAX_LINE = 8192;
const MAX_FIELDS = 100;
const MAX_HEAD = 32 * 1024;
/** RFC 9112 part 2.2: empty lines that some senders leave behind a body. */
const MAX_EMPTY = 4;

export type HeadResult<Start, Problem> =
  | { type: 'more' }
  /** `next` is the octet behind the head. */
  | { type: 'head'; start: Start; fields: HttpFields; next: number }
  | { type: 'error'; problem: Problem };

/** What is wrong with a head besides its start line: malformed, a start line that is too long, or too much of it. */
export type HeadFault = 'malformed' | 'long-start' | 'too-large';

export interface HeadRules<Start, Problem> {
  decodeStart(line: string): Result<Start, Problem>;
  problem(fault: HeadFault, detail: string): Problem;
}

/** Reads one head after the other; after an error it is spent. */
export class HeadReader<Start, Problem> {
  readonly #rules: HeadRules<Start, Problem>;
  readonly #lines = new LineReader(MAX_LINE);
  #start: Start | undefined;
  #fields: (readonly [string, string])[] = [];
  #size = 0;
  #empty = 0;

  constructor(rules: HeadRules<Start, Problem>) {
    this.#rules = rules;
  }

  /** Nothing of a head has come, but for empty lines before it. */
  get idle(): boolean {
    return this.#start === undefined && this.#lines.idle;
  }

  read(bytes: Uint8Array, from: number): HeadResult<Start, Problem> {
    for (let at = from; ; ) {
      const result = this.#lines.read(bytes, at);
      if (result.type === 'more') return result;
      if (result.type === 'error') return { type: 'error', problem: this.#lineProblem(result.reason, result.detail) };
      at = result.next;
      if (result.line === '' && this.#start !== undefined) return this.#complete(this.#start, at);
      const taken = this.#take(result.line);
      if (!taken.ok) return { type: 'error', problem: taken.error };
    }
  }

  #take(line: string): Result<void, Problem> {
    this.#size += line.length;
    if (this.#size > MAX_HEAD) return this.#fault('too-large', `the head has more than ${MAX_HEAD} octets`);
    if (this.#start === undefined) return this.#takeStart(line);
    const field = decodeField(line);
    if (!field.ok) return this.#fault('malformed', field.error);
    this.#fields.push(field.value);
    return this.#fields.length > MAX_FIELDS ? this.#fault('too-large', `there are more than ${MAX_FIELDS} header fields`) : ok(undefined);
  }

  #takeStart(line: string): Result<void, Problem> {
    if (line === '') return ++this.#empty > MAX_EMPTY ? this.#fault('malformed', 'empty lines come without end') : ok(undefined);
    const start = this.#rules.decodeStart(line);
    if (!start.ok) return start;
    this.#start = start.value;
    return ok(undefined);
  }

  #complete(start: Start, next: number): HeadResult<Start, Problem> {
    const fields = this.#fields;
    this.#start = undefined;
    this.#fields = [];
    this.#size = 0;
    this.#empty = 0;
    return { type: 'head', start, fields, next };
  }

  #lineProblem(reason: 'long' | 'malformed', detail: string): Problem {
    const fault = reason === 'malformed' ? reason : this.#start === undefined ? 'long-start' : 'too-large';
    return this.#rules.problem(fault, detail);
  }

  #fault(fault: HeadFault, detail: string): Result<never, Problem> {
    return err(this.#rules.problem(fault, detail));
  }
}
