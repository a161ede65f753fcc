/** Where the users of a domain are (RFC 3261 10): bindings with their expiry and the flow that each was made over. */
import { type SipUri, sameUri } from '../../../core/sip/uri.codec.js';
import type { Micros } from '../../../hal/hal.js';
import type { PeerFlow } from './flow.js';

export interface Binding {
  contact: SipUri;
  flow: PeerFlow;
  until: Micros;
}

/** Contacts of one user; the oldest gives way to one more. */
const BINDINGS_A_USER = 8;

export class Location {
  readonly #users = new Map<string, Binding[]>();

  /** Newest first; without those that have expired or whose connection is gone (RFC 5626 5.3). */
  of(user: string, now: Micros): readonly Binding[] {
    return (this.#users.get(user) ?? []).filter((binding) => binding.until > now && binding.flow.open);
  }

  /** Adds a contact, or renews it over another flow. */
  bind(user: string, binding: Binding): void {
    const others = this.#others(user, binding.contact);
    this.#users.set(user, [binding, ...others].slice(0, BINDINGS_A_USER));
  }

  unbind(user: string, contact: SipUri): void {
    this.#users.set(user, this.#others(user, contact));
  }

  clear(user: string): void {
    this.#users.delete(user);
  }

  /** The binding whose contact that is, whoever's: for requests within a dialog. */
  byContact(contact: SipUri, now: Micros): Binding | undefined {
    for (const user of this.#users.keys()) {
      const found = this.of(user, now).find((binding) => sameUri(binding.contact, contact));
      if (found) return found;
    }
    return undefined;
  }

  #others(user: string, contact: SipUri): Binding[] {
    return (this.#users.get(user) ?? []).filter((binding) => !sameUri(binding.contact, contact));
  }
}
