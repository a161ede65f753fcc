/** One shape for the two ways in which a packet proves undeliverable: an ICMP error that quotes it, and an ARP request without answer. */
import type { HalErrorKind } from '../hal.js';
import type { Ipv4 } from './address.js';

export interface Undelivered {
  kind: Extract<HalErrorKind, 'refused' | 'unreachable' | 'too-big'>;
  detail: string;
  /** Octets of a packet that would pass, where `too-big` and known (RFC 1191). */
  mtu?: number;
  /** Ours, and where it was to go. */
  source: Ipv4;
  destination: Ipv4;
  protocol: number;
  /** At least the first 8 octets of the transport's header. */
  payload: Uint8Array;
}
