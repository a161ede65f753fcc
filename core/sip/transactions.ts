/** The transaction table (RFC 3261 17): matches what arrives to the four machines, drives their timers, and bounds how many there are. */
import { hex } from '../../hal/base/bytes.js';
import type { Timer } from '../../hal/base/timers.js';
import type { Entropy, HalErrorKind, Micros } from '../../hal/hal.js';
import type { Kernel } from '../kernel/kernel.js';
import { tagOf } from './address.codec.js';
import { type ClientOutput, type ClientTransaction, createClientTransaction } from './client-transaction.engine.js';
import { composeRequest, composeResponse, type RequestDraft, type ResponseParts } from './compose.js';
import type { Flow } from './flow.js';
import { type SipRequest, type SipResponse, writeMessage } from './message.codec.js';
import { createServerTransaction, type ServerOutput, type ServerTransaction } from './server-transaction.engine.js';
import { writeUri } from './uri.codec.js';
import { branchOf, MAGIC_COOKIE, type Via } from './via.codec.js';

export interface ClientHandlers {
  /** Every provisional, then one final response; for an INVITE every further 2xx too. */
  onResponse(response: SipResponse): void;
  /** No final response: the time is over, or the flow broke. Nothing follows. */
  onFailure(kind: HalErrorKind): void;
}

export interface OutboundRequest {
  readonly request: SipRequest;
  /** Forgets it: nothing more is reported. The machine still ends by its own timers. */
  abandon(): void;
}

/** A request that arrived, to be answered. */
export interface InboundRequest {
  readonly request: SipRequest;
  readonly flow: Flow;
  respond(parts: ResponseParts): void;
  /** Of an INVITE: a CANCEL came before the final response; the CANCEL itself is answered. */
  onCancelled?: () => void;
}

export interface TransactionOptions {
  kernel: Pick<Kernel, 'now' | 'timer'>;
  entropy: Entropy;
  limits: TransactionLimits;
  /** A new request other than ACK and CANCEL. */
  onRequest(inbound: InboundRequest): void;
  /** An ACK that acknowledges a 2xx. */
  onAck(ack: SipRequest, flow: Flow): void;
}

export interface TransactionLimits {
  /** Beyond it a request of ours fails with kind `full`. */
  client: number;
  /** Beyond it a request is answered 503 without a transaction. A quarter is kept for trusted flows. */
  server: number;
}

/**
 * `ours`: 50 calls a second over UDP hold 3,200 transactions (INVITE and BYE for 32 s each), the load that one device is tested with;
 * each costs about a kilobyte.
 */
export const TRANSACTION_LIMITS: TransactionLimits = { client: 256, server: 6_144 };

/** `ours`: seconds that a refused caller is asked to wait; by then most transactions have ended. */
const RETRY_AFTER = 10;

interface ClientEntry {
  readonly key: string;
  readonly flow: Flow;
  readonly machine: ClientTransaction;
  readonly timer: Timer;
  handlers: ClientHandlers | undefined;
  /** A final response was passed on: no failure is reported after it. */
  answered: boolean;
  /** The flow took nothing. */
  broken: boolean;
}
interface ServerEntry {
  readonly key: string;
  readonly mergeKey: string | undefined;
  readonly machine: ServerTransaction;
  readonly timer: Timer;
  readonly inbound: InboundRequest;
}

export class TransactionTable {
  readonly #options: TransactionOptions;
  readonly #clients = new Map<string, ClientEntry>();
  readonly #servers = new Map<string, ServerEntry>();
  readonly #merges = new Map<string, ServerEntry>();

  constructor(options: TransactionOptions) {
    this.#options = options;
  }

