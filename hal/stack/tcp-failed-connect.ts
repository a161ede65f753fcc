/** A connection that could not even be tried: its stream says so, later (law 1). */
import { EMPTY } from '../base/bytes.js';
import type { HalError, Micros } from '../hal.js';
import { type StreamOwner, TcpStream } from './tcp-stream.js';

export class FailedConnect implements StreamOwner {
  readonly stream: TcpStream;
  readonly readable = 0;
  readonly #wake: (which: FailedConnect) => void;

  constructor(error: HalError, wake: (which: FailedConnect) => void) {
    this.#wake = wake;
    this.stream = new TcpStream(this);
    this.stream.closed(error);
  }

  settle(at: Micros): void {
    this.stream.deliver(at);
  }

  wake(): void {
    this.#wake(this);
  }

  read(): Uint8Array {
    return EMPTY;
  }

  write(): number {
    return 0;
  }

  end(): void {}

  abort(): void {}
}
