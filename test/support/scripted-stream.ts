/** A byte stream whose far end is the test. */
import { concat, fromLatin1, latin1 } from '../../hal/base/bytes.js';
import type { ByteStream, HalError, Micros, StreamEvent } from '../../hal/hal.js';

type Told<E> = E extends unknown ? Omit<E, 'at'> : never;

export class ScriptedStream implements ByteStream {
  state: 'connecting' | 'open' | 'ended' | 'closed' | 'aborted' = 'connecting';
  /** Octets that it accepts a write; the rest has to wait for `writable`. */
  window = Number.POSITIVE_INFINITY;
  #sent: Uint8Array[] = [];
  #listener: ((event: StreamEvent) => void) | undefined;

  /** `turn` runs a delivery as one turn of the kernel, with its time. */
  constructor(private readonly turn: (deliver: (at: Micros) => void) => void) {}

  /** What was written to it so far, and not taken before. */
  taken(): string {
    const text = latin1(concat(...this.#sent));
    this.#sent = [];
    return text;
  }

  open(): void {
    this.state = 'open';
    const address = { address: '192.0.2.1', port: 1 };
    this.#tell({ type: 'open', local: address, peer: address });
  }
  answer(text: string): void {
    this.#tell({ type: 'data', bytes: fromLatin1(text) });
  }
  writable(): void {
    this.#tell({ type: 'writable' });
  }
  finish(): void {
    this.#tell({ type: 'end' });
  }
  fail(error?: HalError): void {
    this.#tell(error ? { type: 'closed', error } : { type: 'closed' });
    this.state = 'closed';
  }

  onEvent(listener: (event: StreamEvent) => void): void {
    this.#listener = listener;
  }
  write(bytes: Uint8Array): number {
    const taken = bytes.slice(0, Math.min(bytes.length, this.window));
    this.#sent.push(taken);
    return taken.length;
  }
  pause(): void {}
  resume(): void {}
  end(): void {
    this.state = 'ended';
  }
  abort(): void {
    this.state = 'aborted';
  }

  #tell(event: Told<StreamEvent>): void {
    // Law 5: nothing is delivered after an abort.
    if (this.state === 'aborted' || this.state === 'closed') return;
    this.turn((at) => this.#listener?.({ ...event, at } as StreamEvent));
  }
}
