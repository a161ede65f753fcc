/** Server transactions (RFC 3261 17.2, RFC 6026 8.5): one request, answered once however often it arrives. */
import type { Micros } from '../../hal/hal.js';
import { composeResponse } from './compose.js';
import { type SipRequest, type SipResponse, writeMessage } from './message.codec.js';
import { T1, T2, T4, TRANSACTION_LIFE, TRYING_AFTER } from './timing.js';

export type ServerOutput =
  | { type: 'send'; bytes: Uint8Array }
  /** No ACK came for a refusal (timer H). */
  | { type: 'timeout' }
  | { type: 'terminated' };

export interface ServerTransaction {
  /** When `onDeadline` wants to be called. */
  readonly deadline: Micros | undefined;
  /** A final response was given: what the user adds is ignored, but for further 2xx of an INVITE. */
  readonly answered: boolean;
  start(now: Micros): void;
  respond(response: SipResponse, now: Micros): readonly ServerOutput[];
  /** The same request once more. */
  onRetransmission(): readonly ServerOutput[];
  /** An ACK with this transaction's branch: it acknowledges a refusal. */
  onAck(now: Micros): readonly ServerOutput[];
  onDeadline(now: Micros): readonly ServerOutput[];
}

export const createServerTransaction = (request: SipRequest, reliable: boolean): ServerTransaction =>
  request.method === 'INVITE' ? new InviteServer(request, reliable) : new NonInviteServer(reliable);

const TERMINATED: readonly ServerOutput[] = [{ type: 'terminated' }];
const NONE: readonly ServerOutput[] = [];

/** States as in RFC 3261 figure 7 with RFC 6026's `accepted`. */
class InviteServer implements ServerTransaction {
  #state: 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated' = 'proceeding';
  /** Kept for a 100 of our own, until anything was answered. */
  #request: SipRequest | undefined;
  #last: Uint8Array | undefined;
  /** The 100 that is due, or timer G. */
  #sendAt: Micros | undefined;
  #interval: Micros = T1;
  /** Timers H, I and L, one at a time. */
  #endAt: Micros | undefined;

  constructor(
    request: SipRequest,
    readonly reliable: boolean,
  ) {
    this.#request = request;
  }

  get deadline(): Micros | undefined {
    if (this.#sendAt === undefined) return this.#endAt;
    return this.#endAt === undefined ? this.#sendAt : Math.min(this.#sendAt, this.#endAt);
  }

  get answered(): boolean {
    return this.#state !== 'proceeding';
  }

  start(now: Micros): void {
    this.#sendAt = now + TRYING_AFTER;
  }

  respond(response: SipResponse, now: Micros): readonly ServerOutput[] {
    const { status } = response;
    const again = this.#state === 'accepted' && status >= 200 && status < 300;
    if (this.#state !== 'proceeding' && !again) return NONE;
    const bytes = writeMessage(response);
    this.#request = undefined;
    if (!again) this.#enter(status, bytes, now);
    return [{ type: 'send', bytes }];
  }

  #enter(status: number, bytes: Uint8Array, now: Micros): void {
    this.#sendAt = undefined;
    // A 2xx is repeated by the dialog, end to end (RFC 3261 13.3.1.4): the transaction keeps no copy.
    this.#last = status >= 200 && status < 300 ? undefined : bytes;
    if (status < 200) return;
    this.#endAt = now + TRANSACTION_LIFE;
    this.#state = status < 300 ? 'accepted' : 'completed';
    if (status >= 300 && !this.reliable) this.#sendAt = now + this.#interval;
  }

  onRetransmission(): readonly ServerOutput[] {
    const repeats = this.#state === 'proceeding' || this.#state === 'completed';
    return repeats && this.#last ? [{ type: 'send', bytes: this.#last }] : NONE;
  }

  onAck(now: Micros): readonly ServerOutput[] {
    if (this.#state !== 'completed') return NONE;
    this.#sendAt = undefined;
    this.#last = undefined;
    this.#state = this.reliable ? 'terminated' : 'confirmed';
    this.#endAt = this.reliable ? undefined : now + T4;
    return this.reliable ? TERMINATED : NONE;
  }

  onDeadline(now: Micros): readonly ServerOutput[] {
    if (this.#endAt !== undefined && this.#endAt <= now) {
      const out: readonly ServerOutput[] = this.#state === 'completed' ? [{ type: 'timeout' }, ...TERMINATED] : TERMINATED;
      this.#state = 'terminated';
      this.#endAt = undefined;
      this.#sendAt = undefined;
      return out;
    }
    if (this.#sendAt === undefined || this.#sendAt > now) return NONE;
    if (this.#request) return this.respond(composeResponse(this.#request, { status: 100 }), now);
    this.#interval = Math.min(this.#interval * 2, T2);
    this.#sendAt += this.#interval;
    return this.#last ? [{ type: 'send', bytes: this.#last }] : NONE;
  }
}

/** States as in RFC 3261 figure 8. */
class NonInviteServer implements ServerTransaction {
  #last: Uint8Array | undefined;
  /** Timer J. */
  #endAt: Micros | undefined;
  answered = false;

  constructor(readonly reliable: boolean) {}

  get deadline(): Micros | undefined {
    return this.#endAt;
  }

  /** Bounded even where the user never answers. */
  start(now: Micros): void {
    this.#endAt = now + TRANSACTION_LIFE;
  }

  respond(response: SipResponse, now: Micros): readonly ServerOutput[] {
    if (this.answered) return NONE;
    const bytes = writeMessage(response);
    this.#last = bytes;
    if (response.status < 200) return [{ type: 'send', bytes }];
    this.answered = true;
    this.#endAt = this.reliable ? undefined : now + TRANSACTION_LIFE;
    return this.reliable ? [{ type: 'send', bytes }, ...TERMINATED] : [{ type: 'send', bytes }];
  }

  onRetransmission(): readonly ServerOutput[] {
    return this.#last ? [{ type: 'send', bytes: this.#last }] : NONE;
  }

  onAck(): readonly ServerOutput[] {
    return NONE;
  }

  onDeadline(now: Micros): readonly ServerOutput[] {
    if (this.#endAt === undefined || this.#endAt > now) return NONE;
    this.#endAt = undefined;
    return TERMINATED;
  }
}
