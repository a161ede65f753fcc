/** Ends of connections that remember what they were told. */
import { concat } from '../../hal/base/bytes.js';
import type { ByteStream, Micros, StreamEvent } from '../../hal/hal.js';

export class End {
  readonly events: StreamEvent[] = [];
  readonly #parts: Uint8Array[] = [];
  #toSend: Uint8Array | undefined;
  #endAfter = false;
  received = 0;

  constructor(readonly stream: ByteStream) {
    stream.onEvent((event) => this.#on(event));
  }

  get names(): string[] {
    return this.events.map(({ type }) => type).filter((type, i, all) => type !== 'data' || all[i - 1] !== 'data');
  }

  get bytes(): Uint8Array {
    return concat(...this.#parts);
  }

  get closed(): (StreamEvent & { type: 'closed' }) | undefined {
    const last = this.events.at(-1);
    return last?.type === 'closed' ? last : undefined;
  }

  /** Octets that `send` was given and the stream has not taken. */
  get unsent(): number {
    return this.#toSend?.length ?? 0;
  }

  at(type: StreamEvent['type']): Micros | undefined {
    return this.events.find((event) => event.type === type)?.at;
  }

  /** Writes all of it, as fast as `writable` allows. */
  send(bytes: Uint8Array, thenEnd = false): void {
    this.#toSend = bytes;
    this.#endAfter = thenEnd;
    this.#pump();
  }

  #on(event: StreamEvent): void {
    this.events.push(event);
    if (event.type === 'data') {
      this.#parts.push(event.bytes);
      this.received += event.bytes.length;
    } else if (event.type === 'writable') this.#pump();
  }

  #pump(): void {
    if (!this.#toSend) return;
    this.#toSend = this.#toSend.subarray(this.stream.write(this.#toSend));
    if (this.#toSend.length > 0) return;
    this.#toSend = undefined;
    if (this.#endAfter) this.stream.end();
  }
}

export function pattern(length: number, seed = 1): Uint8Array {
  const out = new Uint8Array(length);
  for (let i = 0, x = seed; i < length; i++) {
    x = (Math.imul(x, 1103515245) + 12345) >>> 0;
    out[i] = x >>> 16;
  }
  return out;
}
