/** SDP security descriptions (RFC 4568): the `a=crypto` attribute. Total. */
import { base64, fromBase64 } from '../../hal/base/bytes.js';
import { err, ok } from '../../hal/base/result.js';
import type { Result } from '../../hal/hal.js';
import { SRTP_SUITES, type SrtpKey, type SrtpSuite, srtpSuiteNamed } from '../media/srtp-suites.js';

export interface CryptoAttribute {
  /** 0 to 999999999; an answer repeats the tag of the line that it accepts (RFC 4568 5.1.2). */
  tag: number;
  /** The suite as written, which the answer repeats too. */
  name: string;
  /** Undefined where Belfry does not know the suite: the line is then passed over. */
  suite: SrtpSuite | undefined;
  keys: readonly InlineKey[];
  /** Session parameters, as written: `FEC_ORDER=FEC_SRTP`. */
  parameters: readonly string[];
}

/** `inline:<material>|<lifetime>|<MKI>:<MKI length>` */
export interface InlineKey {
  /** Master key, then master salt. */
  material: Uint8Array;
  /** Packets. */
  lifetime?: number;
  /** `value` is decimal and may be longer than a number holds; `length` is octets, 1 to 128. */
  mki?: { value: string; length: number };
}

/** Why a line cannot be read, for people; it never repeats key material. */
export type CryptoError = string;

/** RFC 4568 bounds neither; real lines have one or two keys. */
const MAX_KEYS = 16;
const MAX_PARAMETERS = 16;

/** Reads the value of an attribute: what follows `a=crypto:`. */
export function parseCrypto(value: string): Result<CryptoAttribute, CryptoError> {
  const [tag = '', name = '', methods = '', ...parameters] = value.trim().split(/[ \t]+/);
  // RFC 4568 4.1: leading zeros are not allowed; 0 itself is a number like others.
  if (!/^(0|[1-9]\d{0,8})$/.test(tag)) return err('the tag is no number of up to nine digits');
  if (!/^\w+$/.test(name)) return err('no crypto suite');
  if (parameters.length > MAX_PARAMETERS) return err('too many session parameters');
  const texts = methods.split(';');
  if (texts.length > MAX_KEYS) return err('too many keys');
  const suite = srtpSuiteNamed(name);
  const keys: InlineKey[] = [];
  for (const text of texts) {
    const key = parseInlineKey(text, suite);
    if (!key.ok) return key;
    keys.push(key.value);
  }
  return ok({ tag: Number(tag), name, suite, keys, parameters });
}

function parseInlineKey(text: string, suite: SrtpSuite | undefined): Result<InlineKey, CryptoError> {
  const m = /^inline:([^|]+)((?:\|[^|]+){0,2})$/i.exec(text);
  const material = m ? fromBase64(m[1]!) : undefined;
  if (!m || !material) return err('no inline key in base64');
  if (suite) {
    const want = SRTP_SUITES[suite].key + SRTP_SUITES[suite].salt;
    if (material.length !== want) return err(`${material.length} octets of key and salt, and ${suite} takes ${want}`);
  }
  const fields = m[2]!.split('|').slice(1);
  // RFC 4568 6.1: both are optional and in this order; only the MKI has a colon.
  const mki = fields.at(-1)?.includes(':') ? parseMki(fields.pop()!) : null;
  const lifetime = fields.length > 0 ? parseLifetime(fields.shift()!) : null;
  if (mki === undefined || lifetime === undefined || fields.length > 0) return err('malformed lifetime or MKI');
  return ok({ material, ...(lifetime === null ? {} : { lifetime }), ...(mki === null ? {} : { mki }) });
}

/** RFC 4568 6.1: a decimal number, or a power of two; the most that SRTP allows is 2^48 (RFC 3711 9.2). */
function parseLifetime(text: string): number | undefined {
  const m = /^(?:2\^(\d{1,2})|(\d{1,15}))$/.exec(text);
  const packets = m ? (m[1] === undefined ? Number(m[2]) : 2 ** Number(m[1])) : 0;
  return packets >= 1 && packets <= 2 ** 48 ? packets : undefined;
}

function parseMki(text: string): InlineKey['mki'] {
  const m = /^(\d{1,309}):(\d{1,3})$/.exec(text);
  const length = Number(m?.[2]);
  return m && length >= 1 && length <= 128 ? { value: m[1]!, length } : undefined;
}

/** Writes `<tag> <suite> inline:<key>` for one key of ours: without lifetime, MKI and parameters, which nobody needs. */
export const writeCrypto = (tag: number, name: string, key: SrtpKey): string => `${tag} ${name} inline:${base64(key.material)}`;
