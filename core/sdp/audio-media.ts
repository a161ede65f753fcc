/** What one `m=` section of a peer says about audio, read in the terms that offer and answer decide by. */
import type { IpAddress } from '../../hal/hal.js';
import { G711_PAYLOAD_TYPE, type G711Codec } from '../media/g711.codec.js';
import { type CryptoAttribute, parseCrypto } from './crypto.codec.js';
import type { Direction } from './negotiated.js';
import { attributes, type Connection, type MediaDescription, type SessionDescription } from './session.codec.js';

/** The profiles that Belfry speaks, and whether they demand encryption (RFC 3551, RFC 3711 12; their feedback forms RFC 4585, RFC 5124). */
const PROFILES: Readonly<Record<string, { secure: boolean }>> = {
  'RTP/AVP': { secure: false },
  'RTP/AVPF': { secure: false },
  'RTP/SAVP': { secure: true },
  'RTP/SAVPF': { secure: true },
};

export const profileOf = (protocol: string): { secure: boolean } | undefined =>
  Object.hasOwn(PROFILES, protocol) ? PROFILES[protocol] : undefined;

/** A payload type and what it carries. */
export interface CodecFormat {
  codec: G711Codec;
  payloadType: number;
}

/** The formats that are codecs of ours, in the peer's order of preference. */
export function codecFormats(media: MediaDescription, codecs: readonly G711Codec[]): readonly CodecFormat[] {
  const found: CodecFormat[] = [];
  for (const format of media.formats) {
    const codec = codecs.find((candidate) => carries(media, format, candidate));
    if (codec) found.push({ codec, payloadType: Number(format) });
  }
  return found;
}

/** By `a=rtpmap`, or else by the static assignment of RFC 3551 6. */
function carries(media: MediaDescription, format: string, codec: G711Codec): boolean {
  if (!/^\d{1,3}$/.test(format) || Number(format) > 127) return false;
  const map = attributes(media.lines, 'rtpmap').find((value) => value.startsWith(`${format} `));
  if (map === undefined) return Number(format) === G711_PAYLOAD_TYPE[codec];
  return new RegExp(`^\\d+ +${codec}/8000(/1)?\\s*$`, 'i').test(map);
}

/** The crypto lines that can be read; one that cannot is passed over, and the others count (RFC 4568 7.1.2). */
export function cryptoLines(media: MediaDescription): readonly CryptoAttribute[] {
  const lines: CryptoAttribute[] = [];
  for (const value of attributes(media.lines, 'crypto')) {
    const parsed = parseCrypto(value);
    if (parsed.ok) lines.push(parsed.value);
  }
  return lines;
}

const DIRECTIONS: readonly Direction[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];

/** As the peer states it: of the medium, else of the session, else `sendrecv` (RFC 8866 6.7). */
function statedDirection(description: SessionDescription, media: MediaDescription): Direction {
  for (const lines of [media.lines, description.lines]) {
    const stated = DIRECTIONS.find((direction) => attributes(lines, direction).length > 0);
    if (stated) return stated;
  }
  return 'sendrecv';
}

/** Our direction: we send where the peer receives and we want to, we receive where it sends (RFC 3264 6.1). */
export function mirroredDirection(
  description: SessionDescription,
  media: MediaDescription,
  connection: Connection,
  wanted: Direction,
): Direction {
  const peer = statedDirection(description, media);
  const receives = receivesFor(peer) && !isUnspecified(connection.address);
  return directionOf(receives && sendsFor(wanted), sendsFor(peer) && receivesFor(wanted));
}

const sendsFor = (direction: Direction): boolean => direction === 'sendrecv' || direction === 'sendonly';
const receivesFor = (direction: Direction): boolean => direction === 'sendrecv' || direction === 'recvonly';
const directionOf = (sends: boolean, receives: boolean): Direction =>
  sends ? (receives ? 'sendrecv' : 'sendonly') : receives ? 'recvonly' : 'inactive';

/** The hold of RFC 2543: nothing is to be sent there (RFC 3264 8.4). */
const isUnspecified = (address: IpAddress): boolean => address === '0.0.0.0';
