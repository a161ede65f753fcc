/** RTP packets (RFC 3550 5.1) as a view over bytes: read and written in place, nothing allocated a packet. Total. */
import { putU16, putU32, u16, u32 } from '../../hal/base/bytes.js';

/** Octets of the fixed header. */
export const RTP_HEADER = 12;
/** Payload types 72 to 76 are RTCP packet types with the marker bit's place taken (RFC 5761 4): never RTP. */
const isRtcp = (payloadType: number): boolean => payloadType >= 72 && payloadType <= 76;

/** Octets before the payload, with CSRC list and extension; 0 for what is no RTP packet. Padding is not looked at: it may be encrypted. */
export function rtpHeaderLength(bytes: Uint8Array, length: number): number {
  if (length < RTP_HEADER || bytes[0]! >> 6 !== 2 || isRtcp(bytes[1]! & 0x7f)) return 0;
  let end = RTP_HEADER + 4 * (bytes[0]! & 0x0f);
  if (bytes[0]! & 0x10) {
    if (end + 4 > length) return 0;
    end += 4 + 4 * u16(bytes, end + 2);
  }
  return end <= length ? end : 0;
}

/** One view serves all packets of a session: `read` fills it, the fields are those of the last packet read. */
export class RtpView {
  marker = false;
  payloadType = 0;
  sequence = 0;
  timestamp = 0;
  ssrc = 0;
  /** The payload is `bytes[payloadStart, payloadEnd)`, without padding. */
  payloadStart = 0;
  payloadEnd = 0;

  /** False for what is no RTP packet; the fields are then not to be used. */
  read(bytes: Uint8Array, length: number): boolean {
    const start = rtpHeaderLength(bytes, length);
    if (start === 0) return false;
    const padding = bytes[0]! & 0x20 ? bytes[length - 1]! : 0;
    if (bytes[0]! & 0x20 && (padding === 0 || start + padding > length)) return false;
    this.marker = (bytes[1]! & 0x80) !== 0;
    this.payloadType = bytes[1]! & 0x7f;
    this.sequence = u16(bytes, 2);
    this.timestamp = u32(bytes, 4);
    this.ssrc = u32(bytes, 8);
    this.payloadStart = start;
    this.payloadEnd = length - padding;
    return true;
  }
}

export interface RtpHeader {
  marker: boolean;
  /** 0 to 127. */
  payloadType: number;
  /** 16 bits; higher ones are cut. */
  sequence: number;
  /** 32 bits. */
  timestamp: number;
  ssrc: number;
}

/** Writes the fixed header, without CSRC and extension, at the start of `out`. */
export function writeRtpHeader(out: Uint8Array, header: Readonly<RtpHeader>): void {
  out[0] = 0x80;
  out[1] = (header.marker ? 0x80 : 0) | header.payloadType;
  putU16(out, 2, header.sequence);
  putU32(out, 4, header.timestamp);
  putU32(out, 8, header.ssrc);
}
