/** One TCP or TLS connection that carries SIP: framing, bounded output, keepalive (RFC 5626 4.4.1). */
import { SECOND } from '../../hal/base/time.js';
import type { Timer } from '../../hal/base/timers.js';
import type { ByteStream, HalErrorKind, Micros, SocketAddress, StreamEvent } from '../../hal/hal.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Flow } from './flow.js';
import { type Framed, StreamFramer } from './framer.engine.js';

/** `ours`: a TCP connection and a TLS handshake over a poor link take 3 s; a half-open one is given up before the next attempt. */
const OPEN_WITHIN: Micros = 10 * SECOND;
/** RFC 5626 4.4.1: no pong within 10 s means that the flow has failed. */
const PONG_WITHIN: Micros = 10 * SECOND;
/** Octets that wait for a slow peer. `ours`: one message of the largest size; more means that nobody reads at the other end. */
const OUTPUT_OCTETS_MAX = 65_536;

const PING = Uint8Array.of(13, 10, 13, 10);
const PONG = Uint8Array.of(13, 10);

const NOWHERE: SocketAddress = { address: '', port: 0 };

export interface StreamFlowOptions {
  kernel: Pick<Kernel, 'now' | 'timer'>;
  stream: ByteStream;
  transport: 'tcp' | 'tls';
  /** Our listening port for this transport. */
  port: number;
  /** We made the connection: we keep it alive, and its own port is where requests may come back. */
  outbound: boolean;
  /** Asked once, when the peer is known. */
  trusts(peer: SocketAddress): boolean;
  /** Between keepalives; 0 sends none. */
  keepalive: Micros;
  onOpen(flow: StreamFlow): void;
  onMessage(bytes: Uint8Array, flow: StreamFlow): void;
  /** Once, and nothing after it. */
  onClosed(flow: StreamFlow, kind: HalErrorKind, detail: string): void;
}

export class StreamFlow implements Flow {
  readonly reliable = true;
  readonly transport: 'tcp' | 'tls';
  /** Known once it is open. */
  peer: SocketAddress = NOWHERE;
  trusted = false;
  /** When anything last arrived; the idlest flow gives way to a new one. */
  lastHeard: Micros;
  readonly #options: StreamFlowOptions;
  readonly #framer = new StreamFramer();
  readonly #timer: Timer;
  #state: 'opening' | 'open' | 'closed' = 'opening';
  #local = NOWHERE;
  #output: Uint8Array[] = [];
  #outputOctets = 0;
  /** The peer has answered a keepalive: one that never did is not expected to, since only RFC 5626 servers must. */
  #pongs = false;

  constructor(options: StreamFlowOptions) {
    this.#options = options;
    this.transport = options.transport;
    this.lastHeard = options.kernel.now();
    this.#timer = options.kernel.timer('sip flow', () => this.#onTimer());
    this.#timer.set(options.kernel.now() + OPEN_WITHIN);
    options.stream.onEvent((event) => this.#onEvent(event));
  }

  get open(): boolean {
    return this.#state === 'open';
  }

  get sentBy(): SocketAddress {
    return { address: this.#local.address, port: this.#options.port };
  }

  get contact(): SocketAddress {
    return this.#options.outbound ? this.#local : this.sentBy;
  }

  send(bytes: Uint8Array): boolean {
    if (this.#state !== 'open' || this.#outputOctets + bytes.length > OUTPUT_OCTETS_MAX) return false;
    this.#output.push(bytes);
    this.#outputOctets += bytes.length;
    if (this.#output.length === 1) this.#flush();
    return true;
  }

  close(kind: HalErrorKind): void {
    this.#fail(kind, 'given up');
  }

  /** Closes in good order, after what was written, and tells no one here. */
  end(): void {
    if (this.#state === 'open') this.#options.stream.end();
    else this.#options.stream.abort();
    this.#stop();
  }

  #stop(): void {
    this.#state = 'closed';
    this.#timer.clear();
    this.#output = [];
  }

  #flush(): void {
    for (let first = this.#output[0]; first; first = this.#output[0]) {
      const accepted = this.#options.stream.write(first);
      this.#outputOctets -= accepted;
      if (accepted < first.length) {
        this.#output[0] = first.subarray(accepted);
        return;
      }
      this.#output.shift();
    }
  }

  #onEvent(event: StreamEvent): void {
    if (this.#state === 'closed') return;
    switch (event.type) {
      case 'open':
        this.#state = 'open';
        this.#local = event.local;
        this.peer = event.peer;
        this.trusted = this.#options.trusts(event.peer);
        this.#armKeepalive();
        this.#options.onOpen(this);
        return;
      case 'data':
        this.lastHeard = event.at;
        for (const framed of this.#framer.push(event.bytes)) this.#onFramed(framed);
        return;
      case 'writable':
        this.#flush();
        return;
      case 'end':
        this.#fail('closed', 'the peer closed the connection');
        return;
      case 'closed':
        this.#fail(event.error?.kind ?? 'closed', event.error?.detail ?? 'the connection is closed');
    }
  }

  #onFramed(framed: Framed): void {
    if (this.#state !== 'open') return;
    switch (framed.type) {
      case 'message':
        this.#options.onMessage(framed.bytes, this);
        return;
      case 'ping':
        this.send(PONG);
        return;
      case 'pong':
        this.#pongs = true;
        this.#armKeepalive();
        return;
      case 'broken':
        this.#fail('other', framed.detail);
    }
  }

  #onTimer(): void {
    if (this.#state === 'opening') this.#fail('timeout', 'no connection in time');
    else if (this.#framer.pongDue && this.#pongs) this.#fail('timeout', 'no answer to a keepalive');
    else {
      this.send(PING);
      this.#framer.pongDue = true;
      if (this.#pongs) this.#timer.set(this.#options.kernel.now() + PONG_WITHIN);
      else this.#armKeepalive();
    }
  }

  #armKeepalive(): void {
    const { outbound, keepalive, kernel } = this.#options;
    if (outbound && keepalive > 0) this.#timer.set(kernel.now() + keepalive);
    else this.#timer.clear();
  }

  #fail(kind: HalErrorKind, detail: string): void {
    if (this.#state === 'closed') return;
    this.#options.stream.abort();
    this.#stop();
    this.#options.onClosed(this, kind, detail);
  }
}
