/**
 * GETs from one origin, one after the other, over as few connections as the server allows. What is asked for once and was not answered
 * because the server had just closed an idle connection is asked for once more on a new one (RFC 9112 part 9.5): a GET may be repeated.
 */
import { fail, invariant, ok } from '../../hal/base/result.js';
import { SECOND } from '../../hal/base/time.js';
import type { Timer } from '../../hal/base/timers.js';
import type { ByteStream, Done, HalError, Micros, StreamEvent } from '../../hal/hal.js';
import type { Kernel } from '../kernel/kernel.js';
import { encodeRequest, type HttpFields } from './message.codec.js';
import { type HttpResponse, ResponseReader, type ResponseResult } from './response.engine.js';

export interface HttpOrigin {
  /** Connects anew; for https the stream opens after the verdict on the server. */
  connect(): ByteStream;
  /** What the Host header says. */
  authority: string;
}

/** Ours. A TLS handshake with a slow peer fits the first, a starved transfer does not outlast the third. */
export const HTTP_LIMITS = {
  connect: 15 * SECOND,
  silence: 15 * SECOND,
  total: 90 * SECOND,
  /** A settings file of all keys of this firmware has a quarter of it. */
  body: 64 * 1024,
  /** For the server to close its half of a connection that we ended. */
  linger: 5 * SECOND,
} as const;

interface Exchange {
  target: string;
  fields: HttpFields;
  reader: ResponseReader;
  done: Done<HttpResponse>;
  /** Part of the answer came: it will not be asked for again. */
  begun: boolean;
  repeated: boolean;
}

interface Connection {
  stream: ByteStream;
  open: boolean;
  /** It has answered a request before. */
  used: boolean;
  /** What is left of the request to write. */
  unsent: Uint8Array | undefined;
  linger: Timer;
}

export class HttpClient {
  readonly #silence: Timer;
  readonly #total: Timer;
  #connection: Connection | undefined;
  #exchange: Exchange | undefined;

  constructor(
    readonly kernel: Kernel,
    readonly origin: HttpOrigin,
    readonly userAgent: string,
  ) {
    this.#silence = kernel.timer('http silence', (at) =>
      this.#timeout(this.#connection?.open ? 'the server is silent' : 'no connection came about', at),
    );
    this.#total = kernel.timer('http total', (at) => this.#timeout('the transfer takes too long', at));
  }

  /** One at a time: the next after `done`. Fields such as If-None-Match or Authorization are the caller's. */
  get(target: string, fields: HttpFields, done: Done<HttpResponse>): void {
    invariant(this.#exchange === undefined, 'one request at a time');
    this.#exchange = { target, fields, reader: new ResponseReader(HTTP_LIMITS.body), done, begun: false, repeated: false };
    this.#total.set(this.kernel.now() + HTTP_LIMITS.total);
    if (this.#connection) this.#send(this.#connection);
    else this.#connect();
  }

  /** Ends the connection; an answer that is awaited does not come any more. */
  close(): void {
    this.#exchange = undefined;
    this.#leave();
    this.#clear();
  }

  #connect(): void {
    const stream = this.origin.connect();
    const linger = this.kernel.timer('http linger', () => stream.abort());
    const connection: Connection = { stream, open: false, used: false, unsent: undefined, linger };
    this.#connection = connection;
    this.#silence.set(this.kernel.now() + HTTP_LIMITS.connect);
    stream.onEvent((event) => {
      if (event.type === 'closed') linger.clear();
      if (this.#connection === connection) this.#onEvent(connection, event);
    });
  }

  #onEvent(connection: Connection, event: StreamEvent): void {
    switch (event.type) {
      case 'open':
        connection.open = true;
        this.#send(connection);
        break;
      case 'writable':
        flush(connection);
        break;
      case 'data':
        this.#receive(connection, event.bytes, event.at);
        break;
      case 'end':
        this.#ended(connection, this.#exchange?.reader.end(), event.at);
        break;
      case 'closed':
        this.#connection = undefined;
        this.#ended(connection, { type: 'error', ...(event.error ?? CLOSED) }, event.at);
        break;
    }
  }

  #send(connection: Connection): void {
    if (!this.#exchange || !connection.open) return;
    const { target, fields } = this.#exchange;
    const own: HttpFields = [
      ['Host', this.origin.authority],
      ['User-Agent', this.userAgent],
      ['Accept', '*/*'],
      // A compressed body would have to be bounded twice.
      ['Accept-Encoding', 'identity'],
    ];
    connection.unsent = encodeRequest('GET', target, [...own, ...fields]);
    this.#silence.set(this.kernel.now() + HTTP_LIMITS.silence);
    flush(connection);
  }

  #receive(connection: Connection, bytes: Uint8Array, at: Micros): void {
    const exchange = this.#exchange;
    if (!exchange) {
      // Octets that nobody asked for: the connection is not to be trusted with the next request.
      this.#abandon();
      return;
    }
    exchange.begun = true;
    this.#silence.set(this.kernel.now() + HTTP_LIMITS.silence);
    const result = exchange.reader.push(bytes);
    if (result.type === 'more') return;
    connection.used = true;
    if (result.type === 'error') this.#abandon();
    else if (!result.keepAlive || result.rest.length > 0) this.#leave();
    this.#finish(result, at);
  }

  /** The peer is done with the connection: that may be the end of an answer, or a connection that had grown old. */
  #ended(connection: Connection, result: ResponseResult | undefined, at: Micros): void {
    const exchange = this.#exchange;
    this.#leave();
    if (exchange && connection.used && !exchange.begun && !exchange.repeated) {
      exchange.repeated = true;
      this.#connect();
    } else if (result) this.#finish(result, at);
  }

  #timeout(detail: string, at: Micros): void {
    this.#abandon();
    this.#finish({ type: 'error', kind: 'timeout', detail }, at);
  }

  #finish(result: ResponseResult, at: Micros): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#clear();
    if (result.type === 'response') exchange?.done(ok(result.response), at);
    else if (result.type === 'error') exchange?.done(fail(result.kind, result.detail), at);
  }

  #clear(): void {
    this.#silence.clear();
    this.#total.clear();
  }

  /** Ends our half in order, and gives the server a while for its own. */
  #leave(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (!connection) return;
    if (!connection.open) {
      connection.stream.abort();
      return;
    }
    connection.linger.set(this.kernel.now() + HTTP_LIMITS.linger);
    connection.stream.end();
  }

  #abandon(): void {
    this.#connection?.stream.abort();
    this.#connection = undefined;
  }
}

/** A stream that closes without an end: what came before may be cut short (RFC 9112 part 8). */
const CLOSED: HalError = { kind: 'reset', detail: 'the connection closed in the middle of the answer' };

function flush(connection: Connection): void {
  if (!connection.unsent) return;
  const rest = connection.unsent.subarray(connection.stream.write(connection.unsent));
  connection.unsent = rest.length > 0 ? rest : undefined;
}
