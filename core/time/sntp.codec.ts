/** SNTP packets (RFC 4330 part 4; the format of RFC 5905 part 7.3). Only what a client uses is read. */
import { latin1, u32 } from '../../hal/base/bytes.js';
import { SECOND } from '../../hal/base/time.js';
import type { Micros, UnixMillis } from '../../hal/hal.js';

export interface SntpReply {
  /** The server has no time either. */
  synchronized: boolean;
  mode: number;
  stratum: number;
  /** Four letters of a kiss-o'-death (RFC 5905 part 7.4), where the stratum is 0. */
  kiss?: string;
  /** The request's transmit timestamp, as the server saw it. */
  originate: Uint8Array;
  receive: NtpTime;
  transmit: NtpTime;
}

/** Milliseconds since 1970 and the microseconds beyond, so that nothing is lost to rounding. Zero is "unknown" (RFC 4330 part 3). */
export interface NtpTime {
  at: UnixMillis;
  micros: Micros;
  unknown: boolean;
}

export const SNTP_PORT = 123;
const PACKET = 48;
const VERSION = 4;
const CLIENT = 3;

/** A request that tells the server nothing; `transmit` is 8 random octets, which the reply has to give back. */
export function encodeSntpRequest(transmit: Uint8Array): Uint8Array {
  const packet = new Uint8Array(PACKET);
  packet[0] = (VERSION << 3) | CLIENT;
  packet.set(transmit.subarray(0, 8), 40);
  return packet;
}

/** Total: undefined for a datagram that is too short; what follows the packet (authentication) is passed over. */
export function decodeSntpReply(packet: Uint8Array): SntpReply | undefined {
  if (packet.length < PACKET) return undefined;
  const stratum = packet[1]!;
  return {
    synchronized: packet[0]! >> 6 !== 3,
    mode: packet[0]! & 7,
    stratum,
    ...(stratum === 0 ? { kiss: latin1(packet, 12, 16).replace(/[^A-Z]/g, '') } : {}),
    originate: packet.slice(24, 32),
    receive: timestamp(packet, 32),
    transmit: timestamp(packet, 40),
  };
}

/** Seconds from 1900 to 1970. */
const NTP_EPOCH = 2_208_988_800;
const ERA = 2 ** 32;

/** RFC 4330 part 3: with the top bit set the years 1968 to 2036, without it 2036 to 2104. */
function timestamp(packet: Uint8Array, at: number): NtpTime {
  const seconds = u32(packet, at);
  const fraction = u32(packet, at + 4);
  const unix = seconds - NTP_EPOCH + (seconds >= ERA / 2 ? 0 : ERA);
  const micros = Math.floor((fraction / ERA) * SECOND);
  return { at: unix * 1000 + Math.floor(micros / 1000), micros: micros % 1000, unknown: seconds === 0 && fraction === 0 };
}
