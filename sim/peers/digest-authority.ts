/** Challenges by digest and checks what comes back (RFC 7616, RFC 8760; RFC 3261 22). Keeps no state: a nonce proves its own age. */
import { type DigestAlgorithm, digestResponse, readDigestParams } from '../../core/auth/digest.js';
import { octetText } from '../../core/text/octet-text.js';
import { equal, fromHex, fromLatin1, hex, putU32, u32 } from '../../hal/base/bytes.js';
import { SECOND } from '../../hal/base/time.js';
import type { PeerHost } from './peer-host.js';

/** After this a nonce is answered with `stale=true`. */
const NONCE_SECONDS = 300;
const SECRET_OCTETS = 16;
const NONCE_OCTETS = 20;

type Judgement = { ok: true; user: string } | { ok: false; status: 401; stale: boolean } | { ok: false; status: 403; detail: string };

export interface DigestAuthorityOptions {
  realm: string;
  /** Passwords by user. */
  users: ReadonlyMap<string, string>;
  /** Offered in this order (RFC 8760 2.3). */
  algorithms: readonly DigestAlgorithm[];
}

export class DigestAuthority {
  readonly #host: PeerHost;
  readonly #options: DigestAuthorityOptions;
  readonly #secret = new Uint8Array(SECRET_OCTETS);

  constructor(host: PeerHost, options: DigestAuthorityOptions) {
    this.#host = host;
    this.#options = options;
    host.entropy.fill(this.#secret);
  }

  /** Values of WWW-Authenticate, best first. */
  challenges(stale: boolean): string[] {
    const nonce = this.#nonce(Math.floor(this.#host.clock.now() / SECOND));
    const { realm, algorithms } = this.#options;
    return algorithms.map(
      (algorithm) => `Digest realm="${realm}", nonce="${nonce}", algorithm=${algorithm}, qop="auth"${stale ? ', stale=true' : ''}`,
    );
  }

  /** `credentials` are the values of Authorization. */
  judge(method: string, credentials: readonly string[]): Judgement {
    for (const text of credentials) {
      const params = readDigestParams(text);
      if (params?.get('realm') === this.#options.realm) return this.#judge(method, params);
    }
    return { ok: false, status: 401, stale: false };
  }

  #judge(method: string, params: ReadonlyMap<string, string>): Judgement {
    const age = this.#age(params.get('nonce') ?? '');
    const algorithm = this.#options.algorithms.find((name) => name === (params.get('algorithm') ?? 'MD5').toUpperCase());
    if (age === undefined || !algorithm || params.get('qop') !== 'auth') return { ok: false, status: 401, stale: false };
    const user = params.get('username') ?? '';
    const password = this.#options.users.get(user);
    const expected = digestResponse(this.#host.crypto, {
      algorithm,
      user,
      realm: this.#options.realm,
      password: octetText(password ?? ''),
      method,
      uri: params.get('uri') ?? '',
      nonce: params.get('nonce')!,
      counted: { nc: params.get('nc') ?? '', cnonce: params.get('cnonce') ?? '' },
    });
    const right = password !== undefined && equal(fromLatin1(expected), fromLatin1(params.get('response') ?? ''));
    if (!right) return { ok: false, status: 403, detail: `wrong user or password for ${user}` };
    return age > NONCE_SECONDS ? { ok: false, status: 401, stale: true } : { ok: true, user };
  }

  /** The second it was made, and a proof that we made it: of the same length whatever the time. */
  #nonce(second: number): string {
    const octets = new Uint8Array(NONCE_OCTETS);
    putU32(octets, 0, second);
    const proof = this.#host.crypto.hmac('sha256', this.#secret, octets.subarray(0, 4));
    octets.set(proof.subarray(0, NONCE_OCTETS - 4), 4);
    return hex(octets);
  }

  /** Seconds since we made it; undefined for a nonce of someone else's. */
  #age(nonce: string): number | undefined {
    const octets = fromHex(nonce);
    if (octets?.length !== NONCE_OCTETS) return undefined;
    const second = u32(octets, 0);
    return equal(fromLatin1(nonce), fromLatin1(this.#nonce(second))) ? Math.floor(this.#host.clock.now() / SECOND) - second : undefined;
  }
}
