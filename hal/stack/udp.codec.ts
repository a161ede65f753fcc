/** UDP (RFC 768). */
import { putU16, u16 } from '../base/bytes.js';
import { err, ok } from '../base/result.js';
import type { Result } from '../hal.js';
import type { Ipv4 } from './address.js';
import { foldChecksum, pseudoSum, wordSum } from './checksum.js';
import type { FrameFault } from './frame-fault.js';
import { Protocol } from './ipv4.codec.js';

export const UDP_HEADER = 8;

export interface UdpDatagram {
  sourcePort: number;
  destinationPort: number;
  payload: Uint8Array;
}

/** Reads the payload of an IPv4 packet; a checksum of zero means that the sender computed none. */
export function decodeUdp(bytes: Uint8Array, source: Ipv4, destination: Ipv4): Result<UdpDatagram, FrameFault> {
  if (bytes.length < UDP_HEADER) return err('malformed');
  const length = u16(bytes, 4);
  if (length < UDP_HEADER || length > bytes.length) return err('malformed');
  const checked = u16(bytes, 6) !== 0;
  if (checked && foldChecksum(pseudoSum(source, destination, Protocol.udp, length) + wordSum(bytes, 0, length)) !== 0)
    return err('checksum');
  return ok({ sourcePort: u16(bytes, 0), destinationPort: u16(bytes, 2), payload: bytes.subarray(UDP_HEADER, length) });
}

/** Writes header and payload at `at`. */
export function writeUdp(bytes: Uint8Array, at: number, datagram: UdpDatagram, source: Ipv4, destination: Ipv4): void {
  const length = UDP_HEADER + datagram.payload.length;
  putU16(bytes, at, datagram.sourcePort);
  putU16(bytes, at + 2, datagram.destinationPort);
  putU16(bytes, at + 4, length);
  putU16(bytes, at + 6, 0);
  bytes.set(datagram.payload, at + UDP_HEADER);
  const checksum = foldChecksum(pseudoSum(source, destination, Protocol.udp, length) + wordSum(bytes, at, at + length));
  // Zero is taken: it says "no checksum".
  putU16(bytes, at + 6, checksum === 0 ? 0xffff : checksum);
}
