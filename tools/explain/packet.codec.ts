/**
 * A captured packet down to its TCP segment, whatever link it was seen on: with VLAN tags, as a mirror port shows them, with checksums
 * that the sending host left to its interface, and cut short. Total.
 */
import { u16, u32 } from '../../hal/base/bytes.js';
import type { IpAddress } from '../../hal/hal.js';
import {
  decodeQuoted,
  EtherType,
  ICMP_HEADER,
  IcmpType,
  IPV4_HEADER,
  ipv4Text,
  Protocol,
  readTcp,
  type TcpSegment,
  UDP_HEADER,
  UnreachableCode,
} from '../../hal/stack/index.js';
import { ipv6Text } from '../../hal/stack/ipv6-text.js';

export interface Ends {
  source: IpAddress;
  destination: IpAddress;
}

export type Packet =
  /** `length` is octets of payload on the wire; `payload` may hold fewer. */
  | ({ type: 'tcp'; length: number } & Ends & TcpSegment)
  | ({ type: 'udp'; sourcePort: number; destinationPort: number; payload: Uint8Array } & Ends)
  /** A router or host says that a TCP segment, of which these are the ends, could not be delivered. */
  | ({ type: 'unreachable'; by: IpAddress; sourcePort: number; destinationPort: number } & Ends)
  /** In a word: `ARP`, `ICMP`, `fragment`. */
  | { type: 'other'; what: string };

/** https://www.tcpdump.org/linktypes.html; raw IP has three numbers, by operating system. */
const LinkType = { null: 0, ethernet: 1, raw: [12, 14, 101], loop: 108, sll: 113, ipv4: 228, ipv6: 229, sll2: 276 } as const;

/** `length` is octets on the wire. */
export function readPacket({ linkType, bytes, length }: { linkType: number; bytes: Uint8Array; length: number }): Packet {
  const found = network(linkType, bytes);
  if (!found) return { type: 'other', what: `link type ${linkType}` };
  const { type, at } = found;
  const inside = bytes.subarray(at);
  const wire = Math.max(inside.length, length - at);
  if (type === EtherType.ipv4) return ipv4(inside, wire);
  if (type === ETHERTYPE_IPV6) return ipv6(inside, wire);
  return { type: 'other', what: NAMES[type] ?? (type < 0x0600 ? 'spanning tree and the like' : `EtherType 0x${type.toString(16)}`) };
}

const ETHERTYPE_IPV6 = 0x86dd;
/** IEEE 802.1Q, 802.1ad, and what switches used before the latter. */
const VLAN_TAGS: readonly number[] = [0x8100, 0x88a8, 0x9100];
/** One of the provider, one of the customer; more are met nowhere. */
const MOST_TAGS = 4;
const NAMES: Readonly<Record<number, string>> = { [EtherType.arp]: 'ARP', 34958: '802.1X', 35020: 'LLDP' };

/** EtherType of what the link carries, and where it begins. Undefined for an unknown link, and a header that is cut short. */
function network(linkType: number, bytes: Uint8Array): { type: number; at: number } | undefined {
  switch (linkType) {
    case LinkType.ethernet:
      return tagged(bytes, 12);
    case LinkType.sll:
      return tagged(bytes, 14);
    case LinkType.sll2:
      return bytes.length < 20 ? undefined : { type: u16(bytes, 0), at: 20 };
    case LinkType.null:
    case LinkType.loop:
      return bytes.length < 5 ? undefined : byVersion(bytes, 4);
    default:
      return raw(linkType) && bytes.length > 0 ? byVersion(bytes, 0) : undefined;
  }
}

const raw = (linkType: number): boolean =>
  LinkType.ipv4 === linkType || LinkType.ipv6 === linkType || (LinkType.raw as readonly number[]).includes(linkType);

/** The address family of a loopback header differs between systems; the version of what follows does not. */
const byVersion = (bytes: Uint8Array, at: number) => ({ type: bytes[at]! >> 4 === 6 ? ETHERTYPE_IPV6 : EtherType.ipv4, at });

