/** What the SIP stack is told: typed, and free of the names of settings. */
import type { Transport } from './flow.js';
import type { TransactionLimits } from './transactions.js';

export interface SipConfig {
  transport: Transport | 'auto';
  /** Local ports: datagrams and TCP, and TLS. */
  ports: { sip: number; tls: number };
  /** Where the accounts live; absent, nothing is registered, and the endpoint answers on its ports whoever is asked for. */
  server?: SipServer;
  /** Written into User-Agent and Server: `Algo-8180G2/5.5`. */
  userAgent: string;
  accounts: readonly SipAccount[];
  /** Seconds asked for in REGISTER; the registrar decides. */
  registerPeriod: number;
  /** Seconds between keepalives on the connection to the server; 0 sends none. */
  keepalive: number;
  /** `proxy`: only the server, or a client at the TLS port whose certificate validates, may call; others get a 403. */
  accept: 'any' | 'proxy';
  /** Refuse challenges that ask for MD5 (RFC 8760). */
  refuseMd5: boolean;
  /** The board looks up SRV records. */
  srv: boolean;
  /** Differentiated services code point of signalling; 0 is best effort. */
  dscp: number;
  /** `urn:uuid:…` of the device, put into Contact (RFC 5627); absent, nothing is. */
  instance?: string;
  limits?: TransactionLimits;
}

export interface SipServer {
  /** The domain of the accounts, and where they are reached unless one of the others is given. */
  domain: HostPort;
  registrar?: HostPort;
  outboundProxy?: HostPort;
}
/** A name or an address literal (IPv6 without brackets); without a port, DNS or the transport decides. */
export interface HostPort {
  host: string;
  port?: number;
}

export interface SipAccount {
  /** What events call it. */
  id: string;
  user: string;
  /** For digest; the user where it is empty. */
  authUser: string;
  password: string;
  displayName: string;
}
