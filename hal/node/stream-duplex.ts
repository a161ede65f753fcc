/**
 * A `ByteStream` as a Node Duplex, for node:tls and node:https. Bytes must come in a later turn of the event loop than the write that
 * they answer (TCP does by nature, a simulated world by waiting until TLS is quiet): OpenSSL otherwise loses the alert it was about to send.
 */
import { Duplex } from 'node:stream';
import { concat } from '../base/bytes.js';
import type { ByteStream, HalError, SocketAddress, StreamEvent } from '../hal.js';
import { plain } from './octets.js';

/** Octets held for a slow reader before the stream below is paused: four TLS records. */
const HELD_OCTETS = 64 * 1024;

/** What Node is told when the stream below fails; the reason itself is kept in `failure`. */
export class StreamFailure extends Error {
  constructor(readonly failure: HalError) {
    super(failure.detail);
  }
}

export class StreamDuplex extends Duplex {
  /** Known once the stream below has reported `open`. */
  local: SocketAddress | undefined;
  peer: SocketAddress | undefined;
  /** Why the stream below closed, where it did not close in order. */
  failure: HalError | undefined;
  /** The stream below is closed: nothing more comes or goes. */
  over = false;
  readonly #under: ByteStream;
  #pending: { bytes: Uint8Array; done: (error?: Error) => void } | undefined;
  /** Octets may be written from the first event on: a stream that connects takes none before `open`, one handed over open reports others. */
  #ready = false;
  #held = false;
  #peerEnded = false;
  #weEnded = false;

  constructor(under: ByteStream) {
    super({ allowHalfOpen: true, highWaterMark: HELD_OCTETS });
    this.#under = under;
    under.onEvent((event) => this.#onEvent(event));
  }

  override _read(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#under.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#pending = { bytes: plain(chunk), done };
    this.#flush();
  }

  /** One write a flight: what OpenSSL writes together leaves together. */
  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#pending = { bytes: concat(...chunks.map(({ chunk }) => chunk)), done };
    this.#flush();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#weEnded = true;
    this.#under.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // After an orderly end the peer's FIN is still to come: a reset now could overtake the last octets that we sent.
    if (!this.over && (error || !this.#weEnded)) {
      this.#under.end(); // An alert that was just written goes out before the reset.
      this.#under.abort();
    }
    done(error);
  }

  #onEvent(event: StreamEvent): void {
    if (this.destroyed) return;
    this.#ready = true;
    switch (event.type) {
      case 'open':
        this.local = event.local;
        this.peer = event.peer;
        this.#flush();
        break;
      case 'data':
        if (!this.push(event.bytes)) {
          this.#held = true;
          this.#under.pause();
        }
        break;
      case 'writable':
        this.#flush();
        break;
      case 'end':
        this.#endReading();
        break;
      case 'closed':
        this.#onClosed(event.error);
    }
  }

  #endReading(): void {
    if (this.#peerEnded) return;
    this.#peerEnded = true;
    this.push(null);
  }

  #onClosed(error: HalError | undefined): void {
    this.over = true;
    this.failure = error;
    if (error || this.readableEnded) this.destroy(error ? new StreamFailure(error) : undefined);
    else this.#endReading();
  }

  #flush(): void {
    const pending = this.#pending;
    if (!pending || !this.#ready) return;
    const accepted = this.over ? pending.bytes.length : this.#under.write(pending.bytes);
    if (accepted < pending.bytes.length) {
      pending.bytes = pending.bytes.subarray(accepted);
      return;
    }
    this.#pending = undefined;
    pending.done(this.over ? new StreamFailure({ kind: 'closed', detail: 'the connection is closed' }) : undefined);
  }
}
