/** The SIP endpoint: ports, transactions, registrations and calls put together, and what is answered without asking anyone. */
import { SECOND } from '../../hal/base/time.js';
import type { Timer } from '../../hal/base/timers.js';
import type { Cancel, Crypto, Entropy, HalError, HalErrorKind, IpAddress, Net, Result } from '../../hal/hal.js';
import type { Kernel } from '../kernel/kernel.js';
import { octetText } from '../text/octet-text.js';
import type { SecureStreams } from '../tls/secure-streams.js';
import { contactFor, createRegisterEngine, nextHopOf } from './account.js';
import { writeAddress } from './address.codec.js';
import { BAD_EVENT, type CheckSync, checkSyncOf } from './check-sync.policy.js';
import type { HeaderField, ResponseParts } from './compose.js';
import type { HostPort, SipAccount, SipConfig, SipServer } from './config.js';
import { Dialog, dialogKeyOf } from './dialog.engine.js';
import type { Flow, Transport } from './flow.js';
import { createIncomingInvite, type IncomingInvite } from './incoming-invite.js';
import { locate, type Target } from './locate.js';
import type { SipRequest } from './message.codec.js';
import { Registration, type RegistrationStatus } from './registration.js';
import { ACCEPT, ALLOW, refusalOf } from './request.policy.js';
import { CalleeSession, type SessionEvents } from './session.js';
import { param } from './text.js';
import { type InboundRequest, TRANSACTION_LIMITS, TransactionTable } from './transactions.js';
import { SipTransport } from './transport.js';
import { type Uri, unescapeUri } from './uri.codec.js';

export interface SipStackOptions {
  kernel: Kernel;
  /** Ports whose callbacks are turns (`turnedHal`). */
  net: Net;
  /** Absent where the board has no TLS. */
  secure: SecureStreams | undefined;
  entropy: Entropy;
  crypto: Pick<Crypto, 'digest'>;
  config: SipConfig;
  /** The device's own address, of the present lease. */
  localAddress(): IpAddress;
  onInvite(invite: IncomingInvite): void;
  /** Someone who may call asks the device to look for other settings; the request is answered already. */
  onCheckSync(request: CheckSync): void;
  /** An account registered, or refreshed its registration. */
  onRegistered(account: string): void;
}

export interface SipStack {
  /** Opens the ports and starts to register. On failure nothing is open. */
  start(): Result<void, HalError>;
  /** Hangs up, unregisters, closes the ports; `done` comes once, within 2.5 s, perhaps at once. */
  stop(done: () => void): void;
  /** The device has another address: it registers again from there. Calls go on as far as the network lets them. */
  addressChanged(): void;
  registrations(): readonly { account: string; status: RegistrationStatus }[];
}

export const createSipStack = (options: SipStackOptions): SipStack => new UserAgent(options);

/** `ours`: the last BYE and REGISTER get this long to be answered. */
const STOP_WITHIN = 2.5 * SECOND;
/** What `auto` may choose from, the most secure first. */
const TRANSPORTS: readonly Transport[] = ['tls', 'tcp', 'udp'];

class UserAgent implements SipStack {
  readonly #options: SipStackOptions;
  readonly #transport: SipTransport;
  readonly #transactions: TransactionTable;
  readonly #registrations: readonly Registration[];
  /** Answered calls by dialog, until the last of their requests is over. */
  readonly #sessions = new Map<string, CalleeSession>();
  readonly #stopTimer: Timer;
  #stopping: (() => void) | undefined;

