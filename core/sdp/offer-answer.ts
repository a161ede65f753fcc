/** Offer and answer (RFC 3264) about one stream of audio. */
import { err, ok } from '../../hal/base/result.js';
import type { Result } from '../../hal/hal.js';
import { G711_PAYLOAD_TYPE } from '../media/g711.codec.js';
import type { SrtpKey } from '../media/srtp-suites.js';
import { type CodecFormat, codecFormats, cryptoLines, mirroredDirection, profileOf } from './audio-media.js';
import { writeCrypto } from './crypto.codec.js';
import { audioMedia, describe, familyOf, localKey } from './local-description.js';
import type { LocalMedia, NegotiatedMedia } from './negotiated.js';
import { connectionOf, type MediaDescription, parseSession, type SessionDescription, serialiseSession } from './session.codec.js';
import { decideSrtp, keysRefused, type OfferedProtection, type SdpWarning, type SrtpDecision } from './srtp.policy.js';

export type Answered =
  | { ok: true; answer: Uint8Array; media: NegotiatedMedia }
  /** 400: no session description; 488: none that is acceptable here (RFC 3261 21.4.26). */
  | { ok: false; status: 400 | 488; warning: SdpWarning };

/** One medium of the peer's that we can take. */
interface Acceptable {
  media: MediaDescription;
  format: CodecFormat;
  protection: Exclude<SrtpDecision, { use: 'refuse' }>;
  negotiated: Omit<NegotiatedMedia, 'srtp'>;
}

/**
 * Answers an offer: one audio medium with one codec of the offerer's choice, all other media refused with port 0 (RFC 3264 6).
 * Of several audio media, as when one is offered by RTP/AVP and again by RTP/SAVP, an encrypted one is taken before one in clear.
 */
export function answerOffer(offer: Uint8Array, local: LocalMedia): Answered {
  const parsed = parseSession(offer);
  if (!parsed.ok) return { ok: false, status: 400, warning: malformed(parsed.error) };
  const judged = parsed.value.media.map((media) => judge(parsed.value, media, local, cryptoLines(media)));
  const acceptable = judged.flatMap((result) => (result.ok ? [result.value] : []));
  const chosen = acceptable.find(({ protection }) => protection.use === 'srtp') ?? acceptable[0];
  if (!chosen) return { ok: false, status: 488, warning: mostTelling(judged) };
  const media = negotiate(chosen, local);
  return { ok: true, answer: serialiseSession(answerTo(parsed.value, chosen, media, local)), media };
}

const malformed = (detail: string): SdpWarning => ({ code: 399, text: `session description: ${detail}` });
const NO_AUDIO: SdpWarning = { code: 304, text: 'no audio offered' };

/** Of the refusals, the one about the audio: that other media are not available is no news. */
function mostTelling(judged: readonly Result<Acceptable, SdpWarning>[]): SdpWarning {
  for (const result of judged) if (!result.ok && result.error.code !== NO_AUDIO.code) return result.error;
  return NO_AUDIO;
}

/** Both ends judge alike what the other one says; `crypto` are those of its lines that count. */
function judge(
  description: SessionDescription,
  media: MediaDescription,
  local: LocalMedia,
  crypto: OfferedProtection['crypto'],
): Result<Acceptable, SdpWarning> {
  if (media.kind !== 'audio' || media.port === 0) return err(NO_AUDIO);
  const profile = profileOf(media.protocol);
  if (!profile) return err({ code: 302, text: `transport protocol ${media.protocol.slice(0, 32)} is not supported` });
  const [format] = codecFormats(media, local.codecs);
  if (!format) return err({ code: 305, text: `no codec in common; supported: ${local.codecs.join(', ')}` });
  const connection = connectionOf(description, media);
  if (connection?.family !== familyOf(local.address)) return err({ code: 301, text: `${familyOf(local.address)} addresses only` });
  const protection = decideSrtp(local.srtp, {
    secureProfile: profile.secure,
    crypto,
    secureSignalling: local.secureSignalling,
  });
  if (protection.use === 'refuse') return err(protection.warning);
  const negotiated = {
    ...format,
    remote: { address: connection.address, port: media.port },
    direction: mirroredDirection(description, media, connection, local.direction ?? 'sendrecv'),
  };
  return ok({ media, format, protection, negotiated });
}

