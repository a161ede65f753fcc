/** Ways to a SIP peer: a datagram socket and an address, or a connection secured by TLS (RFC 3261 18, RFC 5626). */
import type { Flow } from '../../../core/sip/flow.js';
import { StreamFramer } from '../../../core/sip/framer.engine.js';
import { readMessage, type SipMessage } from '../../../core/sip/message.codec.js';
import { concat, EMPTY, fromLatin1 } from '../../../hal/base/bytes.js';
import type { HalError, SocketAddress, TlsStream, UdpSocket } from '../../../hal/hal.js';

export interface PeerFlow extends Flow {
  readonly transport: 'udp' | 'tls';
  /** CN of the client's certificate, as far as one was asked for and accepted. */
  readonly clientCN: string;
}

export type OnMessage = (message: SipMessage, flow: PeerFlow) => void;

/** What a peer that does not read may leave unsent, in octets; a connection that would exceed it takes no more. */
const UNSENT_LIMIT = 65_536;
const CRLF = fromLatin1('\r\n');
const UNKNOWN: SocketAddress = { address: '0.0.0.0', port: 0 };

/** `local` is the address that we write into Via and Contact: a socket may be bound to none. */
export const datagramFlow = (socket: UdpSocket, local: SocketAddress, peer: SocketAddress): PeerFlow => ({
  transport: 'udp',
  reliable: false,
  peer,
  sentBy: local,
  contact: local,
  open: true,
  trusted: false,
  clientCN: '',
  send: (bytes) => socket.send(peer, bytes) === 'sent',
  close: () => undefined,
});

/** Reads SIP off a datagram socket; keepalives and what is no SIP are passed over. */
export function receiveDatagrams(socket: UdpSocket, local: SocketAddress, onMessage: OnMessage): void {
  socket.onDatagram((bytes, from) => {
    // The octets are ours during the call only, and a message refers to them.
    const message = readMessage(bytes.slice());
    if (message.ok) onMessage(message.value, datagramFlow(socket, local, from));
  });
}

export interface StreamFlowOptions {
  /** What stands in our Via: a listening port, or that of the connection where there is none. */
  sentBy?: SocketAddress;
  /** Called once, when TLS is up; gives the CN of what the peer presented. */
  onOpen(): string;
  onMessage: OnMessage;
  onClosed(error: HalError | undefined, flow: StreamFlow): void;
}

/** A connection. Answers the keepalives of RFC 5626 4.4.1; what is sent before it is open waits. */
export class StreamFlow implements PeerFlow {
  readonly transport = 'tls';
  readonly reliable = true;
  readonly trusted = false;
  peer = UNKNOWN;
  contact = UNKNOWN;
  clientCN = '';
  /** TLS came up: what ends it after that is no refusal. */
  wasOpen = false;
  readonly #stream: TlsStream;
  readonly #framer = new StreamFramer();
  readonly #options: StreamFlowOptions;
  #state: 'connecting' | 'open' | 'closed' = 'connecting';
  #unsent: Uint8Array = EMPTY;

  constructor(stream: TlsStream, options: StreamFlowOptions) {
    this.#stream = stream;
    this.#options = options;
    stream.onEvent((event) => {
      if (event.type === 'open') this.#onOpen(event.local, event.peer);
      else if (event.type === 'data') this.#receive(event.bytes);
      else if (event.type === 'writable') this.#flush();
      else if (event.type === 'end') this.close();
      else this.#onClosed(event.error);
    });
  }

  get open(): boolean {
    return this.#state !== 'closed';
  }

  get sentBy(): SocketAddress {
    return this.#options.sentBy ?? this.contact;
  }

  send(bytes: Uint8Array): boolean {
    if (this.#state === 'closed' || this.#unsent.length + bytes.length > UNSENT_LIMIT) return false;
    this.#unsent = concat(this.#unsent, bytes);
    this.#flush();
    return true;
  }

  /** Ends the connection in order. */
  close(): void {
    this.#state = 'closed';
    this.#stream.end();
  }

  /** Ends it at once: nothing is delivered after it returns. */
  abort(): void {
    this.#state = 'closed';
    this.#stream.abort();
  }

  #onOpen(local: SocketAddress, peer: SocketAddress): void {
    this.contact = local;
    this.peer = peer;
    this.clientCN = this.#options.onOpen();
    this.#state = 'open';
    this.wasOpen = true;
    this.#flush();
  }

  #receive(bytes: Uint8Array): void {
    for (const framed of this.#framer.push(bytes)) {
      if (framed.type === 'ping') this.send(CRLF);
      else if (framed.type === 'broken') this.close();
      else if (framed.type === 'message') {
        const message = readMessage(framed.bytes);
        if (message.ok) this.#options.onMessage(message.value, this);
      }
    }
  }

  #flush(): void {
    if (this.#state === 'open' && this.#unsent.length > 0) this.#unsent = this.#unsent.slice(this.#stream.write(this.#unsent));
  }

  #onClosed(error: HalError | undefined): void {
    this.#state = 'closed';
    this.#options.onClosed(error, this);
  }
}
