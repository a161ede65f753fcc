/** Digest authentication (RFC 2617, RFC 7616, RFC 8760): challenges read and chosen, credentials written. */
import { fromLatin1, hex } from '../../hal/base/bytes.js';
import type { Crypto, Entropy, HashName } from '../../hal/hal.js';
import { octetText, quote } from '../text/octet-text.js';
import { type AuthScheme, readAuthSchemes } from './scheme.codec.js';

export type DigestAlgorithm = 'MD5' | 'SHA-256' | 'SHA-512-256';

export interface Challenge {
  realm: string;
  nonce: string;
  opaque: string | undefined;
  algorithm: DigestAlgorithm;
  /** The `-sess` variant: the key is bound to the first nonce (RFC 7616 3.4.2). */
  session: boolean;
  /** `auth` was offered; without it the older form of RFC 2069 is used. */
  qop: boolean;
  /** The nonce was good once: try again with the new one, without doubting the password. */
  stale: boolean;
}

/** Names and passwords are ordinary text. */
export interface Credentials {
  user: string;
  password: string;
}

const HASHES: Readonly<Record<DigestAlgorithm, HashName>> = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256' };

/** The parameters of `Digest a="b", c=d`; undefined for another scheme, for several, or a malformed value. */
export function readDigestParams(text: string): AuthScheme['params'] | undefined {
  const schemes = readAuthSchemes(text);
  return schemes?.length === 1 && schemes[0]!.scheme === 'digest' ? schemes[0]!.params : undefined;
}

/** One challenge that we can answer; undefined for another scheme, algorithm, or `auth-int` alone. */
export function readChallenge({ scheme, params }: AuthScheme): Challenge | undefined {
  const nonce = params.get('nonce');
  if (scheme !== 'digest' || nonce === undefined) return undefined;
  const algorithm = readAlgorithm(params.get('algorithm') ?? 'MD5');
  const qops = params
    .get('qop')
    ?.toLowerCase()
    .split(/\s*,\s*/);
  if (!algorithm || (qops && !qops.includes('auth'))) return undefined;
  return {
    realm: params.get('realm') ?? '',
    nonce,
    opaque: params.get('opaque'),
    ...algorithm,
    qop: qops !== undefined,
    stale: params.get('stale')?.toLowerCase() === 'true',
  };
}

function readAlgorithm(text: string): { algorithm: DigestAlgorithm; session: boolean } | undefined {
  const upper = text.toUpperCase();
  const session = upper.endsWith('-SESS');
  const name = session ? upper.slice(0, -'-SESS'.length) : upper;
  return name === 'MD5' || name === 'SHA-256' || name === 'SHA-512-256' ? { algorithm: name, session } : undefined;
}

/**
 * The challenge to answer: the topmost that we understand (RFC 8760 2.4). The server orders them by preference; one that lists MD5 first
 * would take it anyway. With `refuseMd5`, MD5 counts as not understood.
 */
function chooseChallenge(values: readonly string[], options: { refuseMd5: boolean }): Challenge | undefined {
  for (const offered of values.flatMap((value) => readAuthSchemes(value) ?? [])) {
    const challenge = readChallenge(offered);
    if (challenge && !(options.refuseMd5 && challenge.algorithm === 'MD5')) return challenge;
  }
  return undefined;
}

export interface DigestInput {
  algorithm: DigestAlgorithm;
  session?: boolean;
  /** Octet text, as it stands on the wire without quotes. */
  user: string;
  realm: string;
  password: string;
  method: string;
  uri: string;
  nonce: string;
  /** Absent where no qop is used. */
  counted?: { nc: string; cnonce: string };
}

/** The `response` value, in lower-case hex (RFC 7616 3.4.1). */
export function digestResponse(crypto: Pick<Crypto, 'digest'>, input: DigestInput): string {
  const hash = (text: string): string => hex(crypto.digest(HASHES[input.algorithm], fromLatin1(text)));
  const { nonce, counted } = input;
  const base = hash(`${input.user}:${input.realm}:${input.password}`);
  const secret = input.session && counted ? hash(`${base}:${nonce}:${counted.cnonce}`) : base;
  const subject = hash(`${input.method}:${input.uri}`);
  return hash(counted ? `${secret}:${nonce}:${counted.nc}:${counted.cnonce}:auth:${subject}` : `${secret}:${nonce}:${subject}`);
}

/** Answers one server's challenges: keeps the nonce in use and counts its uses, so that later requests need no new challenge. */
export class DigestClient {
  readonly #crypto: Pick<Crypto, 'digest'>;
  readonly #entropy: Entropy;
  readonly #credentials: Credentials;
  readonly #refuseMd5: boolean;
  #current: { challenge: Challenge; field: 'authorization' | 'proxy-authorization'; uses: number; cnonce: string } | undefined;

  constructor(options: { crypto: Pick<Crypto, 'digest'>; entropy: Entropy; credentials: Credentials; refuseMd5: boolean }) {
    this.#crypto = options.crypto;
    this.#entropy = options.entropy;
    this.#credentials = options.credentials;
    this.#refuseMd5 = options.refuseMd5;
  }

  /**
   * Takes the challenges of a 401 or 407. False when there is nothing more to try: none is understood, or the nonce that was just
   * answered comes back, or a new one without `stale` after one was `answered`, which means that the credentials are wrong.
   */
  challenged(status: 401 | 407, values: readonly string[], answered: boolean): boolean {
    const challenge = chooseChallenge(values, { refuseMd5: this.#refuseMd5 });
    if (!challenge) return false;
    if (answered && (!challenge.stale || challenge.nonce === this.#current?.challenge.nonce)) return false;
    this.#current = { challenge, field: status === 401 ? 'authorization' : 'proxy-authorization', uses: 0, cnonce: this.#newCnonce() };
    return true;
  }

  /** The header field for a request to `uri`; undefined while no challenge is known. */
  authorize(method: string, uri: string): readonly [name: string, value: string] | undefined {
    const current = this.#current;
    if (!current) return undefined;
    const { challenge } = current;
    const user = octetText(this.#credentials.user);
    const password = octetText(this.#credentials.password);
    const { algorithm, session, realm, nonce } = challenge;
    const nc = (++current.uses).toString(16).padStart(8, '0');
    const counted = challenge.qop || session ? { nc, cnonce: current.cnonce } : undefined;
    const response = digestResponse(this.#crypto, {
      algorithm,
      session,
      user,
      realm,
      password,
      method,
      uri,
      nonce,
      ...(counted ? { counted } : {}),
    });
    const parts = [`username=${quote(user)}`, `realm=${quote(realm)}`, `nonce=${quote(nonce)}`, `uri="${uri}"`, `response="${response}"`];
    parts.push(`algorithm=${algorithm}${session ? '-sess' : ''}`);
    if (counted) parts.push(`cnonce="${counted.cnonce}"`);
    if (challenge.qop && counted) parts.push('qop=auth', `nc=${counted.nc}`);
    if (challenge.opaque !== undefined) parts.push(`opaque=${quote(challenge.opaque)}`);
    return [current.field, `Digest ${parts.join(', ')}`];
  }

  /** One for the life of a nonce, as the `-sess` variant wants it; `nc` tells its uses apart. */
  #newCnonce(): string {
    const cnonce = new Uint8Array(CNONCE_OCTETS);
    this.#entropy.fill(cnonce);
    return hex(cnonce);
  }
}

/** `ours`: 64 bits, so that no two are alike. */
const CNONCE_OCTETS = 8;
