/** The ICMP messages that a host needs (RFC 792): echo, and destination unreachable with the reasons of RFC 1122 part 3.2.2.1. */
import { putU16, u16 } from '../base/bytes.js';
import { err, ok } from '../base/result.js';
import type { Result } from '../hal.js';
import { internetChecksum } from './checksum.js';
import type { FrameFault } from './frame-fault.js';

export const ICMP_HEADER = 8;
export const IcmpType = { echoReply: 0, unreachable: 3, echo: 8 } as const;
export const UnreachableCode = { protocol: 2, port: 3, fragmentationNeeded: 4 } as const;

export interface IcmpMessage {
  type: number;
  code: number;
  /** Octets 4 to 7: identifier and sequence number of an echo, next-hop MTU of `fragmentationNeeded` (RFC 1191 part 4). */
  rest: readonly [number, number];
  /** What follows: an echo's data, or the packet that an error quotes. */
  data: Uint8Array;
}

export function decodeIcmp(bytes: Uint8Array): Result<IcmpMessage, FrameFault> {
  if (bytes.length < ICMP_HEADER) return err('malformed');
  if (internetChecksum(bytes) !== 0) return err('checksum');
  return ok({ type: bytes[0]!, code: bytes[1]!, rest: [u16(bytes, 4), u16(bytes, 6)], data: bytes.subarray(ICMP_HEADER) });
}

/** Writes 8 octets and the data at `at`. */
export function writeIcmp(bytes: Uint8Array, at: number, message: IcmpMessage): void {
  bytes[at] = message.type;
  bytes[at + 1] = message.code;
  putU16(bytes, at + 2, 0);
  putU16(bytes, at + 4, message.rest[0]);
  putU16(bytes, at + 6, message.rest[1]);
  bytes.set(message.data, at + ICMP_HEADER);
  putU16(bytes, at + 2, internetChecksum(bytes, at, at + ICMP_HEADER + message.data.length));
}
