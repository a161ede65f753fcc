/**
 * What a peer stands on. Peers know nothing of simulation: the same ones run on the world's LAN and on this machine's loopback
 * (`belfry peers`).
 */
import type { Timers } from '../../hal/base/timers.js';
import type { Clock, Crypto, Entropy, IpAddress, Net, TlsEngine } from '../../hal/hal.js';
import type { Platform } from '../../hal/platform.js';
import type { PeerLog } from './peer-events.js';

export interface PeerHost {
  name: string;
  /** Its own address: what it writes into Via, SDP and DHCP. */
  address: IpAddress;
  clock: Clock;
  timers: Timers;
  net: Net;
  entropy: Entropy;
  crypto: Crypto;
  tls: TlsEngine;
  httpServer: Platform['httpServer'];
  log: PeerLog;
}

/** A running server: `close` is idempotent, and nothing is served or logged after it. */
export interface Peer {
  close(): void;
}
