/** Our side of a session description: what an offer and an answer of ours have in common. */
import type { IpAddress } from '../../hal/hal.js';
import { SRTP_SUITES, type SrtpKey, type SrtpSuite } from '../media/srtp-suites.js';
import type { CodecFormat } from './audio-media.js';
import type { Direction, LocalMedia } from './negotiated.js';
import type { MediaDescription, SdpLine, SessionDescription } from './session.codec.js';

export const familyOf = (address: IpAddress): 'IP4' | 'IP6' => (address.includes(':') ? 'IP6' : 'IP4');

/** The session's own lines; `times` are its `t=` lines, or none for a session without bounds. */
export function describe(local: LocalMedia, times: readonly SdpLine[]): Omit<SessionDescription, 'media'> {
  const family = familyOf(local.address);
  return {
    origin: { user: '-', sessionId: `${local.session.id}`, version: `${local.session.version}`, family, address: local.address },
    lines: [
      { type: 's', value: '-' },
      { type: 'c', value: `IN ${family} ${local.address}` },
      ...(times.length > 0 ? times : [{ type: 't', value: '0 0' }]),
    ],
  };
}

/** `crypto` are values of `a=crypto`. */
export function audioMedia(
  protocol: string,
  port: number,
  formats: readonly CodecFormat[],
  crypto: readonly string[],
  direction: Direction,
): MediaDescription {
  return {
    kind: 'audio',
    port,
    protocol,
    formats: formats.map(({ payloadType }) => `${payloadType}`),
    lines: [
      ...formats.map(({ codec, payloadType }) => attribute(`rtpmap:${payloadType} ${codec}/8000`)),
      ...crypto.map((value) => attribute(`crypto:${value}`)),
      attribute('ptime:20'),
      attribute(direction),
    ],
  };
}

const attribute = (value: string): SdpLine => ({ type: 'a', value });

/** The key of the same suite that the call has already (RFC 4568 7.1.4), or a new one. */
export function localKey(local: LocalMedia, suite: SrtpSuite): SrtpKey {
  const before = local.previous?.srtp;
  if (before?.suite === suite) return before.local;
  const material = new Uint8Array(SRTP_SUITES[suite].key + SRTP_SUITES[suite].salt);
  local.entropy.fill(material);
  return { suite, material };
}
