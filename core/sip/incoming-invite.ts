/** An INVITE that nobody has answered yet (RFC 3261 13.3). */
import { SECOND } from '../../hal/base/time.js';
import type { Timer } from '../../hal/base/timers.js';
import type { Micros } from '../../hal/hal.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Body, HeaderField } from './compose.js';
import type { Transport } from './flow.js';
import { bodyOf, type Session, type SessionEvents } from './session.js';
import type { InboundRequest } from './transactions.js';
import { writeUri } from './uri.codec.js';

/** A call that asks to be answered, as the call layer sees it. Exactly one of `accept` and `reject` ends it, or it is abandoned. */
export interface IncomingInvite {
  readonly callId: string;
  /** The account that is called; undefined where none is configured. */
  readonly account: string | undefined;
  /** URIs as text. */
  readonly from: string;
  readonly to: string;
  readonly transport: Transport;
  /** The offer; undefined where the caller wants one from us. */
  readonly offer: Body | undefined;
  /** The first field of that name (lower case, in full), as octet text. */
  header(name: string): string | undefined;
  /** Tells the caller that we are at it: 180, or 183. */
  ring(status?: 180 | 183): void;
  reject(status: number, reason?: string, headers?: readonly HeaderField[]): void;
  /** Answers with 200. `body` is the answer, or the offer where the caller sent none. Undefined when it is too late. */
  accept(body: Body, events: SessionEvents): Session | undefined;
  /** The caller gave up, or nobody answered in time; neither `accept` nor `reject` does anything then. */
  onAbandoned(listener: (reason: string) => void): void;
}

export interface IncomingInviteOptions {
  kernel: Pick<Kernel, 'now' | 'timer'>;
  inbound: InboundRequest;
  account: string | undefined;
  /** Ours in this dialog. */
  tag: string;
  /** What each response that makes a dialog carries: Record-Route, Contact, Allow, Server. */
  dialogHeaders: readonly HeaderField[];
  /** Makes the session and sends the 200; undefined where the caller's Contact or Record-Route is malformed, and refused. */
  establish(body: Body, events: SessionEvents): Session | undefined;
}

/** `ours`: a caller is told within 3 min that nobody answers (RFC 3261 timer C asks proxies for as much). */
const ANSWER_WITHIN: Micros = 180 * SECOND;

export function createIncomingInvite(options: IncomingInviteOptions): IncomingInvite {
  const { kernel, inbound, account, tag, dialogHeaders, establish } = options;
  const { request, flow } = inbound;
  let pending = true;
  let abandoned: (reason: string) => void = () => {};
  const settle = (): boolean => {
    const first = pending;
    pending = false;
    timer.clear();
    return first;
  };
  const abandon = (status: number, reason: string): void => {
    if (!settle()) return;
    inbound.respond({ status, toTag: tag });
    abandoned(reason);
  };
  const timer: Timer = kernel.timer('sip answer', () => abandon(480, 'not answered'));
  timer.set(kernel.now() + ANSWER_WITHIN);
  inbound.onCancelled = () => abandon(487, 'cancelled');
  return {
    callId: request.callId,
    account,
    from: writeUri(request.from.uri),
    to: writeUri(request.to.uri),
    transport: flow.transport,
    offer: bodyOf(request),
    header: (name) => request.headers.get(name),
    ring: (status = 180) => {
      if (pending) inbound.respond({ status, toTag: tag, headers: dialogHeaders });
    },
    reject: (status, reason, headers) => {
      if (settle()) inbound.respond({ status, reason, toTag: tag, headers });
    },
    accept: (body, events) => (settle() ? establish(body, events) : undefined),
    onAbandoned: (listener) => {
      abandoned = listener;
    },
  };
}
