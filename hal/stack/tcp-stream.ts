/** A connection as a ByteStream: what is to be told waits here until telling is allowed (law 1), in the order that hal.ts promises. */
import type { ByteStream, HalError, Micros, SocketAddress, StreamEvent } from '../hal.js';

/** What a stream stands on. */
export interface StreamOwner {
  write(bytes: Uint8Array): number;
  end(): void;
  abort(): void;
  /** Octets that wait in order. */
  readonly readable: number;
  /** Takes them all. */
  read(): Uint8Array;
  /** Asks for a call of `deliver` soon, outside the present call. */
  wake(): void;
}

export class TcpStream implements ByteStream {
  readonly #owner: StreamOwner;
  #listener: ((event: StreamEvent) => void) | undefined;
  #paused = false;
  #open: { local: SocketAddress; peer: SocketAddress } | undefined;
  #writable = false;
  #end: 'no' | 'due' | 'told' = 'no';
  #closed: { error?: HalError } | undefined;
  /** Nothing is told any more: `closed` was, or the reader aborted (law 5). */
  #over = false;

  constructor(owner: StreamOwner) {
    this.#owner = owner;
  }

  onEvent(listener: (event: StreamEvent) => void): void {
    this.#listener = listener;
    this.#owner.wake();
  }

  write(bytes: Uint8Array): number {
    return this.#over || this.#closed ? 0 : this.#owner.write(bytes);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#owner.wake();
  }

  end(): void {
    if (!this.#over && !this.#closed) this.#owner.end();
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    if (!this.#closed) this.#owner.abort();
  }

  opened(local: SocketAddress, peer: SocketAddress): void {
    this.#open = { local, peer };
  }

  writable(): void {
    this.#writable = true;
  }

  /** The peer will send nothing more. */
  ended(): void {
    if (this.#end === 'no') this.#end = 'due';
  }

  /** Both directions are done, or the connection failed. */
  closed(error?: HalError): void {
    this.#closed ??= error ? { error } : {};
  }

  /** Tells what may be told. The listener may call anything, `abort` included. */
  deliver(at: Micros): void {
    for (let event = this.#take(at); event; event = this.#take(at)) this.#listener!(event);
  }

  #take(at: Micros): StreamEvent | undefined {
    if (!this.#listener || this.#over) return undefined;
    if (this.#closed?.error) return this.#last(at);
    if (this.#open) {
      const { local, peer } = this.#open;
      this.#open = undefined;
      return { type: 'open', local, peer, at };
    }
    if (this.#writable) {
      this.#writable = false;
      return { type: 'writable', at };
    }
    if (this.#owner.readable > 0) {
      // The end waits until all is read.
      return this.#paused ? undefined : { type: 'data', bytes: this.#owner.read(), at };
    }
    if (this.#end === 'due') {
      this.#end = 'told';
      return { type: 'end', at };
    }
    return this.#closed ? this.#last(at) : undefined;
  }

  #last(at: Micros): StreamEvent {
    this.#over = true;
    return { type: 'closed', ...this.#closed, at };
  }
}
