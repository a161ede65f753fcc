/** IPv4 headers (RFC 791). Belfry sends none with options and none that may be fragmented. */
import { putU16, putU32, u16, u32 } from '../base/bytes.js';
import { err, ok } from '../base/result.js';
import type { Result } from '../hal.js';
import type { Ipv4 } from './address.js';
import { foldChecksum, internetChecksum, wordSum } from './checksum.js';
import type { FrameFault } from './frame-fault.js';

/** Octets of the header without options, which is the one that is sent. */
export const IPV4_HEADER = 20;
export const Protocol = { icmp: 1, tcp: 6, udp: 17 } as const;

const DONT_FRAGMENT = 0x4000;
/** More-fragments flag and offset: either makes a packet a fragment. */
const FRAGMENT = 0x3fff;

export interface Ipv4Header {
  source: Ipv4;
  destination: Ipv4;
  protocol: number;
  ttl: number;
  /** Differentiated services code point, 0 to 63 (RFC 2474). */
  dscp: number;
}
/** `payload` is a view without padding. */
export type Ipv4Packet = Ipv4Header & { fragment: boolean; payload: Uint8Array };

/** Reads a packet that may be followed by padding; options are passed over. */
export function decodeIpv4(bytes: Uint8Array): Result<Ipv4Packet, FrameFault> {
  if (bytes.length < IPV4_HEADER || bytes[0]! >> 4 !== 4) return err('malformed');
  const header = (bytes[0]! & 15) * 4;
  const total = u16(bytes, 2);
  if (header < IPV4_HEADER || total < header || total > bytes.length) return err('malformed');
  if (internetChecksum(bytes, 0, header) !== 0) return err('checksum');
  return ok({
    source: u32(bytes, 12),
    destination: u32(bytes, 16),
    protocol: bytes[9]!,
    ttl: bytes[8]!,
    dscp: bytes[1]! >> 2,
    fragment: (u16(bytes, 6) & FRAGMENT) !== 0,
    payload: bytes.subarray(header, total),
  });
}

/**
 * The addresses, the protocol and the first octets of the packet that an ICMP error quotes: it is cut short and its checksum may have
 * been changed on the way, so that only lengths are checked. Undefined when too short to hold two ports.
 */
export function decodeQuoted(bytes: Uint8Array): { source: Ipv4; destination: Ipv4; protocol: number; payload: Uint8Array } | undefined {
  if (bytes.length < IPV4_HEADER || bytes[0]! >> 4 !== 4) return undefined;
  const header = (bytes[0]! & 15) * 4;
  if (header < IPV4_HEADER || bytes.length < header + 8) return undefined;
  return { source: u32(bytes, 12), destination: u32(bytes, 16), protocol: bytes[9]!, payload: bytes.subarray(header) };
}

/**
 * Writes 20 octets at `at`; `length` is octets of the payload. The identification stays zero, since it means nothing where
 * fragmentation is forbidden (RFC 6864 part 4.1).
 */
export function writeIpv4(bytes: Uint8Array, at: number, header: Ipv4Header, length: number): void {
  bytes[at] = 0x45;
  bytes[at + 1] = header.dscp << 2;
  putU16(bytes, at + 2, IPV4_HEADER + length);
  putU16(bytes, at + 4, 0);
  putU16(bytes, at + 6, DONT_FRAGMENT);
  bytes[at + 8] = header.ttl;
  bytes[at + 9] = header.protocol;
  putU16(bytes, at + 10, 0);
  putU32(bytes, at + 12, header.source);
  putU32(bytes, at + 16, header.destination);
  putU16(bytes, at + 10, foldChecksum(wordSum(bytes, at, at + IPV4_HEADER)));
}
