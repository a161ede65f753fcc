/** Answers what one HTTP server asks for (RFC 9110 part 11): Digest where it is offered, else Basic (RFC 7617). One for one origin. */
import { base64, utf8 } from '../../hal/base/bytes.js';
import type { Crypto, Entropy } from '../../hal/hal.js';
import { type Credentials, DigestClient } from './digest.js';
import { readAuthSchemes } from './scheme.codec.js';

export interface HttpLoginOptions {
  crypto: Pick<Crypto, 'digest'>;
  entropy: Entropy;
  credentials: Credentials;
}

/** What becomes of a 401: asked again, or the reason why not. */
export type LoginVerdict = 'answer' | 'wrong' | 'not-understood';

export class HttpLogin {
  readonly #options: HttpLoginOptions;
  readonly #digest: DigestClient;
  #scheme: 'none' | 'basic' | 'digest' = 'none';

  constructor(options: HttpLoginOptions) {
    this.#options = options;
    // A server with nothing but MD5 is asked over TLS, or else hears worse in Basic: to refuse it would protect nobody.
    this.#digest = new DigestClient({ ...options, refuseMd5: false });
  }

  /** The password goes over the connection as it is. */
  get exposes(): boolean {
    return this.#scheme === 'basic';
  }

  /** Takes the WWW-Authenticate fields of a 401; `answered`: the request had a field of ours. */
  challenged(values: readonly string[], answered: boolean): LoginVerdict {
    if (this.#digest.challenged(401, values, answered && this.#scheme === 'digest')) {
      this.#scheme = 'digest';
      return 'answer';
    }
    if (answered) return 'wrong';
    // RFC 7617 part 2: a colon would end the name.
    const basic = values.some((value) => readAuthSchemes(value)?.some(({ scheme }) => scheme === 'basic'));
    if (!basic || this.#options.credentials.user.includes(':')) return 'not-understood';
    this.#scheme = 'basic';
    return 'answer';
  }

  /** The value of Authorization for a GET of `target`; undefined before the first challenge. */
  authorize(target: string): string | undefined {
    const { user, password } = this.#options.credentials;
    if (this.#scheme === 'basic') return `Basic ${base64(utf8(`${user}:${password}`))}`;
    return this.#digest.authorize('GET', target)?.[1];
  }
}
