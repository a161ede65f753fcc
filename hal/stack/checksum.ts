/** The Internet checksum (RFC 1071). */
import type { Ipv4 } from './address.js';

/** Sum of the 16-bit words of `bytes[start, end)`, not folded; an odd last octet is padded with zero. */
export function wordSum(bytes: Uint8Array, start: number, end: number): number {
  let sum = 0;
  let i = start;
  for (; i + 1 < end; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
  return i < end ? sum + (bytes[i]! << 8) : sum;
}

/** Folded and complemented: what a header holds. Over octets that hold a right checksum it gives 0. */
export function foldChecksum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}

export const internetChecksum = (bytes: Uint8Array, start = 0, end = bytes.length): number => foldChecksum(wordSum(bytes, start, end));

/** Sum of the pseudo-header that UDP (RFC 768) and TCP (RFC 9293 part 3.1) are checked with; `length` is octets of header and data. */
export const pseudoSum = (source: Ipv4, destination: Ipv4, protocol: number, length: number): number =>
  (source >>> 16) + (source & 0xffff) + (destination >>> 16) + (destination & 0xffff) + protocol + length;
