/** The SRTP crypto suites that Belfry knows, by their IANA names ("SDP Security Descriptions: SRTP Crypto Suites"). */

export type SrtpSuite =
  | 'AES_CM_128_HMAC_SHA1_80'
  | 'AES_CM_128_HMAC_SHA1_32'
  | 'AES_256_CM_HMAC_SHA1_80'
  | 'AES_256_CM_HMAC_SHA1_32'
  | 'AEAD_AES_128_GCM'
  | 'AEAD_AES_256_GCM';

/** Lengths in octets. */
export interface SrtpSuiteShape {
  readonly cipher: 'counter' | 'gcm';
  readonly key: number;
  readonly salt: number;
  readonly tag: number;
}

/** RFC 4568 6.2 and RFC 6188 3 (counter mode), RFC 7714 12 (GCM). */
export const SRTP_SUITES: Readonly<Record<SrtpSuite, SrtpSuiteShape>> = {
  AES_CM_128_HMAC_SHA1_80: { cipher: 'counter', key: 16, salt: 14, tag: 10 },
  AES_CM_128_HMAC_SHA1_32: { cipher: 'counter', key: 16, salt: 14, tag: 4 },
  AES_256_CM_HMAC_SHA1_80: { cipher: 'counter', key: 32, salt: 14, tag: 10 },
  AES_256_CM_HMAC_SHA1_32: { cipher: 'counter', key: 32, salt: 14, tag: 4 },
  AEAD_AES_128_GCM: { cipher: 'gcm', key: 16, salt: 12, tag: 16 },
  AEAD_AES_256_GCM: { cipher: 'gcm', key: 32, salt: 12, tag: 16 },
};

/** The names of draft-ietf-avt-big-aes, which deployed phones still send for what RFC 6188 registered. */
const DRAFT_NAMES: Readonly<Record<string, SrtpSuite>> = {
  AES_CM_256_HMAC_SHA1_80: 'AES_256_CM_HMAC_SHA1_80',
  AES_CM_256_HMAC_SHA1_32: 'AES_256_CM_HMAC_SHA1_32',
};

/** The suite of an IANA or draft name, in any case (settings write them in lower case); undefined for others. */
export function srtpSuiteNamed(name: string): SrtpSuite | undefined {
  const upper = name.toUpperCase();
  return Object.hasOwn(SRTP_SUITES, upper) ? (upper as SrtpSuite) : Object.hasOwn(DRAFT_NAMES, upper) ? DRAFT_NAMES[upper] : undefined;
}

/** Master key and salt of one direction, as keyed by SDES. Never logged, never in an event. */
export interface SrtpKey {
  readonly suite: SrtpSuite;
  /** Master key, then master salt. */
  readonly material: Uint8Array;
  /** Packets that this key may protect (RFC 3711 9.2); 2^48 where absent. */
  readonly lifetime?: number;
  /**
   * Octets of the master key identifier in each packet (RFC 3711 3.1); none where absent. With one key it chooses nothing, and it is not
   * authenticated, so its value is not looked at.
   */
  readonly mkiLength?: number;
}
