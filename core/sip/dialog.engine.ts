/** Dialogs (RFC 3261 12): what both ends remember of a call, and the order of the requests in it. */
import type { Micros } from '../../hal/hal.js';
import { type Address, tagOf, withTag, writeAddress } from './address.codec.js';
import type { Body, HeaderField, RequestDraft } from './compose.js';
import { readAddresses, type SipMessage, type SipRequest, type SipResponse, toTag } from './message.codec.js';
import { param } from './text.js';
import { T1, T2, TRANSACTION_LIFE } from './timing.js';
import type { Uri } from './uri.codec.js';

/** Call-ID and both tags: what a request in the dialog is matched by. */
const dialogKey = (callId: string, localTag: string, remoteTag: string): string => `${callId} ${localTag} ${remoteTag}`;

/** The key of the dialog that a request claims to belong to; undefined for one outside any dialog (no To tag). */
export function dialogKeyOf(request: SipRequest): string | undefined {
  const local = toTag(request);
  return local === undefined ? undefined : dialogKey(request.callId, local, tagOf(request.from) ?? '');
}

interface DialogParts {
  callId: string;
  local: Address;
  remote: Address;
  localSeq: number;
  remoteSeq: number | undefined;
  routes: readonly Address[];
  target: Uri;
}

export class Dialog {
  readonly key: string;
  readonly callId: string;
  readonly #local: Address;
  readonly #remote: Address;
  readonly #routes: readonly Address[];
  #localSeq: number;
  #remoteSeq: number | undefined;
  #target: Uri;

  private constructor(parts: DialogParts) {
    this.callId = parts.callId;
    this.key = dialogKey(parts.callId, tagOf(parts.local) ?? '', tagOf(parts.remote) ?? '');
    this.#local = parts.local;
    this.#remote = parts.remote;
    this.#localSeq = parts.localSeq;
    this.#remoteSeq = parts.remoteSeq;
    this.#routes = parts.routes;
    this.#target = parts.target;
  }

  /** The callee's end (12.1.1); undefined where Contact or Record-Route is malformed. An RFC 2543 caller's Contact may be missing. */
  static ofCallee(invite: SipRequest, localTag: string): Dialog | undefined {
    const routes = readAddresses(invite.headers, 'record-route');
    const contacts = readAddresses(invite.headers, 'contact');
    if (!routes || !contacts) return undefined;
    const { callId, cseq } = invite;
    const target = contacts[0]?.uri ?? invite.from.uri;
    // Our own numbers start anywhere below 2^31 (8.1.1.5).
    return new Dialog({
      callId,
      local: withTag(invite.to, localTag),
      remote: invite.from,
      localSeq: 0,
      remoteSeq: cseq.number,
      routes,
      target,
    });
  }

  /** The caller's end, made by a response with a To tag (12.1.2); undefined where Contact or Record-Route is malformed. */
  static ofCaller(invite: SipRequest, response: SipResponse): Dialog | undefined {
    const recorded = readAddresses(response.headers, 'record-route');
    const contacts = readAddresses(response.headers, 'contact');
    if (!recorded || !contacts) return undefined;
    const { callId, cseq } = invite;
    const target = contacts[0]?.uri ?? invite.uri;
    const routes = [...recorded].reverse();
    return new Dialog({ callId, local: invite.from, remote: response.to, localSeq: cseq.number, remoteSeq: undefined, routes, target });
  }

  get localTag(): string {
    return tagOf(this.#local) ?? '';
  }

  /** Where its requests go next: the first Route, else the peer itself (8.1.2). */
  get nextHop(): Uri {
    return this.#routes[0]?.uri ?? this.#target;
  }

  /** The peer's URI, for people. */
  get remote(): Address {
    return this.#remote;
  }

  /** A new request in the dialog; takes the next number. */
  draft(method: string, extra: { headers?: readonly HeaderField[]; body?: Body } = {}): RequestDraft {
    this.#localSeq++;
    return this.#compose(method, this.#localSeq, extra);
  }

  /** The ACK of a 2xx to our INVITE of that number (13.2.2.4). */
  ack(cseq: number, body?: Body): RequestDraft {
    return this.#compose('ACK', cseq, body ? { body } : {});
  }

  #compose(method: string, cseq: number, extra: { headers?: readonly HeaderField[]; body?: Body }): RequestDraft {
    const { uri, routes } = routeTo(this.#target, this.#routes);
    const headers: HeaderField[] = routes.map((route) => ['route', writeAddress(route)] as const);
    const draft = { method, uri, from: this.#local, to: this.#remote, callId: this.callId, cseq };
    return { ...draft, headers: [...headers, ...(extra.headers ?? [])], body: extra.body };
  }

  /** Takes note of a request's number (12.2.2). False for one that is older than the last: it gets a 500. ACK and CANCEL do not count. */
  accepts(request: SipRequest): boolean {
    if (this.#remoteSeq !== undefined && request.cseq.number < this.#remoteSeq) return false;
    this.#remoteSeq = request.cseq.number;
    return true;
  }

  /** Takes the peer's new Contact from a target refresh request, or from the 2xx of one (12.2). */
  refreshTarget(message: SipMessage): void {
    const contact = readAddresses(message.headers, 'contact')?.[0];
    if (contact) this.#target = contact.uri;
  }
}

/** Request-URI and Route, also for a strict router of RFC 2543 in the first place (12.2.1.1). */
function routeTo(target: Uri, routes: readonly Address[]): { uri: Uri; routes: readonly Address[] } {
  const [first, ...rest] = routes;
  if (!first || isLoose(first.uri)) return { uri: target, routes };
  return { uri: first.uri, routes: [...rest, { display: '', uri: target, params: [] }] };
}

const isLoose = (uri: Uri): boolean => uri.kind === 'sip' && param(uri.params, 'lr') !== undefined;

/** Repeats a 2xx until its ACK comes, also over reliable transports, since a proxy on the way may lose it (13.3.1.4). */
export class AckWait {
  #repeatAt: Micros;
  #interval = T1;
  readonly #endAt: Micros;

  constructor(now: Micros) {
    this.#repeatAt = now + T1;
    this.#endAt = now + TRANSACTION_LIFE;
  }

  get deadline(): Micros {
    return Math.min(this.#repeatAt, this.#endAt);
  }

  /** `repeat`: send the 2xx again. `give-up`: 64·T1 have passed, the call is to be ended. */
  onDeadline(now: Micros): 'repeat' | 'give-up' | undefined {
    if (this.#endAt <= now) return 'give-up';
    if (this.#repeatAt > now) return undefined;
    this.#interval = Math.min(this.#interval * 2, T2);
    this.#repeatAt += this.#interval;
    return 'repeat';
  }
}
