/** The registrar of a domain (RFC 3261 10.3). */
import { type Address, writeAddress } from '../../../core/sip/address.codec.js';
import { composeResponse, type HeaderField } from '../../../core/sip/compose.js';
import { readAddresses, type SipRequest, type SipResponse } from '../../../core/sip/message.codec.js';
import { param, readInteger } from '../../../core/sip/text.js';
import { type SipUri, writeUri } from '../../../core/sip/uri.codec.js';
import { SECOND } from '../../../hal/base/time.js';
import type { DigestAuthority } from '../digest-authority.js';
import type { PeerHost } from '../peer-host.js';
import type { PeerFlow } from './flow.js';
import type { Location } from './location.js';

/** RFC 3261 10.3 step 7: what a contact without a wish gets, and the most that any gets. */
const DEFAULT_EXPIRES = 3600;
const SECONDS_MAX = 0xffffffff;

export interface RegistrarOptions {
  location: Location;
  authority: DigestAuthority;
  /** Seconds granted at most; the lesser of this and what is asked for is granted. */
  maximumExpires: number;
  /** For the To of a response (RFC 3261 8.2.6.2). */
  newTag(): string;
}

/** Logs `server.registered {account, contact, expires, clientCN}`, `server.unregistered {account}` and `server.refused {account, detail}`. */
export class Registrar {
  readonly #host: PeerHost;
  readonly #options: RegistrarOptions;

  constructor(host: PeerHost, options: RegistrarOptions) {
    this.#host = host;
    this.#options = options;
  }

  register(request: SipRequest, flow: PeerFlow): SipResponse {
    const { authority } = this.#options;
    const judgement = authority.judge(request.method, request.headers.all('authorization'));
    if (!judgement.ok && judgement.status === 401) {
      const challenges = authority.challenges(judgement.stale).map((value): HeaderField => ['www-authenticate', value]);
      return this.#respond(request, 401, challenges);
    }
    const account = request.to.uri.kind === 'sip' ? (request.to.uri.user ?? '') : '';
    const refusal = !judgement.ok ? judgement.detail : judgement.user !== account ? `${judgement.user} may not register ${account}` : '';
    if (refusal !== '') {
      this.#host.log('server.refused', { account, detail: refusal });
      return this.#respond(request, 403);
    }
    const contacts = request.headers.get('contact') === '*' ? 'all' : readAddresses(request.headers, 'contact');
    if (!contacts) return this.#respond(request, 400);
    return this.#update(request, account, contacts, flow);
  }

  #update(request: SipRequest, account: string, contacts: 'all' | readonly Address[], flow: PeerFlow): SipResponse {
    const { location } = this.#options;
    const wish = readInteger(request.headers.get('expires') ?? '', SECONDS_MAX);
    if (contacts === 'all') {
      if (wish !== 0) return this.#respond(request, 400);
      location.clear(account);
      this.#host.log('server.unregistered', { account });
      return this.#respond(request, 200);
    }
    for (const contact of contacts) {
      if (contact.uri.kind === 'sip') this.#bind(account, contact.uri, this.#granted(contact, wish), flow);
    }
    return this.#respond(request, 200, this.#bindings(account));
  }

  #granted(contact: Address, wish: number | undefined): number {
    const own = readInteger(param(contact.params, 'expires') ?? '', SECONDS_MAX);
    return Math.min(own ?? wish ?? DEFAULT_EXPIRES, this.#options.maximumExpires);
  }

  #bind(account: string, contact: SipUri, expires: number, flow: PeerFlow): void {
    const { location } = this.#options;
    if (expires === 0) {
      location.unbind(account, contact);
      this.#host.log('server.unregistered', { account });
      return;
    }
    location.bind(account, { contact, flow, until: this.#host.clock.now() + expires * SECOND });
    this.#host.log('server.registered', { account, contact: writeUri(contact), expires, clientCN: flow.clientCN });
  }

  /** All present bindings, with the time that each has left (RFC 3261 10.3 step 8). */
  #bindings(account: string): HeaderField[] {
    const now = this.#host.clock.now();
    return this.#options.location.of(account, now).map(({ contact, until }) => {
      const expires = String(Math.ceil((until - now) / SECOND));
      return ['contact', writeAddress({ display: '', uri: contact, params: [{ name: 'expires', value: expires }] })];
    });
  }

  #respond(request: SipRequest, status: number, headers: readonly HeaderField[] = []): SipResponse {
    return composeResponse(request, { status, toTag: this.#options.newTag(), headers });
  }
}
