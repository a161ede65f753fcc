/**
 * Whether a call's audio is encrypted: the setting "SDP SRTP Offer" against what the peer offers or answers.
 * The outcomes of Disabled, Optional and Standard are the vendor's (seed: "SIP Signalling (and RTP Audio)"); the forms on the wire are
 * RFC 4568 and RFC 8643, and that Standard takes RTP/AVP with a usable crypto line, because the audio is then encrypted, is ours.
 */
import type { SrtpKey, SrtpSuite } from '../media/srtp-suites.js';
import type { CryptoAttribute } from './crypto.codec.js';

export type SrtpMode = 'disabled' | 'optional' | 'standard';

export interface SrtpSettings {
  mode: SrtpMode;
  /** Acceptable suites, best first. */
  suites: readonly SrtpSuite[];
  /** What to do with keys that cross an unencrypted signalling path (ours; the seed says only that TLS protects the signalling). */
  insecure: 'warn' | 'refuse';
}

/** What one medium of an offer or an answer says about its protection. */
export interface OfferedProtection {
  /** RTP/SAVP or RTP/SAVPF: encryption is demanded. */
  secureProfile: boolean;
  crypto: readonly CryptoAttribute[];
  /** Whether the message came by TLS. */
  secureSignalling: boolean;
}

export type SrtpDecision =
  | { use: 'clear' }
  | { use: 'srtp'; crypto: CryptoAttribute; suite: SrtpSuite; remoteKey: SrtpKey; insecureKeys: boolean }
  | { use: 'refuse'; warning: SdpWarning };

/** Why a session description is not acceptable: a warn-code of RFC 3261 20.43 and a text for people, for the Warning header field. */
export interface SdpWarning {
  code: 301 | 302 | 304 | 305 | 306 | 399;
  text: string;
}

/** The decision of the answerer about one medium. */
export function decideSrtp(settings: SrtpSettings, offered: OfferedProtection): SrtpDecision {
  if (settings.mode === 'disabled') return offered.secureProfile ? refuse(302, 'SRTP is demanded, and disabled here') : { use: 'clear' };
  const chosen = chooseCrypto(settings, offered);
  if (chosen.use === 'srtp') return chosen;
  if (offered.secureProfile || settings.mode === 'standard') return chosen;
  return { use: 'clear' };
}

/**
 * The first line of the peer's that is usable: the offerer's order of preference is the one to follow (RFC 4568 5.1.2).
 * The refusal tells what was missing.
 */
export function chooseCrypto(settings: SrtpSettings, offered: OfferedProtection): SrtpDecision {
  if (offered.crypto.length === 0) return refuse(302, 'SRTP is required, and no key is given');
  const insecureKeys = !offered.secureSignalling;
  const notHere = keysRefused(settings, offered.secureSignalling);
  if (notHere) return { use: 'refuse', warning: notHere };
  for (const crypto of offered.crypto) {
    const remoteKey = usableKey(crypto);
    if (crypto.suite && remoteKey && settings.suites.includes(crypto.suite)) {
      return { use: 'srtp', crypto, suite: crypto.suite, remoteKey, insecureKeys };
    }
  }
  return refuse(306, 'no SRTP crypto suite in common');
}

/** Why keys may not cross this signalling path; undefined where they may. */
export const keysRefused = ({ insecure }: SrtpSettings, secureSignalling: boolean): SdpWarning | undefined =>
  secureSignalling || insecure === 'warn' ? undefined : { code: 399, text: 'SRTP keys over unencrypted signalling are refused here' };

/** The key of a line that we can obey whole; several keys would have to be told apart by MKI, which Belfry does not do. */
function usableKey(crypto: CryptoAttribute): SrtpKey | undefined {
  const [key, ...more] = crypto.keys;
  if (!crypto.suite || !key || more.length > 0 || !crypto.parameters.every(isHarmless)) return undefined;
  return {
    suite: crypto.suite,
    material: key.material,
    ...(key.lifetime === undefined ? {} : { lifetime: key.lifetime }),
    ...(key.mki ? { mkiLength: key.mki.length } : {}),
  };
}

/**
 * RFC 4568 6.3: a line with a parameter that is not understood, or not wanted, must not be used. A window size hint is advice, and the
 * order of FEC matters only with FEC; UNENCRYPTED_… and UNAUTHENTICATED_… are not wanted. A leading `-` marks what may be ignored.
 */
const isHarmless = (parameter: string): boolean => /^(?:-|WSH=\d+$|FEC_ORDER=)/i.test(parameter);

const refuse = (code: SdpWarning['code'], text: string): SrtpDecision => ({ use: 'refuse', warning: { code, text } });
