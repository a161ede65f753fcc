/** One account's registration: drives its machine, and does what the machine asks for. */
import { createActor } from 'xstate';
import { fraction } from '../../hal/base/fraction.js';
import { MILLISECOND } from '../../hal/base/time.js';
import type { Cancel, Entropy, HalError, HalErrorKind, IpAddress, Result } from '../../hal/hal.js';
import { actorClock } from '../kernel/actor-clock.js';
import type { Kernel } from '../kernel/kernel.js';
import { traceStates } from '../kernel/trace-states.js';
import { plainText } from '../text/octet-text.js';
import type { Address } from './address.codec.js';
import type { Flow } from './flow.js';
import type { Target } from './locate.js';
import type { RegisterEngine, RegisterOutcome } from './register.engine.js';
import { type RegistrationDeps, type RegistrationEvent, registrationMachine } from './registration.machine.js';
import type { OutboundRequest, TransactionTable } from './transactions.js';
import type { SipTransport } from './transport.js';
import { writeHostPort } from './uri.codec.js';

export interface RegistrationOptions {
  kernel: Kernel;
  entropy: Entropy;
  /** What events call the account. */
  account: string;
  engine: RegisterEngine;
  transport: SipTransport;
  transactions: TransactionTable;
  locate(done: (result: Result<readonly Target[], HalError>) => void): Cancel;
  /** Where this account is reached by that flow. */
  contact(flow: Flow): Address;
  /** Registered, or refreshed. */
  onRegistered(): void;
}

/** As the status page tells it. */
export type RegistrationStatus = 'connecting' | 'registered' | 'rejected' | 'no-reply' | 'stopped';

/** Milliseconds. `ours`: after 10 s without a network the next attempt comes within 30 s of its return. */
const RETRY = { first: 2_000, last: 30_000 };
/** Milliseconds. `ours`: a wrong password is mended by people; asking often gets an address banned. */
const RETRY_REFUSED = { first: 60_000, last: 1_800_000 };
/** `ours`: a refresh comes after 50 to 80 % of the granted time, spread so that devices that started together part. */
const REFRESH = { from: 0.5, spread: 0.3 };
const REFRESH_MS_MIN = 1_000;

export class Registration {
  readonly account: string;
  readonly #options: RegistrationOptions;
  readonly #actor;
  #targets: readonly Target[] = [];
  #next = 0;
  #target: Target | undefined;
  #flow: Flow | undefined;
  /** What was last reported as registered; undefined while it is not. */
  #registered: string | undefined;
  #status: RegistrationStatus = 'stopped';
  #failures = 0;
  #refusals = 0;
  #cancelLocate: Cancel = () => {};
  #outbound: OutboundRequest | undefined;
  /** Counts what was begun, so that an answer to something abandoned is known. */
  #begun = 0;
  #onStopped: () => void = () => {};

