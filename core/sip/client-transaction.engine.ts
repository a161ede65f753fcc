/** Client transactions (RFC 3261 17.1, RFC 6026 8.4): one request, retransmitted where the transport may lose it, until its final response. */
import type { Micros } from '../../hal/hal.js';
import { composeRequest } from './compose.js';
import { type SipRequest, type SipResponse, writeMessage } from './message.codec.js';
import { T1, T2, T4, TIMER_D, TRANSACTION_LIFE } from './timing.js';

/** What a transaction asks of its owner, in order. */
export type ClientOutput =
  | { type: 'send'; bytes: Uint8Array }
  | { type: 'response'; response: SipResponse }
  /** No final response came in time (RFC 3261 17.1.1.2, timer B or F). */
  | { type: 'timeout' }
  /** The transaction is over; nothing follows. */
  | { type: 'terminated' };

export interface ClientTransaction {
  readonly request: SipRequest;
  /** When `onDeadline` wants to be called. */
  readonly deadline: Micros | undefined;
  start(now: Micros): readonly ClientOutput[];
  onResponse(response: SipResponse, now: Micros): readonly ClientOutput[];
  onDeadline(now: Micros): readonly ClientOutput[];
}

export const createClientTransaction = (request: SipRequest, reliable: boolean): ClientTransaction =>
  request.method === 'INVITE' ? new InviteClient(request, reliable) : new NonInviteClient(request, reliable);

const TERMINATED: readonly ClientOutput[] = [{ type: 'terminated' }];
const TIMED_OUT: readonly ClientOutput[] = [{ type: 'timeout' }, { type: 'terminated' }];

/** The earlier of two deadlines of which the second may be unset. */
const earlier = (a: Micros, b: Micros | undefined): Micros => (b !== undefined && b < a ? b : a);

type InviteState = 'calling' | 'proceeding' | 'completed' | 'accepted' | 'terminated';

/** States as in RFC 3261 figure 5 with RFC 6026's `accepted`. */
class InviteClient implements ClientTransaction {
  #state: InviteState = 'calling';
  readonly #bytes: Uint8Array;
  #ack: Uint8Array | undefined;
  /** Timer A. */
  #retransmitAt: Micros | undefined;
  #interval: Micros = T1;
  /** Timers B, D and M, one at a time. */
  #endAt: Micros | undefined;

  constructor(
    readonly request: SipRequest,
    readonly reliable: boolean,
  ) {
    this.#bytes = writeMessage(request);
  }

  get deadline(): Micros | undefined {
    return this.#endAt === undefined ? undefined : earlier(this.#endAt, this.#retransmitAt);
  }

  start(now: Micros): readonly ClientOutput[] {
    this.#endAt = now + TRANSACTION_LIFE;
    if (!this.reliable) this.#retransmitAt = now + this.#interval;
    return [{ type: 'send', bytes: this.#bytes }];
  }

  onResponse(response: SipResponse, now: Micros): readonly ClientOutput[] {
    const { status } = response;
    if (this.#state === 'calling' || this.#state === 'proceeding') {
      if (status < 200) return this.#enter('proceeding', undefined, [{ type: 'response', response }]);
      if (status < 300) return this.#enter('accepted', now + TRANSACTION_LIFE, [{ type: 'response', response }]);
      this.#ack = writeMessage(ackFor(this.request, response));
      const out: ClientOutput[] = [
        { type: 'send', bytes: this.#ack },
        { type: 'response', response },
      ];
      if (!this.reliable) return this.#enter('completed', now + TIMER_D, out);
      return this.#enter('terminated', undefined, [...out, { type: 'terminated' }]);
    }
    if (this.#state === 'completed' && status >= 300 && this.#ack) return [{ type: 'send', bytes: this.#ack }];
    // Each 2xx goes to the user, who acknowledges it again, or another branch of a fork (RFC 6026 7.2).
    if (this.#state === 'accepted' && status >= 200 && status < 300) return [{ type: 'response', response }];
    return [];
  }

  onDeadline(now: Micros): readonly ClientOutput[] {
    if (this.#endAt !== undefined && this.#endAt <= now)
      return this.#enter('terminated', undefined, this.#state === 'calling' ? TIMED_OUT : TERMINATED);
    if (this.#retransmitAt === undefined || this.#retransmitAt > now) return [];
    this.#interval *= 2;
    this.#retransmitAt += this.#interval;
    return [{ type: 'send', bytes: this.#bytes }];
  }

  #enter(state: InviteState, endAt: Micros | undefined, out: readonly ClientOutput[]): readonly ClientOutput[] {
    this.#state = state;
    this.#retransmitAt = undefined;
    this.#endAt = endAt;
    return out;
  }
}

/** States as in RFC 3261 figure 6. */
class NonInviteClient implements ClientTransaction {
  #state: 'trying' | 'proceeding' | 'completed' | 'terminated' = 'trying';
  readonly #bytes: Uint8Array;
  /** Timer E. */
  #retransmitAt: Micros | undefined;
  #interval: Micros = T1;
  /** Timers F and K, one at a time. */
  #endAt: Micros | undefined;

  constructor(
    readonly request: SipRequest,
    readonly reliable: boolean,
  ) {
    this.#bytes = writeMessage(request);
  }

  get deadline(): Micros | undefined {
    return this.#endAt === undefined ? undefined : earlier(this.#endAt, this.#retransmitAt);
  }

  start(now: Micros): readonly ClientOutput[] {
    this.#endAt = now + TRANSACTION_LIFE;
    if (!this.reliable) this.#retransmitAt = now + this.#interval;
    return [{ type: 'send', bytes: this.#bytes }];
  }

  onResponse(response: SipResponse, now: Micros): readonly ClientOutput[] {
    if (this.#state !== 'trying' && this.#state !== 'proceeding') return [];
    if (response.status < 200) {
      this.#state = 'proceeding';
      return [{ type: 'response', response }];
    }
    this.#retransmitAt = undefined;
    this.#endAt = this.reliable ? undefined : now + T4;
    this.#state = this.reliable ? 'terminated' : 'completed';
    return this.reliable ? [{ type: 'response', response }, { type: 'terminated' }] : [{ type: 'response', response }];
  }

  onDeadline(now: Micros): readonly ClientOutput[] {
    if (this.#endAt !== undefined && this.#endAt <= now) {
      const over = this.#state === 'completed' ? TERMINATED : TIMED_OUT;
      this.#state = 'terminated';
      this.#endAt = undefined;
      return over;
    }
    if (this.#retransmitAt === undefined || this.#retransmitAt > now) return [];
    this.#interval = this.#state === 'proceeding' ? T2 : Math.min(this.#interval * 2, T2);
    this.#retransmitAt += this.#interval;
    return [{ type: 'send', bytes: this.#bytes }];
  }
}

/** The ACK of a refusal: it belongs to the INVITE's transaction, and so has its branch and its Route (RFC 3261 17.1.1.3). */
function ackFor(invite: SipRequest, response: SipResponse): SipRequest {
  const { uri, from, callId, cseq, via, headers } = invite;
  const route = headers.all('route').map((value) => ['route', value] as const);
  return composeRequest({ method: 'ACK', uri, from, to: response.to, callId, cseq: cseq.number, headers: route }, via);
}
