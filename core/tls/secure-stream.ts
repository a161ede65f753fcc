/** One secured connection: passes the engine's events on, reports what was decided about the peer, and bounds the handshake. */
import { iso8601, SECOND } from '../../hal/base/time.js';
import type { Timer } from '../../hal/base/timers.js';
import type { HalError, SocketAddress, StreamEvent, TlsStream, Verdict } from '../../hal/hal.js';
import type { Certificate } from '../certs/certificate.codec.js';
import { type Fault, fault } from '../certs/fault.js';
import { commonName } from '../certs/name.codec.js';
import type { TlsService } from '../kernel/events.js';
import type { Kernel } from '../kernel/kernel.js';
import { alertFault, fileOf, protocolFault } from './handshake-fault.js';
import type { Judgement } from './tls.policy.js';

/** Ours: from connecting to the verdict. TCP repeats a lost SYN after 1 and 3 s; a handshake takes a small board under 2 s. */
const HANDSHAKE_TIMEOUT = 10 * SECOND;

export interface SecureStreamOptions {
  service: TlsService;
  /** For events: host or address, and port. */
  peer: string;
  /** Which end we are; of an accepted connection the engine may not know the peer's address. */
  side: 'client' | 'server';
  /** The certificate that we present; whether a server asked for it, engines do not tell. */
  own?: Certificate;
  /** Called once, when the handshake is over in whatever way. */
  onSettled?(): void;
}

export class SecureStream implements TlsStream {
  secured?: NonNullable<TlsStream['secured']>;
  readonly #kernel: Kernel;
  readonly #options: SecureStreamOptions;
  readonly #timer: Timer;
  #engine: TlsStream | undefined;
  #listener: ((event: StreamEvent) => void) | undefined;
  #judgement: Judgement | undefined;
  #peer: string;
  #address: SocketAddress | undefined;
  /** With what the stream closes when its timer fires. */
  #overdue: HalError = { kind: 'timeout', detail: `no TLS connection within ${HANDSHAKE_TIMEOUT / SECOND} s` };
  #state: 'handshake' | 'open' | 'answered' | 'closed' = 'handshake';

  constructor(kernel: Kernel, options: SecureStreamOptions) {
    this.#kernel = kernel;
    this.#options = options;
    this.#peer = options.peer;
    this.#timer = kernel.timer('tls handshake', () => this.#onOverdue());
    this.#timer.set(kernel.now() + HANDSHAKE_TIMEOUT);
  }

  /** For events: who is at the other end, as far as is known. */
  get peer(): string {
    return this.#peer;
  }