  constructor(options: RegistrationOptions) {
    this.account = options.account;
    this.#options = options;
    this.#actor = createActor(registrationMachine, {
      clock: actorClock(options.kernel),
      inspect: traceStates(`registration.${options.account}`, options.kernel.emit),
      input: { deps: this.#deps() },
    });
    this.#actor.subscribe({ error: (error) => options.kernel.emit('machine.failed', { machine: 'registration', detail: String(error) }) });
    this.#actor.start();
  }

  get status(): RegistrationStatus {
    return this.#status;
  }

  /** The way to the server while registered. */
  get flow(): Flow | undefined {
    return this.#flow?.open ? this.#flow : undefined;
  }

  isServer(address: IpAddress): boolean {
    return this.#targets.some((target) => target.address === address);
  }

  start(): void {
    this.#status = 'connecting';
    this.#actor.send({ type: 'start' });
  }

  /** Unregisters, within two seconds; then calls back. */
  stop(done: () => void): void {
    this.#onStopped = done;
    this.#actor.send({ type: 'stop' });
  }

  addressChanged(): void {
    this.#actor.send({ type: 'address.changed' });
  }

  onFlowClosed(flow: Flow, kind: HalErrorKind): void {
    if (flow !== this.#flow) return;
    this.#flow = undefined;
    this.#actor.send({ type: 'flow.closed', kind, retryIn: this.#retryIn() });
  }

  #deps(): RegistrationDeps & { toJSON(): undefined } {
    return {
      locate: () => this.#locate(),
      hasTarget: () => this.#next < this.#targets.length,
      connect: () => this.#connect(),
      register: () => this.#register(),
      isBound: () => this.#options.engine.bound,
      unregister: () => this.#unregister(),
      abandon: () => this.#abandon(),
      emitRefused: (status: number, reason: string) => this.#emitRefused(status, reason),
      emitFailed: (kind: HalErrorKind, retryIn: number) => this.#emitFailed(kind, retryIn),
      stopped: () => this.#stopped(),
      toJSON: () => undefined,
    };
  }

  #locate(): void {
    this.#registered = undefined;
    const mine = ++this.#begun;
    this.#cancelLocate = this.#options.locate((result) => {
      if (mine !== this.#begun) return;
      this.#targets = result.ok ? result.value : [];
      this.#next = 0;
      if (result.ok) this.#send({ type: 'located' });
      else this.#fail(result.error.kind);
    });
  }

  #connect(): void {
    const mine = ++this.#begun;
    const target = this.#targets[this.#next++]!;
    this.#target = target;
    this.#options.transport.connect(target, true, (result) => {
      if (mine !== this.#begun) return;
      this.#flow = result.ok ? result.value : undefined;
      if (result.ok) this.#send({ type: 'connected' });
      else this.#fail(result.error.kind);
    });
  }

  #register(): void {
    const flow = this.flow;
    if (flow) {
      this.#options.engine.begin(this.#options.contact(flow));
      this.#exchange(flow);
    } else this.#fail('closed');
  }

  #unregister(): void {
    const flow = this.flow;
    if (flow) {
      this.#options.engine.begin(undefined);
      this.#exchange(flow);
    } else this.#send({ type: 'unregistered' });
  }

  #exchange(flow: Flow): void {
    const mine = ++this.#begun;
    const { engine, transactions } = this.#options;
    this.#outbound = transactions.request(engine.draft(), flow, {
      onResponse: (response) => {
        if (mine === this.#begun) this.#onOutcome(engine.onResponse(response), flow);
      },
      onFailure: (kind) => {
        if (mine === this.#begun) this.#onSilence(flow, kind);
      },
    });
  }

  #onOutcome(outcome: RegisterOutcome, flow: Flow): void {
    switch (outcome.type) {
      case 'provisional':
        return;
      case 'again':
        this.#exchange(flow);
        return;
      case 'accepted':
        this.#onAccepted(outcome.expires, flow);
        return;
      case 'refused': {
        const { status, reason, temporary, retryAfter = 0 } = outcome;
        const own = temporary ? this.#retryIn() : this.#spread(backOff(RETRY_REFUSED, this.#refusals++));
        // Those that were turned away together do not come back together.
        const asked = Math.round(retryAfter * SECOND_MS * (1 + RETRY_AFTER_SPREAD * fraction(this.#options.entropy)));
        this.#send({ type: 'refused', status, reason, temporary, retryIn: Math.max(own, asked) });
      }
    }
  }

  #onAccepted(expires: number, flow: Flow): void {
    if (!this.#options.engine.bound) {
      this.#options.kernel.emit('registration.unregistered', { account: this.account });
      this.#send({ type: 'unregistered' });
      return;
    }
    this.#failures = 0;
    this.#refusals = 0;
    this.#status = 'registered';
    const server = this.#target ? writeHostPort(this.#target.name, this.#target.port) : '';
    const report = `${server} ${flow.transport} ${expires}`;
    if (report !== this.#registered) {
      this.#options.kernel.emit('registration.registered', { account: this.account, server, transport: flow.transport, expires });
    }
    this.#registered = report;
    this.#options.onRegistered();
    const share = REFRESH.from + REFRESH.spread * fraction(this.#options.entropy);
    this.#send({ type: 'accepted', refreshIn: Math.max(REFRESH_MS_MIN, Math.round(expires * SECOND_MS * share)) });
  }

  /** No answer over a connection means that it is dead, whatever TCP thinks: the next attempt makes a new one. */
  #onSilence(flow: Flow, kind: HalErrorKind): void {
    this.#flow = undefined;
    this.#begun++;
    this.#fail(kind);
    flow.close(kind);
  }

  #abandon(): void {
    this.#begun++;
    this.#cancelLocate();
    this.#outbound?.abandon();
  }

  #fail(kind: HalErrorKind): void {
    this.#send({ type: 'failed', kind, retryIn: this.#retryIn() });
  }

  #retryIn(): number {
    return this.#spread(backOff(RETRY, this.#failures));
  }

  /** Between half of it and the whole. */
  #spread(delay: number): number {
    return Math.round(delay * (0.5 + 0.5 * fraction(this.#options.entropy)));
  }

  #emitFailed(kind: HalErrorKind, retryIn: number): void {
    this.#failures++;
    this.#registered = undefined;
    this.#status = 'no-reply';
    this.#options.kernel.emit('registration.failed', { account: this.account, kind, retryIn: retryIn * MILLISECOND });
  }

  #emitRefused(status: number, reason: string): void {
    this.#failures++;
    this.#registered = undefined;
    this.#status = 'rejected';
    this.#options.kernel.emit('registration.refused', { account: this.account, status, reason: plainText(reason) });
  }

  #stopped(): void {
    this.#status = 'stopped';
    this.#onStopped();
  }

  #send(event: RegistrationEvent): void {
    this.#actor.send(event);
  }
}

const SECOND_MS = 1_000;
/** `ours`. */
const RETRY_AFTER_SPREAD = 0.1;

/** Doubles with each failure, up to a bound. */
const backOff = ({ first, last }: { first: number; last: number }, failures: number): number =>
  Math.min(last, first * 2 ** Math.min(failures, 16));