  get size(): { client: number; server: number } {
    return { client: this.#clients.size, server: this.#servers.size };
  }

  /** A token of 64 random bits, in hex: tags, branches, Call-IDs. */
  token(): string {
    const bytes = new Uint8Array(8);
    this.#options.entropy.fill(bytes);
    return hex(bytes);
  }

  /** Sends a request. `handlers` are never called during this call. */
  request(draft: RequestDraft, flow: Flow, handlers: ClientHandlers, branch = MAGIC_COOKIE + this.token()): OutboundRequest {
    const request = composeRequest(draft, viaFor(flow, branch));
    const machine = createClientTransaction(request, flow.reliable);
    const key = `${branch} ${request.method}`;
    const timer = this.#options.kernel.timer(`sip ${request.method}`, (at) => this.#onClientTimer(entry, at));
    const entry: ClientEntry = { key, flow, machine, timer, handlers, answered: false, broken: false };
    const now = this.#options.kernel.now();
    if (this.#clients.size >= this.#options.limits.client) {
      const full = this.#options.kernel.timer('sip full', () => entry.handlers?.onFailure('full'));
      full.set(now);
    } else {
      this.#clients.set(key, entry);
      this.#runClient(entry, machine.start(now));
    }
    return {
      request,
      abandon: () => {
        entry.handlers = undefined;
      },
    };
  }

  /** Sends a CANCEL for an INVITE that has had a provisional response (RFC 3261 9.1): same branch, same flow. */
  cancel(invite: OutboundRequest, flow: Flow): void {
    const { uri, from, to, callId, cseq, via, headers } = invite.request;
    const route = headers.all('route').map((value) => ['route', value] as const);
    const draft: RequestDraft = { method: 'CANCEL', uri, from, to, callId, cseq: cseq.number, headers: route };
    this.request(draft, flow, { onResponse: () => {}, onFailure: () => {} }, branchOf(via));
  }

  /** Sends a request without a transaction, the ACK of a 2xx; gives its octets, to be sent again with each repeated 2xx. */
  sendAck(draft: RequestDraft, flow: Flow): Uint8Array {
    const bytes = writeMessage(composeRequest(draft, viaFor(flow, MAGIC_COOKIE + this.token())));
    flow.send(bytes);
    return bytes;
  }

  onResponse(response: SipResponse): void {
    // More than one Via: it was not meant for us (RFC 3261 8.1.3.3).
    if (response.headers.list('via').length !== 1) return;
    const entry = this.#clients.get(`${branchOf(response.via)} ${response.cseq.method}`);
    if (entry) this.#runClient(entry, entry.machine.onResponse(response, this.#options.kernel.now()));
  }

  onRequest(request: SipRequest, flow: Flow): void {
    const known = this.#servers.get(serverKey(request, request.method === 'ACK' ? 'INVITE' : request.method));
    if (request.method === 'ACK') {
      // The ACK of a 2xx has a branch of its own; an RFC 2543 caller's may match the INVITE all the same.
      if (known) this.#runServer(known, known.machine.onAck(this.#options.kernel.now()));
      this.#options.onAck(request, flow);
    } else if (known) this.#runServer(known, known.machine.onRetransmission());
    else if (this.#full(flow)) this.refuse(request, flow, { status: 503, headers: [['retry-after', String(RETRY_AFTER)]] });
    else if (request.method === 'CANCEL') this.#onCancel(request, flow);
    else this.#accept(request, flow);
  }

  /** Answers without a transaction. */
  refuse(request: SipRequest, flow: Flow, parts: ResponseParts): void {
    flow.send(writeMessage(composeResponse(request, { toTag: this.token(), ...parts })));
  }

  /** The flow is closed: what waits for an answer on it fails now. */
  onFlowClosed(flow: Flow, kind: HalErrorKind): void {
    for (const entry of [...this.#clients.values()]) if (entry.flow === flow) this.#failClient(entry, kind);
  }

  /** Ends every transaction without a word. */
  close(): void {
    for (const { timer } of this.#clients.values()) timer.clear();
    for (const { timer } of this.#servers.values()) timer.clear();
    this.#clients.clear();
    this.#servers.clear();
    this.#merges.clear();
  }

  #full(flow: Flow): boolean {
    const { server } = this.#options.limits;
    return this.#servers.size >= (flow.trusted ? server : (server * 3) / 4);
  }

  #accept(request: SipRequest, flow: Flow): void {
    const mergeKey = tagOf(request.to) === undefined ? mergeKeyOf(request) : undefined;
    const merged = mergeKey !== undefined && this.#merges.has(mergeKey);
    const entry = this.#open(request, flow, merged ? undefined : mergeKey);
    // The same request by another way (RFC 3261 8.2.2.2): this one is answered by the first.
    if (merged) entry.inbound.respond({ status: 482, toTag: this.token() });
    else this.#options.onRequest(entry.inbound);
  }

  #onCancel(request: SipRequest, flow: Flow): void {
    const invite = this.#servers.get(serverKey(request, 'INVITE'));
    const { inbound } = this.#open(request, flow, undefined);
    inbound.respond({ status: invite ? 200 : 481, toTag: this.token() });
    if (invite && !invite.machine.answered) invite.inbound.onCancelled?.();
  }

  #open(request: SipRequest, flow: Flow, mergeKey: string | undefined): ServerEntry {
    const { kernel } = this.#options;
    const machine = createServerTransaction(request, flow.reliable);
    const key = serverKey(request, request.method);
    const timer = kernel.timer(`sip ${request.method}`, (at) => this.#runServer(entry, machine.onDeadline(at)));
    const respond = (parts: ResponseParts): void => this.#runServer(entry, machine.respond(composeResponse(request, parts), kernel.now()));
    const entry: ServerEntry = { key, mergeKey, machine, timer, inbound: { request, flow, respond } };
    this.#servers.set(key, entry);
    if (mergeKey !== undefined) this.#merges.set(mergeKey, entry);
    machine.start(kernel.now());
    this.#arm(timer, machine.deadline);
    return entry;
  }

  #runServer(entry: ServerEntry, outputs: readonly ServerOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'send') entry.inbound.flow.send(output.bytes);
      else if (output.type === 'terminated') {
        this.#servers.delete(entry.key);
        if (entry.mergeKey !== undefined) this.#merges.delete(entry.mergeKey);
      }
    }
    this.#arm(entry.timer, this.#servers.get(entry.key) === entry ? entry.machine.deadline : undefined);
  }

  #onClientTimer(entry: ClientEntry, at: Micros): void {
    if (entry.broken) this.#failClient(entry, 'closed');
    else this.#runClient(entry, entry.machine.onDeadline(at));
  }

