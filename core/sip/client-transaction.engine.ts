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

/** The request on its way: sent again and again where the transport may lose it, given up at the end. */
class Sending {
  readonly #bytes: Uint8Array;
  readonly #reliable: boolean;
  /** Timer A or E. */
  #retransmitAt: Micros | undefined;
  #interval: Micros = T1;
  #endAt: Micros | undefined;

  constructor(request: SipRequest, reliable: boolean) {
    this.#bytes = writeMessage(request);
    this.#reliable = reliable;
  }

  get deadline(): Micros | undefined {
    return this.#endAt === undefined ? undefined : earlier(this.#endAt, this.#retransmitAt);
  }

  start(now: Micros): readonly ClientOutput[] {
    this.#endAt = now + TRANSACTION_LIFE;
    if (!this.#reliable) this.#retransmitAt = now + this.#interval;
    return [{ type: 'send', bytes: this.#bytes }];
  }

  /** It is sent no more; the transaction lives until `endAt`, or has no end that time brings. */
  stop(endAt: Micros | undefined): void {
    this.#retransmitAt = undefined;
    this.#endAt = endAt;
  }

  isOver(now: Micros): boolean {
    return this.#endAt !== undefined && this.#endAt <= now;
  }

  /** Sends it again if it is time; `next` is the interval that follows. */
  again(now: Micros, next: (interval: Micros) => Micros): readonly ClientOutput[] {
    if (this.#retransmitAt === undefined || this.#retransmitAt > now) return [];
    this.#interval = next(this.#interval);
    this.#retransmitAt += this.#interval;
    return [{ type: 'send', bytes: this.#bytes }];
  }
}

type InviteState = 'calling' | 'proceeding' | 'completed' | 'accepted' | 'terminated';

/** States as in RFC 3261 figure 5 with RFC 6026's `accepted`; timers B, D and M end them. */
class InviteClient implements ClientTransaction {
  #state: InviteState = 'calling';
  readonly #sending: Sending;
  #ack: Uint8Array | undefined;

  constructor(
    readonly request: SipRequest,
    readonly reliable: boolean,
  ) {
    this.#sending = new Sending(request, reliable);
  }

  get deadline(): Micros | undefined {
    return this.#sending.deadline;
  }

  start(now: Micros): readonly ClientOutput[] {
    return this.#sending.start(now);
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
    if (this.#sending.isOver(now)) return this.#enter('terminated', undefined, this.#state === 'calling' ? TIMED_OUT : TERMINATED);
    return this.#sending.again(now, (interval) => 2 * interval);
  }

  #enter(state: InviteState, endAt: Micros | undefined, out: readonly ClientOutput[]): readonly ClientOutput[] {
    this.#state = state;
    this.#sending.stop(endAt);
    return out;
  }
}

/** States as in RFC 3261 figure 6; timers F and K end them. */
class NonInviteClient implements ClientTransaction {
  #state: 'trying' | 'proceeding' | 'completed' | 'terminated' = 'trying';
  readonly #sending: Sending;

  constructor(
    readonly request: SipRequest,
    readonly reliable: boolean,
  ) {
    this.#sending = new Sending(request, reliable);
  }

  get deadline(): Micros | undefined {
    return this.#sending.deadline;
  }

  start(now: Micros): readonly ClientOutput[] {
    return this.#sending.start(now);
  }

  onResponse(response: SipResponse, now: Micros): readonly ClientOutput[] {
    if (this.#state !== 'trying' && this.#state !== 'proceeding') return [];
    if (response.status < 200) {
      this.#state = 'proceeding';
      return [{ type: 'response', response }];
    }
    this.#sending.stop(this.reliable ? undefined : now + T4);
    this.#state = this.reliable ? 'terminated' : 'completed';
    return this.reliable ? [{ type: 'response', response }, { type: 'terminated' }] : [{ type: 'response', response }];
  }

  onDeadline(now: Micros): readonly ClientOutput[] {
    if (!this.#sending.isOver(now))
      return this.#sending.again(now, (interval) => (this.#state === 'proceeding' ? T2 : Math.min(2 * interval, T2)));
    const over = this.#state === 'completed' ? TERMINATED : TIMED_OUT;
    this.#state = 'terminated';
    this.#sending.stop(undefined);
    return over;
  }
}

/** The ACK of a refusal: it belongs to the INVITE's transaction, and so has its branch and its Route (RFC 3261 17.1.1.3). */
function ackFor(invite: SipRequest, response: SipResponse): SipRequest {
  const { uri, from, callId, cseq, via, headers } = invite;
  const route = headers.all('route').map((value) => ['route', value] as const);
  return composeRequest({ method: 'ACK', uri, from, to: response.to, callId, cseq: cseq.number, headers: route }, via);
}
