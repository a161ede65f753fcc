/**
 * Addresses as numbers: a comparison is one instruction and a frame costs no text. An IPv4 address is its 32 bits, a MAC its 48
 * (exact in a double); the ports of hal.ts speak text.
 */
import { u16, u32 } from '../base/bytes.js';
import type { IpAddress, MacAddress } from '../hal.js';

/** An IPv4 address as an unsigned 32-bit integer. */
export type Ipv4 = number;
/** A MAC address as an unsigned 48-bit integer. */
export type Mac = number;

export const UNSPECIFIED: Ipv4 = 0;
/** The limited broadcast, 255.255.255.255 (RFC 919 part 7). */
export const LIMITED_BROADCAST: Ipv4 = 0xffffffff;
export const BROADCAST_MAC: Mac = 0xffffffffffff;

const QUAD = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** The 32 bits of a dotted quad; undefined for any other text, also with leading zeros (which some readers take for octal). */
export function parseIpv4(text: string): Ipv4 | undefined {
  const m = QUAD.exec(text);
  if (!m) return undefined;
  let value = 0;
  for (let i = 1; i <= 4; i++) {
    const part = m[i]!;
    if (Number(part) > 255 || (part.length > 1 && part.startsWith('0'))) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}

export const ipv4Text = (address: Ipv4): IpAddress =>
  `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;

/** 12 hex digits of either case; undefined for anything else. */
export const parseMac = (text: string): Mac | undefined => (/^[0-9a-fA-F]{12}$/.test(text) ? Number.parseInt(text, 16) : undefined);

export const macText = (mac: Mac): MacAddress => mac.toString(16).toUpperCase().padStart(12, '0');

export const readMac = (bytes: Uint8Array, at: number): Mac => u16(bytes, at) * 0x1_0000_0000 + u32(bytes, at + 2);

export function putMac(bytes: Uint8Array, at: number, mac: Mac): void {
  for (let i = 5, rest = mac; i >= 0; i--) {
    bytes[at + i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}

/** Of `prefix` leading one bits, 0 to 32. */
export const netmask = (prefix: number): Ipv4 => (prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0);

/** Number of leading one bits; undefined where the ones are not contiguous. */
export function prefixOf(mask: Ipv4): number | undefined {
  const prefix = Math.clz32(~mask >>> 0);
  return netmask(prefix) === mask >>> 0 ? prefix : undefined;
}

/** 224.0.0.0/4 (RFC 5771). */
export const isMulticast = (address: Ipv4): boolean => address >>> 28 === 0xe;
/** 127.0.0.0/8 (RFC 1122 part 3.2.1.3). */
export const isLoopback = (address: Ipv4): boolean => address >>> 24 === 127;
/** The low 23 bits of the group in 01-00-5E-00-00-00 (RFC 1112 part 6.4). */
export const multicastMac = (group: Ipv4): Mac => 0x01005e000000 + (group & 0x7fffff);
/** The individual/group bit of a MAC: broadcast and multicast have it. */
export const isGroupMac = (mac: Mac): boolean => Math.floor(mac / 0x100_0000_0000) % 2 === 1;
