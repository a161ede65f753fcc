/** What a stranger reads out of a capture: frames, the secrets in it, and the sound of its RTP, with nothing of Belfry's but its octets. */
import { BLOCK, blocksOf, packetOf } from '../artefacts/read-pcapng.js';

/** When, from whom, to whom, how long: what is the same twice where the octets are random. */
export const frameTable = (file: Uint8Array): string[] =>
  packets(file).map(({ at, bytes }) => `${at} ${bytes.toString('hex', 0, 12)} ${bytes.length}`);

/** The key log embedded in the file; blank where there is none. */
export function keyLog(file: Uint8Array): string {
  const block = blocksOf(file).find(({ type }) => type === BLOCK.secrets);
  return block ? block.body.toString('latin1', 8, 8 + block.body.readUInt32LE(4)) : '';
}

/** All frames as text, for what is written in clear. */
export const clearText = (file: Uint8Array): string =>
  packets(file)
    .map(({ bytes }) => bytes.toString('latin1'))
    .join('\n');

/** The RTP payloads sent to this MAC, read as µ-law at 8 kHz in the order of arrival, whether or not they are that. */
export function payloadsAsSpeech(file: Uint8Array, mac: string): Int16Array {
  const payloads = packets(file).flatMap(({ bytes }) => (bytes.toString('hex', 0, 6) === mac.toLowerCase() ? [rtpPayload(bytes)] : []));
  return Int16Array.from(Buffer.concat(payloads), muLaw);
}

const packets = (file: Uint8Array) =>
  blocksOf(file)
    .filter(({ type }) => type === BLOCK.packet)
    .map(packetOf);

const NONE = Buffer.alloc(0);
/** Voice of 20 ms at 8 kHz (RFC 3551): so long is a payload, and SRTP's tag comes after it. */
const VOICE = 160;
const RTP_HEADER = 12;

/** Ethernet, IPv4 without fragments, UDP, and a first octet of RTP version 2 without padding, extension or sources (RFC 3550 5.1). */
function rtpPayload(frame: Buffer): Buffer {
  if (frame.readUInt16BE(12) !== 0x0800 || frame[14 + 9] !== 17) return NONE;
  const datagram = frame.subarray(14 + (frame[14]! & 0x0f) * 4);
  const rtp = datagram.subarray(8, datagram.readUInt16BE(4));
  return rtp[0] === 0x80 && rtp.length >= RTP_HEADER + VOICE ? rtp.subarray(RTP_HEADER, RTP_HEADER + VOICE) : NONE;
}

/** ITU-T G.711: a sign, three bits of segment, four of step, all inverted. */
function muLaw(octet: number): number {
  const code = ~octet & 0xff;
  const magnitude = ((((code & 0x0f) << 3) + 132) << ((code >> 4) & 7)) - 132;
  return code & 0x80 ? -magnitude : magnitude;
}
