/** A way to one peer: a connection, or the address that datagrams go to. */
import type { HalErrorKind, SocketAddress } from '../../hal/hal.js';

export type Transport = 'udp' | 'tcp' | 'tls';

export interface Flow {
  readonly transport: Transport;
  /** The transport repeats what is lost: transactions on it do not. */
  readonly reliable: boolean;
  readonly peer: SocketAddress;
  /** Where we can be reached by this transport: `sent-by` of our Via. */
  readonly sentBy: SocketAddress;
  /** What a Contact should name, so that requests come back this way. */
  readonly contact: SocketAddress;
  /** False once it is closed. */
  readonly open: boolean;
  /** The peer may call us where the policy is `proxy`: our own connection to the proxy, or a client that proved who it is. */
  readonly trusted: boolean;
  /** Sends, or queues while the connection is being made. False when it is closed or its queue is full: nothing was sent. */
  send(bytes: Uint8Array): boolean;
  /** Gives a connection up; whoever uses it is told. A datagram flow has nothing to give up. */
  close(kind: HalErrorKind): void;
}
