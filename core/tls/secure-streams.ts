/** TLS as the rest of the core sees it: streams that open only after the core's own verdict on the peer. */
import type { ByteStream, SocketAddress, TlsStream } from '../../hal/hal.js';
import type { TlsService } from '../kernel/events.js';
import type { PeerUse } from './time-trust.policy.js';

export interface SecureStreams {
  /**
   * Connects and secures. `open` comes after the verdict; a refusal is `closed` with kind `tls-refused` (ours) or `tls-alert` (the peer's).
   * Reports `tls.accepted` and `tls.refused`. Where the board has no TLS the stream closes with kind `unsupported`.
   */
  connect(options: SecureConnectOptions): TlsStream;
  /** Secures an accepted connection as server, with the identity of the service. */
  accept(under: ByteStream, options: SecureAcceptOptions): TlsStream;
}

export interface SecureConnectOptions {
  service: Extract<TlsService, 'provisioning' | 'sip'>;
  /** `date`: only to hear what time it is, which is allowed before the time is known, and only of a server that is judged (`time-trust.policy.ts`). */
  use?: PeerUse;
  to: SocketAddress;
  /** The name, or the address literal, that the configuration asked for: what the certificate is checked against (RFC 6125, RFC 5922). */
  name: string;
}

export interface SecureAcceptOptions {
  service: Extract<TlsService, 'sip-server' | 'web'>;
  client: 'no' | 'asked' | 'required';
  /** Of a connection that is open already; one that is not yet open tells by its `open` event. */
  peer?: SocketAddress;
}
