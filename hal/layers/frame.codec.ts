/** Writes valid Ethernet, IPv4, UDP and TCP frames for bytes that crossed a socket, where the platform shows no frames. */
import { concat, EMPTY, fromHex, putU16, putU32, u16 } from '../base/bytes.js';
import type { IpAddress, MacAddress } from '../hal.js';

export interface FrameEnd {
  mac: MacAddress;
  /** IPv4; a frame with any other address cannot be written. */
  address: IpAddress;
  port: number;
}

export interface TcpFields {
  sequence: number;
  acknowledgement: number;
  flags: number;
}

/** RFC 9293 3.1. */
export const TCP_FLAG = { fin: 0x01, syn: 0x02, rst: 0x04, psh: 0x08, ack: 0x10 } as const;
/** What fits an Ethernet frame of 1500 octets behind 20 of IPv4 and 20 of TCP. */
export const SEGMENT = 1460;

const PROTOCOL = { tcp: 6, udp: 17 } as const;
const ETHERTYPE_IPV4 = 0x0800;
const IP_HEADER = 20;
const MAX_IP_PACKET = 65_535;
const DONT_FRAGMENT = 0x4000;
const WINDOW = 0xffff;

/** Undefined for an address that is not IPv4, or a datagram that no IPv4 packet holds. */
export function udpFrame(from: FrameEnd, to: FrameEnd, payload: Uint8Array): Uint8Array | undefined {
  const header = new Uint8Array(8);
  putU16(header, 0, from.port);
  putU16(header, 2, to.port);
  putU16(header, 4, header.length + payload.length);
  return frame(from, to, PROTOCOL.udp, concat(header, payload), 6);
}

/** Undefined for an address that is not IPv4. */
export function tcpFrame(from: FrameEnd, to: FrameEnd, tcp: TcpFields, payload: Uint8Array = EMPTY): Uint8Array | undefined {
  const header = new Uint8Array(20);
  putU16(header, 0, from.port);
  putU16(header, 2, to.port);
  putU32(header, 4, tcp.sequence);
  putU32(header, 8, tcp.acknowledgement);
  header[12] = 5 << 4;
  header[13] = tcp.flags;
  putU16(header, 14, WINDOW);
  return frame(from, to, PROTOCOL.tcp, concat(header, payload), 16);
}

/** Packs a transport segment, whose checksum field stands at `checksumAt`, into IPv4 (RFC 791 3.1) and Ethernet. */
function frame(from: FrameEnd, to: FrameEnd, protocol: number, segment: Uint8Array, checksumAt: number): Uint8Array | undefined {
  const [source, destination] = [ipv4(from.address), ipv4(to.address)];
  if (!source || !destination || IP_HEADER + segment.length > MAX_IP_PACKET) return undefined;
  const pseudo = concat(source, destination, Uint8Array.of(0, protocol, segment.length >> 8, segment.length));
  const sum = checksum(concat(pseudo, segment));
  // RFC 768: a UDP checksum of zero would mean "none"; TCP takes either form of zero.
  putU16(segment, checksumAt, sum === 0 ? 0xffff : sum);
  const ip = new Uint8Array(IP_HEADER);
  ip[0] = 0x45;
  putU16(ip, 2, IP_HEADER + segment.length);
  putU16(ip, 6, DONT_FRAGMENT);
  ip[8] = 64;
  ip[9] = protocol;
  ip.set(source, 12);
  ip.set(destination, 16);
  putU16(ip, 10, checksum(ip));
  return concat(mac(to.mac), mac(from.mac), Uint8Array.of(ETHERTYPE_IPV4 >> 8, ETHERTYPE_IPV4 & 0xff), ip, segment);
}

/** A locally administered address for a host of which only the IP address is known. */
export const macOf = (address: IpAddress): MacAddress =>
  `0200${(ipv4(address) ?? new Uint8Array(4)).reduce((text, octet) => text + octet.toString(16).padStart(2, '0'), '').toUpperCase()}`;

const mac = (text: MacAddress): Uint8Array => fromHex(text) ?? new Uint8Array(6);

function ipv4(address: IpAddress): Uint8Array | undefined {
  const octets = address.split('.');
  return octets.length === 4 && octets.every((octet) => /^\d{1,3}$/.test(octet) && +octet < 256)
    ? Uint8Array.from(octets, Number)
    : undefined;
}

/** RFC 1071. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i + 1 < bytes.length; i += 2) sum += u16(bytes, i);
  if (bytes.length % 2 === 1) sum += bytes[bytes.length - 1]! << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
