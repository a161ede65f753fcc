/** The REGISTER exchange of one account (RFC 3261 10): what to send, and what an answer means. No I/O, no timers. */

import type { DigestClient } from '../auth/digest.js';
import { type Address, withTag, writeAddress } from './address.codec.js';
import type { HeaderField, RequestDraft } from './compose.js';
import { readAddresses, type SipResponse } from './message.codec.js';
import { param, readInteger } from './text.js';
import { type SipUri, sameUri, writeUri } from './uri.codec.js';

export type RegisterOutcome =
  | { type: 'provisional' }
  /** Send `draft()` again: with credentials, or with a longer period. */
  | { type: 'again' }
  /** Seconds that the registrar granted. */
  | { type: 'accepted'; expires: number }
  /** `temporary`: the server, not the account, is at fault, and another server may do better. Seconds to wait, where it says so. */
  | { type: 'refused'; status: number; reason: string; temporary: boolean; retryAfter: number | undefined };

export interface RegisterOptions {
  /** The account's address of record. */
  aor: SipUri;
  display: string;
  /** Where the request is for: the domain, without a user (10.2). */
  registrar: SipUri;
  /** The outbound proxy, which the request goes by (8.1.2). */
  route: SipUri | undefined;
  /** Seconds asked for. */
  period: number;
  userAgent: string;
  digest: DigestClient;
  /** Unique, for the life of the device (10.2). */
  callId: string;
  tag: string;
}

/** `ours`: a challenge, a stale nonce, and a longer period are three; more in one attempt is a loop. */
const ROUNDS_MAX = 4;
/** Seconds: no registrar has a reason to ask for a longer period, or for a longer wait. */
const DAY = 86_400;

export class RegisterEngine {
  readonly #options: RegisterOptions;
  #cseq = 0;
  #period: number;
  #rounds = 0;
  /** A challenge was answered in this attempt: another one means that the answer was wrong. */
  #answered = false;
  #contact: Address | undefined;
  /** The contact that the registrar holds, as far as we know. */
  #bound: Address | undefined;
  #removing = false;

  constructor(options: RegisterOptions) {
    this.#options = options;
    this.#period = options.period;
  }

  get aor(): SipUri {
    return this.#options.aor;
  }

  get bound(): boolean {
    return this.#bound !== undefined;
  }

  /** Begins an attempt; `contact` is where we can be reached, undefined to unregister what is bound. */
  begin(contact: Address | undefined): void {
    this.#rounds = 0;
    this.#answered = false;
    this.#removing = contact === undefined;
    this.#contact = contact ?? this.#bound;
  }

  /** The request to send now; each has the next number and the same Call-ID (10.2). */
  draft(): RequestDraft {
    const { aor, display, registrar, route, digest, userAgent, callId, tag } = this.#options;
    const identity: Address = { display, uri: aor, params: [] };
    const headers: HeaderField[] = route ? [['route', writeAddress({ display: '', uri: route, params: [] })]] : [];
    headers.push(...this.#contacts());
    headers.push(['expires', this.#removing ? '0' : String(this.#period)], ['user-agent', userAgent]);
    const authorization = digest.authorize('REGISTER', writeUri(registrar));
    if (authorization) headers.push(authorization);
    this.#cseq++;
    return { method: 'REGISTER', uri: registrar, from: withTag(identity, tag), to: identity, callId, cseq: this.#cseq, headers };
  }

  /** Our contact, and with it the end of one that a former address or connection left behind. */
  #contacts(): HeaderField[] {
    const contact = this.#contact;
    const fields: HeaderField[] = contact ? [['contact', writeAddress(contact)]] : [];
    const old = this.#bound;
    if (contact && old && !sameUri(old.uri, contact.uri)) fields.push(['contact', writeAddress({ ...old, params: [EXPIRED] })]);
    return fields;
  }

  onResponse(response: SipResponse): RegisterOutcome {
    const { status } = response;
    if (status < 200) return { type: 'provisional' };
    if (status < 300) return this.#onSuccess(response);
    if (this.#rounds++ < ROUNDS_MAX && this.#canRepeat(response)) return { type: 'again' };
    const retryAfter = readInteger((response.headers.get('retry-after') ?? '').split(/[\s;(]/, 1)[0]!, DAY);
    return { type: 'refused', status, reason: response.reason, temporary: status >= 500 && status < 600, retryAfter };
  }

  #onSuccess(response: SipResponse): RegisterOutcome {
    if (this.#removing) {
      this.#bound = undefined;
      return { type: 'accepted', expires: 0 };
    }
    const expires = this.#granted(response);
    this.#bound = this.#contact;
    return { type: 'accepted', expires };
  }

  #canRepeat(response: SipResponse): boolean {
    const { status, headers } = response;
    if (status === 401) return this.#answer(401, headers.all('www-authenticate'));
    if (status === 407) return this.#answer(407, headers.all('proxy-authenticate'));
    if (status !== 423) return false;
    // Interval Too Brief (10.2.8): ask for what it wants at least.
    const least = readInteger(headers.get('min-expires') ?? '', DAY);
    if (least === undefined || least <= this.#period) return false;
    this.#period = least;
    return true;
  }

  #answer(status: 401 | 407, challenges: readonly string[]): boolean {
    const answerable = this.#options.digest.challenged(status, challenges, this.#answered);
    this.#answered = true;
    return answerable;
  }

  /** The parameter of our Contact first, then the Expires field, then what we asked for (10.2.4). */
  #granted(response: SipResponse): number {
    const contacts = readAddresses(response.headers, 'contact') ?? [];
    const own = contacts.find((contact) => isSameContact(contact, this.#contact)) ?? (contacts.length === 1 ? contacts[0] : undefined);
    const inContact = own && readInteger(param(own.params, 'expires') ?? '', DAY);
    return inContact ?? readInteger(response.headers.get('expires') ?? '', DAY) ?? this.#period;
  }
}

const EXPIRED = { name: 'expires', value: '0' };

const isSameContact = (a: Address, b: Address | undefined): boolean => b !== undefined && sameUri(a.uri, b.uri);
