/** A call that was answered (RFC 3261 13.3.1.4, 14, 15): its 2xx until the ACK, requests within it, its end. */
import type { Timer } from '../../hal/base/timers.js';
import type { Micros } from '../../hal/hal.js';
import type { Kernel } from '../kernel/kernel.js';
import { quote } from '../text/octet-text.js';
import type { Body, HeaderField, ResponseParts } from './compose.js';
import { AckWait, type Dialog } from './dialog.engine.js';
import type { Flow } from './flow.js';
import type { SipRequest } from './message.codec.js';
import type { InboundRequest, TransactionTable } from './transactions.js';
import type { Uri } from './uri.codec.js';

/** An answered call, as the call layer holds it. */
export interface Session {
  /** Hangs up. Once it is over nothing more is sent. `reason` is for people, in the Reason field (RFC 3326). */
  bye(reason: string): void;
}

export interface SessionEvents {
  /** The caller's ACK came; it brings the answer where our 2xx held the offer. */
  onConfirmed(answer: Body | undefined): void;
  /** The peer wants to change the session. */
  onReoffer(reoffer: Reoffer): void;
  /** Once. By us: `bye` was called, or no ACK came and the call was given up. */
  onEnded(by: 'us' | 'peer', reason: string): void;
}

/** A re-INVITE to be answered, at once or later (RFC 3261 14.2). */
export interface Reoffer {
  /** Absent where the peer wants an offer from us. */
  readonly offer: Body | undefined;
  /** Our answer, or the offer that was asked for; the peer's answer then comes with `onConfirmed`. */
  accept(body: Body): void;
  /** The session stays as it was. */
  reject(status: number, reason?: string, headers?: readonly HeaderField[]): void;
}

export interface SessionOptions {
  kernel: Pick<Kernel, 'now' | 'timer'>;
  transactions: TransactionTable;
  dialog: Dialog;
  flow: Flow;
  /** What each 2xx carries besides its body: Contact, Allow, Server. */
  answerHeaders: readonly HeaderField[];
  events: SessionEvents;
  /** A flow to the next hop where the one that we have is gone. */
  reach(nextHop: Uri, done: (flow: Flow | undefined) => void): void;
  /** It is over, and no request of its is on its way. */
  onClosed(session: CalleeSession): void;
}

interface Unacknowledged {
  inbound: InboundRequest;
  parts: ResponseParts;
  wait: AckWait;
}

/** `ours`: seconds after which a peer may offer again while an offer of its is being answered (RFC 3261 14.2 says 0 to 10). */
const REOFFER_RETRY_AFTER = '2';

export class CalleeSession implements Session {
  readonly dialog: Dialog;
  readonly #options: SessionOptions;
  readonly #timer: Timer;
  #unacknowledged: Unacknowledged | undefined;
  /** A re-INVITE that is not answered yet. */
  #reoffer: InboundRequest | undefined;
  #confirmed = false;
  #state: 'live' | 'leaving' | 'over' = 'live';
  #byeReason = '';

  constructor(options: SessionOptions) {
    this.#options = options;
    this.dialog = options.dialog;
    this.#timer = options.kernel.timer('sip 2xx', (at) => this.#onTimer(at));
  }

