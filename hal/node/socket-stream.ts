/** What a TCP and a TLS stream have in common: a Node socket behind the `ByteStream` contract. */
import type { Socket } from 'node:net';
import type { ByteStream, HalError, Micros, SocketAddress, StreamEvent } from '../hal.js';
import { plain } from './octets.js';

/** Octets accepted for sending and not yet sent; `write` accepts no more. */
const WRITE_LIMIT = 64 * 1024;

export interface Timebase {
  now(): Micros;
}

/** `write` accepts nothing before `open`; pausing and ending before it take effect with it. */
export abstract class SocketStream<S extends Socket = Socket> implements ByteStream {
  protected readonly clock: Timebase;
  protected readonly socket: S;
  #state: 'opening' | 'open' | 'closed' = 'opening';
  #listener: ((event: StreamEvent) => void) | undefined;
  #ended = false;
  #paused = false;
  /** A write was cut short: `writable` is owed. */
  #short = false;

  protected constructor(clock: Timebase, socket: S) {
    this.clock = clock;
    this.socket = socket;
  }

  onEvent(listener: (event: StreamEvent) => void): void {
    this.#listener = listener;
  }

  write(bytes: Uint8Array): number {
    if (this.#state !== 'open' || this.#ended || !this.socket.writable) return 0;
    const accepted = Math.min(bytes.length, Math.max(0, WRITE_LIMIT - this.socket.writableLength));
    if (accepted < bytes.length) this.#short = true;
    // A copy: the octets stay the caller's.
    const gone = accepted > 0 && this.socket.write(Buffer.from(bytes.subarray(0, accepted)));
    // What the operating system took at once leaves nothing to drain, and Node says nothing more.
    if (gone && this.#short) setImmediate(() => this.#onDrain());
    return accepted;
  }

  pause(): void {
    this.#paused = true;
    if (this.#state === 'open') this.socket.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#state === 'open') this.socket.resume();
  }

  end(): void {
    this.#ended = true;
    if (this.#state === 'open') this.socket.end();
  }

  abort(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.reset();
  }

  /** Ends the connection without ceremony; nothing is reported any more. */
  protected abstract reset(): void;

  protected get ended(): boolean {
    return this.#ended;
  }

  protected get opening(): boolean {
    return this.#state === 'opening';
  }

  /** Reports `open`, and from then on what the socket brings. */
  protected opened(local: SocketAddress, peer: SocketAddress, at: Micros): void {
    const { socket } = this;
    this.#state = 'open';
    socket.on('drain', () => this.#onDrain());
    socket.on('end', () => this.#emit({ type: 'end', at: this.clock.now() }));
    // A socket that is paused in so many words stays so when it gets a listener.
    socket.pause();
    socket.on('data', (chunk: Buffer) => this.#emit({ type: 'data', bytes: plain(chunk), at: this.clock.now() }));
    this.#emit({ type: 'open', local, peer, at });
    if (!this.#paused) socket.resume();
    if (this.#ended) socket.end();
  }

  /** Reports `closed`, once. */
  protected closed(error: HalError | undefined): void {
    this.#emit({ type: 'closed', ...(error ? { error } : {}), at: this.clock.now() });
    this.#state = 'closed';
  }

  #onDrain(): void {
    if (!this.#short) return;
    this.#short = false;
    this.#emit({ type: 'writable', at: this.clock.now() });
  }

  #emit(event: StreamEvent): void {
    if (this.#state !== 'closed') this.#listener?.(event);
  }
}