/** The type at `at`, or behind the VLAN tags that begin there. */
function tagged(bytes: Uint8Array, at: number): { type: number; at: number } | undefined {
  for (let tags = 0, type = at; tags <= MOST_TAGS && type + 2 <= bytes.length; tags++, type += 4)
    if (!VLAN_TAGS.includes(u16(bytes, type))) return { type: u16(bytes, type), at: type + 2 };
  return undefined;
}

const SHORT: Packet = { type: 'other', what: 'cut short' };
const FRAGMENT: Packet = { type: 'other', what: 'IP fragment' };
/** More-fragments flag and offset (RFC 791 3.1). */
const FRAGMENT_BITS = 0x3fff;

function ipv4(bytes: Uint8Array, wire: number): Packet {
  if (bytes.length < IPV4_HEADER || bytes[0]! >> 4 !== 4) return SHORT;
  const header = (bytes[0]! & 15) * 4;
  // An interface that cuts segments for its host shows them before the cut, with no length.
  const total = u16(bytes, 2) || wire;
  if (header < IPV4_HEADER || total < header) return SHORT;
  if (u16(bytes, 6) & FRAGMENT_BITS) return FRAGMENT;
  const ends = { source: ipv4Text(u32(bytes, 12)), destination: ipv4Text(u32(bytes, 16)) };
  return transport(bytes[9]!, ends, bytes.subarray(header, total), total - header);
}

const IPV6_HEADER = 40;
/** Hop-by-hop, routing, destination options (RFC 8200 4.1). */
const IPV6_EXTENSIONS: readonly number[] = [0, 43, 60];
const IPV6_FRAGMENT = 44;
const IPV6_ICMP = 58;
/** Ours. RFC 8200 4.1 has each once, destination options twice. */
const MOST_EXTENSIONS = 8;

function ipv6(bytes: Uint8Array, wire: number): Packet {
  if (bytes.length < IPV6_HEADER || bytes[0]! >> 4 !== 6) return SHORT;
  // As with IPv4: no length where the segment is yet to be cut.
  const total = u16(bytes, 4) === 0 ? wire : IPV6_HEADER + u16(bytes, 4);
  const ends = { source: ipv6Text(bytes.subarray(8, 24)), destination: ipv6Text(bytes.subarray(24, 40)) };
  let next = bytes[6]!;
  let at = IPV6_HEADER;
  for (let passed = 0; passed < MOST_EXTENSIONS && IPV6_EXTENSIONS.includes(next) && at + 2 <= bytes.length; passed++) {
    next = bytes[at]!;
    at += 8 * (bytes[at + 1]! + 1);
  }
  if (next === IPV6_FRAGMENT) return FRAGMENT;
  return at > total ? SHORT : transport(next, ends, bytes.subarray(at, total), total - at);
}

function transport(protocol: number, ends: Ends, bytes: Uint8Array, wire: number): Packet {
  if (protocol === Protocol.tcp) {
    const segment = readTcp(bytes);
    return segment ? { type: 'tcp', ...ends, ...segment, length: wire - (bytes.length - segment.payload.length) } : SHORT;
  }
  if (protocol === Protocol.udp) {
    if (bytes.length < UDP_HEADER) return SHORT;
    return { type: 'udp', ...ends, sourcePort: u16(bytes, 0), destinationPort: u16(bytes, 2), payload: bytes.subarray(UDP_HEADER) };
  }
  if (protocol === Protocol.icmp) return unreachable(ends, bytes) ?? { type: 'other', what: 'ICMP' };
  return { type: 'other', what: protocol === IPV6_ICMP ? 'ICMPv6' : `IP protocol ${protocol}` };
}

function unreachable({ source: by }: Ends, bytes: Uint8Array): Packet | undefined {
  // A router that wants smaller packets is no obstacle (RFC 1191).
  if (bytes[0] !== IcmpType.unreachable || bytes[1] === UnreachableCode.fragmentationNeeded) return undefined;
  const quoted = decodeQuoted(bytes.subarray(ICMP_HEADER));
  if (quoted?.protocol !== Protocol.tcp) return undefined;
  const { source, destination, payload } = quoted;
  const ports = { sourcePort: u16(payload, 0), destinationPort: u16(payload, 2) };
  return { type: 'unreachable', by, source: ipv4Text(source), destination: ipv4Text(destination), ...ports };
}
