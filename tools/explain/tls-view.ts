/** What a capture shows of one TLS connection. */
import type { Name } from '../../core/certs/name.codec.js';
import type { Der } from '../../hal/hal.js';
import type { UnixMicros } from '../../hal/layers/pcapng.codec.js';
import type { ClientHello, ServerHello } from '../../hal/layers/tls-wire.codec.js';

/** The client is the end that says ClientHello. */
export type Role = 'client' | 'server';
export const otherRole = (role: Role): Role => (role === 'client' ? 'server' : 'client');

export interface SentAlert {
  by: Role;
  at: UnixMicros;
  /** Absent where it is encrypted and nobody gave the keys; that it is an alert then follows from its type or its length. */
  name?: string;
  fatal: boolean;
}

export interface SentCertificates {
  at: UnixMicros;
  /** Leaf first, as sent; empty where the list was. */
  chain: readonly Der[];
}

export interface SealedSight {
  length: number;
  at: UnixMicros;
  /** The other end had sent such records before. */
  reply: boolean;
}

/** One direction. */
export interface TlsSide {
  certificates?: SentCertificates;
  /** Its Finished, read, or known by its record. */
  finished: boolean;
  /** Application data: records, and the beginning of what they hold where it can be read. */
  records: number;
  clear: string;
  /** The first records of TLS 1.3 that could not be opened: their lengths tell a little. */
  sealed: SealedSight[];
  /** Records were protected and could not be opened. */
  closed: boolean;
  /** Records are not in the capture. */
  lost: boolean;
}

export interface TlsView {
  /** The second one answers a retry. */
  hellos: ClientHello[];
  retry?: ServerHello;
  chosen?: ServerHello;
  /** Neither end showed a certificate: they had met before. */
  resumed: boolean;
  /** The server asked for a client certificate, of these authorities. */
  request?: { at: UnixMicros; authorities: readonly Name[] };
  /** A certificate list came compressed (RFC 8879), which is not read here. */
  compressed: boolean;
  alerts: SentAlert[];
  sides: Record<Role, TlsSide>;
  /** Some secrets of this connection were given. */
  hasSecrets: boolean;
  began: UnixMicros;
}

const side = (): TlsSide => ({ finished: false, records: 0, clear: '', sealed: [], closed: false, lost: false });

export const emptyView = (began: UnixMicros): TlsView => ({
  hellos: [],
  resumed: false,
  compressed: false,
  alerts: [],
  sides: { client: side(), server: side() },
  hasSecrets: false,
  began,
});
