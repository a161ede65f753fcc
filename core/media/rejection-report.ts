/** Reports rejected media packets without becoming part of the flood: at once, and then at most every ten seconds. */
import { SECOND } from '../../hal/base/time.js';
import type { Timer } from '../../hal/base/timers.js';
import type { Micros } from '../../hal/hal.js';
import type { Kernel } from '../kernel/kernel.js';
import type { RtpRejection } from './rtp-receiver.engine.js';

const INTERVAL: Micros = 10 * SECOND;

export class RejectionReport {
  readonly #kernel: Pick<Kernel, 'now' | 'timer' | 'emit'>;
  readonly #call: string;
  readonly #timer: Timer;
  readonly #counts = new Map<RtpRejection, number>();

  constructor(kernel: Pick<Kernel, 'now' | 'timer' | 'emit'>, call: string) {
    this.#kernel = kernel;
    this.#call = call;
    this.#timer = kernel.timer('media.rejected', () => this.#report());
  }

  count(reason: RtpRejection): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    if (this.#timer.due === undefined) this.#report();
  }

  close(): void {
    this.#timer.clear();
  }

  /** One event a reason; while there is something to report, the next report waits its interval. */
  #report(): void {
    if (this.#counts.size === 0) return;
    for (const [reason, packets] of this.#counts) this.#kernel.emit('media.rejected', { call: this.#call, reason, packets });
    this.#counts.clear();
    this.#timer.set(this.#kernel.now() + INTERVAL);
  }
}