  /** Runs over this engine stream, made for it. */
  over(engine: TlsStream): this {
    this.#engine = engine;
    engine.onEvent((event) => this.#onEvent(event));
    return this;
  }

  /** Closes with this error, as soon as its maker has returned (law 1). */
  fail(error: HalError): this {
    this.#overdue = error;
    this.#timer.set(this.#kernel.now());
    return this;
  }

  /** Tells who connected to us. */
  from(address: SocketAddress): void {
    this.#address = address;
    this.#peer = peerText(address.address, address.port);
  }

  /** Takes note of what was decided about the peer, and reports a refusal. */
  judged(judgement: Judgement): Verdict {
    this.#judgement = judgement;
    if (!judgement.verdict.ok) this.#refused('us', judgement.verdict);
    return judgement.verdict;
  }

  onEvent(listener: (event: StreamEvent) => void): void {
    this.#listener = listener;
  }
  write(bytes: Uint8Array): number {
    return this.#engine?.write(bytes) ?? 0;
  }
  pause(): void {
    this.#engine?.pause();
  }
  resume(): void {
    this.#engine?.resume();
  }
  end(): void {
    this.#engine?.end();
  }
  abort(): void {
    this.#settle('closed');
    this.#engine?.abort();
  }

  #onEvent(event: StreamEvent): void {
    if (this.#state === 'closed') return;
    if (event.type === 'open') this.#onOpen(event);
    else if (event.type === 'closed') this.#onClosed(event.error, event.at);
    else {
      if (event.type === 'data') this.#state = 'answered';
      this.#listener?.(event);
    }
  }

  #onOpen(event: Extract<StreamEvent, { type: 'open' }>): void {
    const { service, side, own } = this.#options;
    const secured = this.#engine!.secured!;
    if (secured.resumed) return this.#unjudged('the session is an earlier one resumed, in which no certificate is shown');
    // A server always shows one, and the engine has to ask about it: without an answer nothing is trusted.
    if (side === 'client' && !this.#judgement?.verdict.ok) return this.#unjudged('nobody was asked about the certificate of the server');
    this.#settle('open');
    this.secured = secured;
    const { verdict, subject, commonName: client, doubt } = this.#judgement ?? {};
    const anchor = verdict?.ok ? verdict.anchor : undefined;
    const clientCertificate = side === 'server' ? client : own && nameOf(own);
    this.#kernel.emit('tls.accepted', {
      service,
      peer: this.#peer,
      version: secured.version,
      suite: secured.suite,
      verified: verdict?.ok === true && verdict.verified,
      ...(subject === undefined ? {} : { subject }),
      ...(anchor === undefined ? {} : { anchor }),
      ...(clientCertificate === undefined ? {} : { clientCertificate }),
      ...(doubt ? { doubt: `${doubt.rule}: ${doubt.detail}` } : {}),
    });
    this.#listener?.(this.#address ? { ...event, peer: this.#address } : event);
  }

  /**
   * Sessions are never resumed: the peer shows no certificate in one, and who was trusted when it began may be refused by now, its
   * certificate ended, its authority removed. We offer no session and issue none, so that an engine that resumes breaks its contract.
   */
  #unjudged(detail: string): void {
    this.#refused('us', fault('no-certificate', undefined, detail));
    this.#engine?.abort();
    this.fail({ kind: 'tls-refused', detail: `no-certificate: ${detail}` });
  }

  #onClosed(error: HalError | undefined, at: number): void {
    const reported = this.#judgement?.verdict.ok === false;
    if (error && !reported) this.#report(error);
    this.#settle('closed');
    this.#listener?.({ type: 'closed', ...(error ? { error } : {}), at });
  }

  /** A failure that is about trust or TLS, and not about the network below. */
  #report({ kind, detail }: HalError): void {
    const { own, service } = this.#options;
    if (kind === 'tls-refused') this.#refused('us', fault('no-certificate', undefined, 'the peer sent no certificate'));
    else if (kind === 'tls-protocol') this.#refused('us', protocolFault(detail));
    else if (kind === 'unsupported')
      this.#refused('us', fault('malformed', own, detail, `put a certificate and its key into ${fileOf(service)}`));
    else if (kind === 'tls-alert') this.#refused('peer', alertFault(detail, own));
    else if (kind === 'reset' && this.#state !== 'answered') {
      // Servers that judge after the handshake just hang up (TLS 1.3 lets a client believe it is through by then).
      this.#refused('peer', fault('refused-by-peer', own, `${detail}, before it answered anything`));
    }
  }

  #refused(by: 'us' | 'peer', { rule, subject, detail, mend }: Fault): void {
    const { service } = this.#options;
    const peer = this.#peer;
    this.#kernel.emit('tls.refused', { service, peer, by, rule, subject, clock: iso8601(this.#kernel.wall().at), detail, mend });
  }

  #onOverdue(): void {
    if (this.#state !== 'handshake') return;
    this.#settle('closed');
    this.#engine?.abort();
    this.#listener?.({ type: 'closed', error: this.#overdue, at: this.#kernel.now() });
  }

  #settle(state: 'open' | 'closed'): void {
    if (this.#state === 'handshake') this.#options.onSettled?.();
    this.#state = state;
    this.#timer.clear();
  }
}

/** `host:port`, an IPv6 address in brackets. */
export const peerText = (host: string, port: number): string =>
  `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;

const nameOf = ({ subject }: Certificate): string => commonName(subject) ?? subject.text;