  constructor(options: SipStackOptions) {
    this.#options = options;
    const { kernel, net, secure, entropy, config, localAddress } = options;
    this.#stopTimer = kernel.timer('sip stop', () => this.#close());
    this.#transactions = new TransactionTable({
      ...{ kernel, entropy, limits: config.limits ?? TRANSACTION_LIMITS },
      onRequest: (inbound) => this.#onRequest(inbound),
      onAck: (ack) => this.#sessions.get(dialogKeyOf(ack) ?? '')?.onAck(ack),
    });
    this.#transport = new SipTransport({
      ...{ kernel, net, secure, localAddress, ports: config.ports, dscp: config.dscp, keepalive: config.keepalive * SECOND },
      tlsClients: config.accept === 'proxy' ? 'required' : 'no',
      isServer: (address) => this.#registrations.some((registration) => registration.isServer(address)),
      onMessage: (message, flow) => {
        if (message.type === 'request') this.#transactions.onRequest(message, flow);
        else this.#transactions.onResponse(message);
      },
      onFlowClosed: (flow, kind) => this.#onFlowClosed(flow, kind),
    });
    const { server } = config;
    this.#registrations = server ? config.accounts.map((account) => this.#createRegistration(account, server)) : [];
  }

  start(): Result<void, HalError> {
    const opened = this.#transport.open();
    if (opened.ok) for (const registration of this.#registrations) registration.start();
    return opened;
  }

  stop(done: () => void): void {
    this.#stopping = done;
    this.#stopTimer.set(this.#options.kernel.now() + STOP_WITHIN);
    for (const session of this.#sessions.values()) session.bye('shutdown');
    for (const registration of this.#registrations) registration.stop(() => this.#closeWhenQuiet());
    this.#closeWhenQuiet();
  }

  addressChanged(): void {
    for (const flow of this.#transport.closeConnections()) this.#transactions.onFlowClosed(flow, 'unreachable');
    for (const registration of this.#registrations) registration.addressChanged();
  }

  registrations(): readonly { account: string; status: RegistrationStatus }[] {
    return this.#registrations.map(({ account, status }) => ({ account, status }));
  }

  #closeWhenQuiet(): void {
    if (this.#sessions.size === 0 && this.#registrations.every(({ status }) => status === 'stopped')) this.#close();
  }

  #close(): void {
    const done = this.#stopping;
    if (!done) return;
    this.#stopping = undefined;
    this.#stopTimer.clear();
    this.#transactions.close();
    this.#transport.close();
    done();
  }

  #onFlowClosed(flow: Flow, kind: HalErrorKind): void {
    this.#transactions.onFlowClosed(flow, kind);
    for (const registration of this.#registrations) registration.onFlowClosed(flow, kind);
  }

  #createRegistration(account: SipAccount, server: SipServer): Registration {
    const { kernel, entropy, config } = this.#options;
    const engine = createRegisterEngine(account, server, config, this.#options);
    const { user } = engine.aor;
    return new Registration({
      ...{ kernel, entropy, account: account.id, engine, transport: this.#transport, transactions: this.#transactions },
      locate: (done) => this.#locate(nextHopOf(server), config.transport, done),
      contact: (flow) => contactFor(user, flow, config.instance),
      onRegistered: () => this.#options.onRegistered(account.id),
    });
  }

  #locate(to: HostPort, transport: Transport | 'auto', done: (result: Result<readonly Target[], HalError>) => void): Cancel {
    const { net, entropy, secure, config } = this.#options;
    const allowed = secure ? TRANSPORTS : TRANSPORTS.filter((each) => each !== 'tls');
    return locate({ net, entropy, allowed, srv: config.srv, transport, host: to.host, port: to.port, done });
  }

  #onRequest(inbound: InboundRequest): void {
    const { request } = inbound;
    const dialog = dialogKeyOf(request);
    const session = dialog === undefined ? undefined : this.#sessions.get(dialog);
    const refusal = refusalOf(request) ?? (session ? undefined : this.#strangerRefusal(inbound, dialog));
    if (refusal) this.#answer(inbound, refusal);
    else if (request.method === 'NOTIFY') this.#onNotify(inbound);
    else if (session) session.onRequest(inbound);
    else if (request.method === 'OPTIONS') this.#answer(inbound, { status: 200, headers: [ALLOW, ACCEPT] });
    else this.#onInvite(inbound);
  }

  /** A request outside our dialogs: who may send one, and whom it is for. */
  #strangerRefusal({ request, flow }: InboundRequest, dialog: string | undefined): ResponseParts | undefined {
    if (dialog !== undefined || request.method === 'BYE') return { status: 481 };
    if (this.#stopping) return { status: 480 };
    if (this.#options.config.accept === 'proxy' && !flow.trusted) return { status: 403 };
    const open = request.method === 'OPTIONS' && userOf(request.uri) === undefined;
    return open || !this.#options.config.server || this.#accountOf(request) ? undefined : { status: 404 };
  }

  /** Of the server alone, whoever may call: a stranger who reboots the device is an attacker. Answered first: what follows may end this stack. */
  #onNotify(inbound: InboundRequest): void {
    if (!inbound.flow.trusted) return this.#answer(inbound, { status: 403 });
    const wish = checkSyncOf(inbound.request);
    this.#answer(inbound, wish ? { status: 200 } : BAD_EVENT);
    if (wish) this.#options.onCheckSync(wish);
  }

  #answer(inbound: InboundRequest, parts: ResponseParts): void {
    const headers: readonly HeaderField[] = [...(parts.headers ?? []), this.#serverField()];
    inbound.respond({ ...parts, headers, toTag: this.#transactions.token() });
  }

  #serverField(): HeaderField {
    return ['server', this.#options.config.userAgent];
  }

  #accountOf(request: SipRequest): SipAccount | undefined {
    const user = userOf(request.uri);
    return this.#options.config.accounts.find((account) => octetText(account.user) === user);
  }

  #onInvite(inbound: InboundRequest): void {
    const { request, flow } = inbound;
    const tag = this.#transactions.token();
    const contact = contactFor(request.uri.kind === 'sip' ? request.uri.user : undefined, flow);
    const answerHeaders: readonly HeaderField[] = [['contact', writeAddress(contact)], ALLOW, this.#serverField()];
    const recorded = request.headers.all('record-route').map((value): HeaderField => ['record-route', value]);
    const invite = createIncomingInvite({
      ...{ kernel: this.#options.kernel, inbound, account: this.#accountOf(request)?.id, tag },
      dialogHeaders: [...recorded, ...answerHeaders],
      establish: (body, events) => {
        const dialog = Dialog.ofCallee(request, tag);
        if (!dialog) {
          inbound.respond({ status: 400, toTag: tag });
          return undefined;
        }
        const session = this.#createSession(dialog, flow, answerHeaders, events);
        session.answer(inbound, body, recorded);
        return session;
      },
    });
    this.#options.onInvite(invite);
  }

  #createSession(dialog: Dialog, flow: Flow, answerHeaders: readonly HeaderField[], events: SessionEvents): CalleeSession {
    const session = new CalleeSession({
      ...{ kernel: this.#options.kernel, transactions: this.#transactions, dialog, flow, answerHeaders, events },
      reach: (nextHop, done) => this.#reach(nextHop, done),
      onClosed: () => {
        this.#sessions.delete(dialog.key);
        if (this.#stopping) this.#closeWhenQuiet();
      },
    });
    this.#sessions.set(dialog.key, session);
    return session;
  }

  /** A flow to a URI of a dialog: its Route or its Contact (RFC 3263 4). */
  #reach(uri: Uri, done: (flow: Flow | undefined) => void): void {
    if (uri.kind !== 'sip') {
      done(undefined);
      return;
    }
    const asked =
      uri.scheme === 'sips' ? 'tls' : TRANSPORTS.find((transport) => transport === param(uri.params, 'transport')?.toLowerCase());
    this.#locate({ host: uri.host, ...(uri.port === undefined ? {} : { port: uri.port }) }, asked ?? 'auto', (located) => {
      const target = located.ok ? located.value[0] : undefined;
      if (target) this.#transport.connect(target, false, (flow) => done(flow.ok ? flow.value : undefined));
      else done(undefined);
    });
  }
}

const userOf = (uri: Uri): string | undefined => (uri.kind === 'sip' && uri.user !== undefined ? unescapeUri(uri.user) : undefined);