function negotiate({ protection, negotiated }: Acceptable, local: LocalMedia): NegotiatedMedia {
  if (protection.use === 'clear') return negotiated;
  const { suite, remoteKey, insecureKeys } = protection;
  return { ...negotiated, srtp: { suite, local: localKey(local, suite), remote: remoteKey, insecureKeys } };
}

/** As many media as were offered, in their order; the times are the offer's (RFC 3264 6). */
function answerTo(offer: SessionDescription, chosen: Acceptable, media: NegotiatedMedia, local: LocalMedia): SessionDescription {
  const times = offer.lines.filter(({ type }) => type === 't').slice(0, 1);
  const crypto =
    media.srtp && chosen.protection.use === 'srtp'
      ? [writeCrypto(chosen.protection.crypto.tag, chosen.protection.crypto.name, media.srtp.local)]
      : [];
  const audio = audioMedia(chosen.media.protocol, local.port, [chosen.format], crypto, media.direction);
  return {
    ...describe(local, times),
    media: offer.media.map((offered) => (offered === chosen.media ? audio : { ...offered, port: 0, lines: [] })),
  };
}

/** An offer of ours, to be kept until its answer comes. */
export interface MadeOffer {
  offer: Uint8Array;
  local: LocalMedia;
  /** The key offered under each tag. */
  keys: ReadonlyMap<number, SrtpKey>;
}

/**
 * Offers one audio medium: RTP/AVP, with crypto lines where encryption is optional (RFC 8643), or RTP/SAVP where it is demanded.
 * Fails only where encryption is demanded and its keys may not cross this signalling path.
 */
export function makeOffer(local: LocalMedia): Result<MadeOffer, SdpWarning> {
  const { mode, suites } = local.srtp;
  const refused = keysRefused(local.srtp, local.secureSignalling);
  if (refused && mode === 'standard') return err(refused);
  const offered = mode === 'disabled' || refused ? [] : suites;
  const keys = new Map(offered.map((suite, i) => [i + 1, localKey(local, suite)]));
  const formats = local.codecs.map((codec) => ({ codec, payloadType: G711_PAYLOAD_TYPE[codec] }));
  const crypto = [...keys].map(([tag, key]) => writeCrypto(tag, key.suite, key));
  const audio = audioMedia(mode === 'standard' ? 'RTP/SAVP' : 'RTP/AVP', local.port, formats, crypto, local.direction ?? 'sendrecv');
  return ok({ offer: serialiseSession({ ...describe(local, []), media: [audio] }), local, keys });
}

/** Reads the answer to an offer of ours. A refusal means that the call is to be ended (RFC 3261 13.2.2.4). */
export function readAnswer({ local, keys }: MadeOffer, answer: Uint8Array): Result<NegotiatedMedia, SdpWarning> {
  const parsed = parseSession(answer);
  if (!parsed.ok) return err(malformed(parsed.error));
  const [media] = parsed.value.media;
  if (!media) return err(NO_AUDIO);
  // An answer takes one of our lines up, under its tag and suite (RFC 4568 5.1.3); anything else is none.
  const crypto = cryptoLines(media).filter(({ tag, suite }) => suite !== undefined && keys.get(tag)?.suite === suite);
  const judged = judge(parsed.value, media, local, crypto);
  if (!judged.ok) return judged;
  const { protection, negotiated } = judged.value;
  if (protection.use === 'clear') return ok(negotiated);
  const { suite, remoteKey, insecureKeys } = protection;
  return ok({ ...negotiated, srtp: { suite, local: keys.get(protection.crypto.tag)!, remote: remoteKey, insecureKeys } });
}
