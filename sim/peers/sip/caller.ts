/** A SIP user who calls devices through the proxy and plays them a tone. */
import type { SrtpMode } from '../../../core/sdp/srtp.policy.js';
import { readAddress } from '../../../core/sip/address.codec.js';
import type { RequestDraft } from '../../../core/sip/compose.js';
import type { SipMessage } from '../../../core/sip/message.codec.js';
import { type InboundRequest, TRANSACTION_LIMITS, TransactionTable } from '../../../core/sip/transactions.js';
import { escapeUser, readUri } from '../../../core/sip/uri.codec.js';
import { invariant, ok } from '../../../hal/base/result.js';
import type { HalError, Micros, Result, SocketAddress, TlsIdentity, UdpSocket } from '../../../hal/hal.js';
import type { Peer, PeerHost } from '../peer-host.js';
import { OutgoingCall } from './call.js';
import { datagramFlow, type PeerFlow, receiveDatagrams, StreamFlow } from './flow.js';

export interface CallerOptions {
  /** User part of the caller's own URI. */
  user: string;
  domain: string;
  /** Where the proxy listens. */
  proxy: SocketAddress;
  transport: 'udp' | 'tls';
  /** For a proxy that asks its clients for a certificate. */
  identity?: TlsIdentity;
  /** Demanded (RTP/SAVP), offered (RTP/AVP with keys), or in clear. */
  srtp: 'standard' | 'optional' | 'none';
  /** Hz. */
  tone: number;
  onSecret?(line: string): void;
}

export interface Caller extends Peer {
  /** Calls `sip:EXTENSION@domain`, speaks for that time, and hangs up. Several calls may be under way. */
  call(to: { extension: string; for: Micros }): void;
}

const MODES: Readonly<Record<CallerOptions['srtp'], SrtpMode>> = { standard: 'standard', optional: 'optional', none: 'disabled' };

/** Logs `caller.calling {to}` and what `OutgoingCall` does. It takes the proxy's certificate unseen: judging that is the device's part. */
export function startCaller(host: PeerHost, options: CallerOptions): Result<Caller, HalError> {
  const socket = options.transport === 'udp' ? host.net.udp({ port: 0 }) : undefined;
  if (socket && !socket.ok) return socket;
  return ok(new SipCaller(host, options, socket?.value));
}

interface Waiting {
  to: string;
  run(flow: PeerFlow): void;
}

class SipCaller implements Caller {
  readonly #host: PeerHost;
  readonly #options: CallerOptions;
  readonly #transactions: TransactionTable;
  readonly #socket: UdpSocket | undefined;
  readonly #calls = new Set<OutgoingCall>();
  #connection: StreamFlow | undefined;
  /** Calls that wait for the connection. */
  readonly #waiting: Waiting[] = [];
  #session = 0;

  constructor(host: PeerHost, options: CallerOptions, socket: UdpSocket | undefined) {
    this.#host = host;
    this.#options = options;
    this.#socket = socket;
    this.#transactions = new TransactionTable({
      kernel: { now: () => host.clock.now(), timer: (name, fire) => host.timers.create(name, fire) },
      entropy: host.entropy,
      limits: TRANSACTION_LIMITS,
      onRequest: (inbound) => this.#onRequest(inbound),
      onAck: () => undefined,
    });
    if (socket) receiveDatagrams(socket, this.#own(socket), (message, flow) => this.#receive(message, flow));
  }

  call({ extension, for: time }: { extension: string; for: Micros }): void {
    const to = `sip:${escapeUser(extension)}@${this.#options.domain}`;
    this.#host.log('caller.calling', { to });
    this.#withFlow({ to, run: (flow) => this.#invite(to, time, flow) });
  }

  close(): void {
    for (const call of this.#calls) call.drop();
    this.#calls.clear();
    this.#waiting.length = 0;
    this.#transactions.close();
    this.#connection?.abort();
    this.#socket?.close();
  }

  #invite(to: string, time: Micros, flow: PeerFlow): void {
    const { domain, user, srtp, transport, tone } = this.#options;
    const socket = this.#host.net.udp({ port: 0 });
    if (!socket.ok) {
      this.#host.log('caller.failed', { to, kind: socket.error.kind });
      return;
    }
    const { contact } = flow;
    const name = escapeUser(user);
    const invite: RequestDraft = {
      method: 'INVITE',
      uri: parsed(readUri(to)),
      from: parsed(readAddress(`<sip:${name}@${domain}>;tag=${this.#transactions.token()}`)),
      to: parsed(readAddress(`<${to}>`)),
      callId: `${this.#transactions.token()}@${this.#host.address}`,
      cseq: 1,
      headers: [['contact', `<sip:${name}@${contact.address}:${contact.port};transport=${transport}>`]],
    };
    const call = new OutgoingCall({
      host: this.#host,
      transactions: this.#transactions,
      flow,
      invite,
      to,
      socket: socket.value,
      local: {
        address: this.#host.address,
        port: socket.value.local.port,
        codecs: ['PCMU'],
        srtp: { mode: MODES[srtp], suites: ['AES_CM_128_HMAC_SHA1_80'], insecure: 'warn' },
        secureSignalling: transport === 'tls',
        session: { id: ++this.#session, version: 1 },
        entropy: this.#host.entropy,
      },
      tone,
      for: time,
      onEnded: () => this.#calls.delete(call),
    });
    this.#calls.add(call);
  }

  #withFlow(call: Waiting): void {
    const { proxy } = this.#options;
    if (this.#socket) call.run(datagramFlow(this.#socket, this.#own(this.#socket), proxy));
    else if (this.#connection?.wasOpen && this.#connection.open) call.run(this.#connection);
    else {
      this.#waiting.push(call);
      if (!this.#connection) this.#connect();
    }
  }

  #connect(): void {
    const { proxy, domain, identity, onSecret } = this.#options;
    const secured = this.#host.tls.client(this.#host.net.connect(proxy), {
      serverName: domain,
      versions: { min: '1.2', max: '1.3' },
      verify: () => ({ ok: true, verified: false }),
      ...(identity ? { identity } : {}),
      ...(onSecret ? { onSecret } : {}),
    });
    const connection = new StreamFlow(secured, {
      onOpen: () => {
        for (const { run } of this.#waiting.splice(0)) run(connection);
        return '';
      },
      onMessage: (message, flow) => this.#receive(message, flow),
      onClosed: (error, flow) => this.#closed(flow, error),
    });
    this.#connection = connection;
  }

  #closed(flow: StreamFlow, error: HalError | undefined): void {
    this.#connection = undefined;
    this.#transactions.onFlowClosed(flow, error?.kind ?? 'closed');
    for (const { to } of this.#waiting.splice(0)) this.#host.log('caller.failed', { to, kind: error?.kind ?? 'closed' });
  }

  #receive(message: SipMessage, flow: PeerFlow): void {
    if (message.type === 'response') this.#transactions.onResponse(message);
    else this.#transactions.onRequest(message, flow);
  }

  #onRequest(inbound: InboundRequest): void {
    for (const call of this.#calls) if (call.receive(inbound)) return;
    const { method } = inbound.request;
    inbound.respond({ status: method === 'OPTIONS' ? 200 : method === 'BYE' ? 481 : 405, toTag: this.#transactions.token() });
  }

  #own(socket: UdpSocket): SocketAddress {
    return { address: this.#host.address, port: socket.local.port };
  }
}

/** Our own text; that it cannot be read is a wrong name in the options. */
function parsed<T>(value: T | undefined): T {
  invariant(value !== undefined, 'a caller has a user and a domain that fit a SIP URI');
  return value;
}