  /** Answers an INVITE of this dialog with a 2xx, and repeats it until the ACK. The first repeats the Record-Route (12.1.1). */
  answer(inbound: InboundRequest, body: Body, recorded: readonly HeaderField[] = []): void {
    const parts: ResponseParts = { status: 200, toTag: this.dialog.localTag, headers: [...recorded, ...this.#options.answerHeaders], body };
    inbound.respond(parts);
    this.#unacknowledged = { inbound, parts, wait: new AckWait(this.#options.kernel.now()) };
    this.#timer.set(this.#unacknowledged.wait.deadline);
  }

  bye(reason: string): void {
    if (this.#state !== 'live') return;
    this.#state = 'leaving';
    this.#options.events.onEnded('us', reason);
    this.#byeReason = reason;
    // The callee may not hang up before the ACK of its 2xx, or before that was given up (RFC 3261 15).
    if (!this.#unacknowledged) this.#sendBye();
  }

  onRequest(inbound: InboundRequest): void {
    const { request } = inbound;
    if (!this.dialog.accepts(request)) inbound.respond({ status: 500 });
    else if (request.method === 'BYE') this.#onBye(inbound);
    else if (request.method === 'INVITE') this.#onReinvite(inbound);
    else inbound.respond({ status: 200, headers: this.#options.answerHeaders });
  }

  onAck(ack: SipRequest): void {
    const waiting = this.#unacknowledged;
    // A lower number is an earlier ACK once more. A higher one is wrong (13.2.2.4), but sent by callers that count the ACK.
    if (!waiting || ack.cseq.number < waiting.inbound.request.cseq.number) return;
    this.#unacknowledged = undefined;
    this.#timer.clear();
    const first = !this.#confirmed;
    this.#confirmed = true;
    if (this.#state === 'leaving') this.#sendBye();
    else if (first || waiting.inbound.request.body.length === 0) this.#options.events.onConfirmed(bodyOf(ack));
  }

  #onBye(inbound: InboundRequest): void {
    inbound.respond({ status: 200 });
    const live = this.#state === 'live';
    this.#close();
    if (live) this.#options.events.onEnded('peer', 'BYE');
  }

  #onReinvite(inbound: InboundRequest): void {
    // One offer at a time: the first must be answered, and its 2xx acknowledged, before the next (14.2).
    const busy = this.#reoffer !== undefined || this.#unacknowledged !== undefined;
    if (this.#state !== 'live') inbound.respond({ status: 481 });
    else if (busy) inbound.respond({ status: 500, headers: [['retry-after', REOFFER_RETRY_AFTER]] });
    else this.#offerAgain(inbound);
  }

  #offerAgain(inbound: InboundRequest): void {
    this.#reoffer = inbound;
    const finish = (respond: () => void): void => {
      if (this.#reoffer !== inbound) return;
      this.#reoffer = undefined;
      respond();
    };
    inbound.onCancelled = () => finish(() => inbound.respond({ status: 487 }));
    this.#options.events.onReoffer({
      offer: bodyOf(inbound.request),
      accept: (body) =>
        finish(() => {
          this.dialog.refreshTarget(inbound.request);
          this.answer(inbound, body);
        }),
      reject: (status, reason, headers) => finish(() => inbound.respond({ status, reason, headers })),
    });
  }

  #onTimer(at: Micros): void {
    const waiting = this.#unacknowledged;
    if (!waiting) return;
    const due = waiting.wait.onDeadline(at);
    if (due === 'give-up') {
      this.#unacknowledged = undefined;
      const live = this.#state === 'live';
      this.#state = 'leaving';
      this.#byeReason ||= 'not acknowledged';
      this.#sendBye();
      if (live) this.#options.events.onEnded('us', 'not acknowledged');
      return;
    }
    if (due === 'repeat') waiting.inbound.respond(waiting.parts);
    this.#timer.set(waiting.wait.deadline);
  }

  #sendBye(): void {
    const draft = this.dialog.draft('BYE', { headers: [['reason', `SIP;text=${quote(this.#byeReason)}`]] });
    const send = (flow: Flow | undefined): void => {
      if (!flow) this.#close();
      else
        this.#options.transactions.request(draft, flow, {
          onResponse: (response) => this.#onByeResponse(response.status),
          onFailure: () => this.#close(),
        });
    };
    const { flow } = this.#options;
    if (flow.reliable && flow.open) send(flow);
    else this.#options.reach(this.dialog.nextHop, send);
  }

  #onByeResponse(status: number): void {
    if (status >= 200) this.#close();
  }

  #close(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#timer.clear();
    this.#unacknowledged = undefined;
    this.#reoffer?.respond({ status: 487 });
    this.#reoffer = undefined;
    this.#options.onClosed(this);
  }
}

/** The body of a message with its type; undefined where there is none. */
export function bodyOf({ headers, body }: Pick<SipRequest, 'headers' | 'body'>): Body | undefined {
  if (body.length === 0) return undefined;
  return { type: mediaType(headers.get('content-type') ?? ''), bytes: body };
}

/** `Application/SDP ; charset=x` as `application/sdp`. */
export const mediaType = (value: string): string => value.split(';', 1)[0]!.trim().toLowerCase();
