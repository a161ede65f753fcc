/** TCP segments (RFC 9293 part 3.1). Of the options only the maximum segment size is spoken. */
import { putU16, putU32, u16, u32 } from '../base/bytes.js';
import { err, ok } from '../base/result.js';
import type { Result } from '../hal.js';
import type { Ipv4 } from './address.js';
import { foldChecksum, pseudoSum, wordSum } from './checksum.js';
import type { FrameFault } from './frame-fault.js';
import { Protocol } from './ipv4.codec.js';

/** Octets of the header without options. */
export const TCP_HEADER = 20;
const MSS_OPTION = 4;
const OPTION = { end: 0, nothing: 1, mss: 2 } as const;
export const TcpFlag = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;

export interface TcpHeader {
  sourcePort: number;
  destinationPort: number;
  sequence: number;
  /** Meaningful where `flags` has `ack`. */
  acknowledgment: number;
  /** A sum of TcpFlag. */
  flags: number;
  /** Octets, unscaled. */
  window: number;
  /** The maximum segment size option, octets; SYN segments alone carry it. */
  mss?: number | undefined;
}
export type TcpSegment = TcpHeader & { payload: Uint8Array };

/** Reads the payload of an IPv4 packet. */
export function decodeTcp(bytes: Uint8Array, source: Ipv4, destination: Ipv4): Result<TcpSegment, FrameFault> {
  const segment = readTcp(bytes);
  if (!segment) return err('malformed');
  const sum = pseudoSum(source, destination, Protocol.tcp, bytes.length) + wordSum(bytes, 0, bytes.length);
  return foldChecksum(sum) === 0 ? ok(segment) : err('checksum');
}

/** The same without the checksum: a capture on the sending host holds segments whose checksum the interface has yet to compute. */
export function readTcp(bytes: Uint8Array): TcpSegment | undefined {
  if (bytes.length < TCP_HEADER) return undefined;
  const header = (bytes[12]! >> 4) * 4;
  if (header < TCP_HEADER || header > bytes.length) return undefined;
  return {
    sourcePort: u16(bytes, 0),
    destinationPort: u16(bytes, 2),
    sequence: u32(bytes, 4),
    acknowledgment: u32(bytes, 8),
    flags: bytes[13]! & 0x3f,
    window: u16(bytes, 14),
    mss: header > TCP_HEADER ? readMss(bytes, header) : undefined,
    payload: bytes.subarray(header),
  };
}

/** Ill-formed options end the reading: what came before them counts (RFC 9293 part 3.2). */
function readMss(bytes: Uint8Array, end: number): number | undefined {
  for (let at = TCP_HEADER; at < end; ) {
    const kind = bytes[at]!;
    if (kind === OPTION.end) return undefined;
    if (kind === OPTION.nothing) {
      at++;
      continue;
    }
    const length = at + 1 < end ? bytes[at + 1]! : 0;
    if (length < 2 || at + length > end) return undefined;
    if (kind === OPTION.mss && length === MSS_OPTION) return u16(bytes, at + 2);
    at += length;
  }
  return undefined;
}

/** Octets that the header takes. */
export const tcpHeaderLength = (header: Pick<TcpHeader, 'mss'>): number => TCP_HEADER + (header.mss === undefined ? 0 : MSS_OPTION);

/** Writes the header at `at`, before `length` octets of payload that are already in place. */
export function writeTcp(bytes: Uint8Array, at: number, header: TcpHeader, length: number, source: Ipv4, destination: Ipv4): void {
  const size = tcpHeaderLength(header);
  putU16(bytes, at, header.sourcePort);
  putU16(bytes, at + 2, header.destinationPort);
  putU32(bytes, at + 4, header.sequence);
  putU32(bytes, at + 8, header.acknowledgment);
  bytes[at + 12] = (size / 4) << 4;
  bytes[at + 13] = header.flags;
  putU16(bytes, at + 14, header.window);
  putU32(bytes, at + 16, 0);
  if (header.mss !== undefined) {
    bytes[at + TCP_HEADER] = OPTION.mss;
    bytes[at + TCP_HEADER + 1] = MSS_OPTION;
    putU16(bytes, at + TCP_HEADER + 2, header.mss);
  }
  const total = size + length;
  putU16(bytes, at + 16, foldChecksum(pseudoSum(source, destination, Protocol.tcp, total) + wordSum(bytes, at, at + total)));
}
