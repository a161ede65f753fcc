/** Looks at the device's certificates at boot, once a day, and whenever the clock or the files change, and reports what will end or has. */
import { DAY, iso8601 } from '../../hal/base/time.js';
import type { Timer } from '../../hal/base/timers.js';
import type { Kernel } from '../kernel/kernel.js';
import { daysLeft, type ExpiryStage, expiryStage } from './expiry.policy.js';
import type { CertificateStore } from './store.js';

export class ExpiryWatch {
  readonly #kernel: Kernel;
  readonly #store: Pick<CertificateStore, 'expiries'>;
  readonly #timer: Timer;
  /** What was said already, by file, subject and end. */
  #said = new Map<string, ExpiryStage>();

  constructor(kernel: Kernel, store: Pick<CertificateStore, 'expiries'>) {
    this.#kernel = kernel;
    this.#store = store;
    this.#timer = kernel.timer('certificate expiry', () => this.look());
  }

  /** Says each thing once for each stage, and looks again in a day. */
  look(): void {
    this.#timer.set(this.#kernel.now() + DAY);
    const { at, trust } = this.#kernel.wall();
    const said = new Map<string, ExpiryStage>();
    for (const { file, subject, notAfter } of this.#store.expiries()) {
      const stage = expiryStage(notAfter, at);
      // A clock that nobody has set reads a floor: what has ended by then has ended, but what is left is less than it seems.
      if (stage === undefined || (trust === 'none' && stage !== 'ended')) continue;
      const key = JSON.stringify([file, subject, notAfter]);
      said.set(key, stage);
      if (this.#said.get(key) === stage) continue;
      const about = { file, subject, notAfter: iso8601(notAfter) };
      if (stage === 'ended') this.#kernel.emit('certs.expired', about);
      else this.#kernel.emit('certs.expiring', { ...about, days: daysLeft(notAfter, at) });
    }
    this.#said = said;
  }

  stop(): void {
    this.#timer.clear();
  }
}
