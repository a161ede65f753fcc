/** Two ends of a reliable stream in memory, for cases that need a peer and no network. Each delivery is a turn of its own. */
import { BoundedQueue } from '../base/bounded-queue.js';
import type { ByteStream, HalError, Micros, SocketAddress, StreamEvent } from '../hal.js';

/** Octets on the way in one direction; `write` accepts no more. */
const WINDOW = 16 * 1024;
/** Writes held for a paused reader: each is an octet at least, so the window bounds them. */
const HELD_WRITES = WINDOW;

export interface PairOptions {
  later(act: () => void): void;
  now(): Micros;
}

/** An end of the pair; `sent` counts the octets that it accepted. */
export interface MemoryStream extends ByteStream {
  readonly sent: number;
}

/** `open` comes to both in a later turn. */
export function streamPair(options: PairOptions): [MemoryStream, MemoryStream] {
  const a = new Memory(options, { address: '192.0.2.1', port: 49152 });
  const b = new Memory(options, { address: '192.0.2.2', port: 5061 });
  a.meet(b);
  b.meet(a);
  return [a, b];
}

class Memory implements MemoryStream {
  sent = 0;
  #peer!: Memory;
  #listener: ((event: StreamEvent) => void) | undefined;
  #onWay = 0;
  #short = false;
  #paused = false;
  #weEnded = false;
  #peerEnded = false;
  #over = false;
  readonly #held = new BoundedQueue<Uint8Array | 'end'>(HELD_WRITES);

  constructor(
    readonly options: PairOptions,
    readonly address: SocketAddress,
  ) {}

  meet(peer: Memory): void {
    this.#peer = peer;
    this.options.later(() => this.#emit({ type: 'open', local: this.address, peer: peer.address, at: this.options.now() }));
  }

  onEvent(listener: (event: StreamEvent) => void): void {
    this.#listener = listener;
  }

  write(bytes: Uint8Array): number {
    if (this.#over || this.#weEnded) return 0;
    const accepted = Math.min(bytes.length, WINDOW - this.#onWay);
    if (accepted < bytes.length) this.#short = true;
    if (accepted === 0) return 0;
    const copy = bytes.slice(0, accepted);
    this.#onWay += accepted;
    this.sent += accepted;
    this.options.later(() => this.#peer.#take(copy));
    return accepted;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.options.later(() => this.#release());
  }

  end(): void {
    if (this.#weEnded || this.#over) return;
    this.#weEnded = true;
    this.options.later(() => this.#peer.#take('end'));
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.options.later(() => this.#peer.#close({ kind: 'reset', detail: 'reset by the peer' }));
  }

  #take(item: Uint8Array | 'end'): void {
    this.#held.push(item);
    this.#release();
  }

  #release(): void {
    while (!this.#paused && !this.#over) {
      const item = this.#held.shift();
      if (item === undefined) return;
      if (item === 'end') this.#onPeerEnd();
      else {
        this.#emit({ type: 'data', bytes: item, at: this.options.now() });
        this.#peer.#arrived(item.length);
      }
    }
  }

  #arrived(length: number): void {
    this.#onWay -= length;
    if (!this.#short) return;
    this.#short = false;
    this.options.later(() => this.#emit({ type: 'writable', at: this.options.now() }));
  }

  #onPeerEnd(): void {
    this.#peerEnded = true;
    this.#emit({ type: 'end', at: this.options.now() });
    this.#closeWhenBothEnded();
    this.#peer.#closeWhenBothEnded();
  }

  #closeWhenBothEnded(): void {
    if (this.#weEnded && this.#peerEnded) this.options.later(() => this.#close());
  }

  #close(error?: HalError): void {
    this.#emit({ type: 'closed', ...(error ? { error } : {}), at: this.options.now() });
    this.#over = true;
  }

  #emit(event: StreamEvent): void {
    if (!this.#over) this.#listener?.(event);
  }
}
