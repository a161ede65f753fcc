/** What confirming a configuration means for the device: who counts as registered, what is remembered, what is reported. */
import { SECOND } from '../../hal/base/time.js';
import type { Crypto, Micros } from '../../hal/hal.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Settings } from '../settings/settings.js';
import type { RegistrationStatus } from '../sip/registration.js';
import type { ConfirmDeps } from './confirm.machine.js';
import type { ProvisioningRecord } from './record.js';
import { isDue, isRecent, registrationMark, trialOf } from './trial.policy.js';

/** The services that run, and the settings that they were started with. */
export interface Serving {
  settings: Settings;
  registrations: readonly { account: string; status: RegistrationStatus }[];
}

export interface TrialOptions {
  kernel: Pick<Kernel, 'now' | 'wall' | 'emit'>;
  crypto: Pick<Crypto, 'digest'>;
  record: ProvisioningRecord;
  /** The present ones. */
  settings(): Settings;
  /** Undefined while nothing is served. */
  serving(): Serving | undefined;
  linkUp(): boolean;
}

export class Trial implements ConfirmDeps {
  readonly #options: TrialOptions;
  #began: Micros = 0;

  constructor(options: TrialOptions) {
    this.#options = options;
  }

  /** How long settings that follow `good` have to register; 0 where they need not. */
  timeFor(next: Settings, good: Settings): Micros {
    return trialOf(good, next, this.#hadRegistered());
  }

  /** An account has registered; true where that says something of the present settings, and not of those before. */
  noteRegistered(): boolean {
    const { kernel, record } = this.#options;
    if (!this.#inForce()) return false;
    const { at, trust } = kernel.wall();
    const stamp = { mark: this.#mark(this.#options.settings()), ...(trust === 'none' ? {} : { at }) };
    if (isDue(record.registered, stamp)) record.stamp(stamp);
    return true;
  }

  reportTrial(): void {
    const { kernel, record } = this.#options;
    this.#began = kernel.now();
    kernel.emit('provisioning.confirming', { within: record.state.unfinished?.within ?? 0 });
  }

  tried(): boolean {
    return this.#options.linkUp() && (this.#options.serving() === undefined || this.#inForce());
  }

  confirm(): void {
    const { kernel, record } = this.#options;
    record.finish();
    kernel.emit('provisioning.confirmed', { after: kernel.now() - this.#began });
  }

  /** Why it is rolled back, for people. */
  verdict(within: Micros): string {
    const accounts = this.#options.serving()?.registrations.map(({ account, status }) => `${account}: ${status}`) ?? ['no network'];
    return `no account registered within ${within / SECOND} s (${accounts.join(', ') || 'none is set up'})`;
  }

  #hadRegistered(): boolean {
    const { kernel, record, settings, serving } = this.#options;
    const onTrial = (record.state.unfinished?.within ?? 0) > 0;
    const registered = this.#inForce() && serving()?.registrations.some(({ status }) => status === 'registered') === true;
    return onTrial || registered || isRecent(record.registered, this.#mark(settings()), kernel.wall());
  }

  /** The services run with settings that register like the present ones: not so while a call keeps those before. */
  #inForce(): boolean {
    const serving = this.#options.serving();
    return serving !== undefined && this.#mark(serving.settings) === this.#mark(this.#options.settings());
  }

  #mark(settings: Settings): string {
    return registrationMark(settings, this.#options.crypto);
  }
}
