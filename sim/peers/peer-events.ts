/** What servers and callers report: a closed list, so that a scenario's words are checked against it as those about devices are. */
import type { HalErrorKind, IpAddress, MacAddress } from '../../hal/hal.js';

export interface PeerEventFields {
  'server.leased': { address: IpAddress; mac: MacAddress };
  /** `clientCN` and `clientSubject` are of the certificate that the client showed; empty where it showed none. */
  'server.request': { method: string; target: string; status: number; clientCN: string; clientSubject: string };
  /** A connection that failed, a client without rights, or nothing left to give. */
  'server.refused': { account?: string; detail: string };
  'server.registered': { account: string; contact: string; expires: number; clientCN: string };
  'server.unregistered': { account: string };
  /** What a device answered to a NOTIFY, or why nothing came. */
  'server.notified': { account: string; status: number } | { account: string; kind: HalErrorKind };
  'caller.calling': { to: string };
  'caller.rejected': { to: string; status: number; reason: string };
  'caller.established': { to: string; codec: string; srtp: string };
  'caller.ended': { to: string; by: string; sent: number; received: number };
  'caller.failed': { to: string; kind: HalErrorKind };
}
export type PeerEventName = keyof PeerEventFields;

/** Reports what a peer saw, as events of a device do. No passwords, no keys. */
export type PeerLog = <N extends PeerEventName>(event: N, fields: PeerEventFields[N]) => void;