  #runClient(entry: ClientEntry, outputs: readonly ClientOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'send') entry.broken ||= !entry.flow.send(output.bytes);
      else if (output.type === 'response') {
        entry.answered ||= output.response.status >= 200;
        entry.handlers?.onResponse(output.response);
      } else if (output.type === 'timeout') entry.handlers?.onFailure('timeout');
      else this.#clients.delete(entry.key);
    }
    // The handlers may have closed the table. A flow that takes nothing is reported from a turn of its own, never from within `request`.
    const live = this.#clients.get(entry.key) === entry;
    this.#arm(entry.timer, live ? (entry.broken ? this.#options.kernel.now() : entry.machine.deadline) : undefined);
  }

  #failClient(entry: ClientEntry, kind: HalErrorKind): void {
    entry.timer.clear();
    if (this.#clients.delete(entry.key) && !entry.answered) entry.handlers?.onFailure(kind);
  }

  #arm(timer: Timer, deadline: Micros | undefined): void {
    if (deadline === undefined) timer.clear();
    else if (timer.due !== deadline) timer.set(deadline);
  }
}

const viaFor = (flow: Flow, branch: string): Via => ({
  transport: flow.transport.toUpperCase(),
  host: flow.sentBy.address,
  port: flow.sentBy.port,
  // RFC 3581: answer to where it came from.
  params: [
    { name: 'rport', value: undefined },
    { name: 'branch', value: branch },
  ],
});

/** What makes a request the same request (RFC 3261 17.2.3); without the cookie, by the rules of RFC 2543. */
function serverKey(request: SipRequest, method: string): string {
  const { via } = request;
  const branch = branchOf(via);
  if (branch.startsWith(MAGIC_COOKIE) && branch.length > MAGIC_COOKIE.length) return `${branch} ${via.host}:${via.port} ${method}`;
  return `${via.host}:${via.port} ${branch} ${request.callId} ${tagOf(request.from)} ${request.cseq.number} ${writeUri(request.uri)} ${method}`;
}

const mergeKeyOf = (request: SipRequest): string => `${tagOf(request.from)} ${request.callId} ${request.cseq.number} ${request.method}`;
