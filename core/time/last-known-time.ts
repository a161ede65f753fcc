/**
 * The last known time, kept in flash: the floor of the next boot (`floor.policy.ts`).
 *
 * Time is known when a certificate path was good at it. SNTP alone does not do: anyone on the way can answer it with the year 2080, and a
 * floor kept from that would refuse every true answer from then on. Who wants to forge what is kept here needs a certificate that this
 * device trusts, and gets no further than its last day.
 */
import { EMPTY, fromUtf8, utf8 } from '../../hal/base/bytes.js';
import { DAY, HOUR, MILLISECOND } from '../../hal/base/time.js';
import type { Timer } from '../../hal/base/timers.js';
import type { UnixMillis } from '../../hal/hal.js';
import type { Kernel } from '../kernel/kernel.js';
import type { FileStore } from '../storage/file-store.js';
import type { DeviceClock } from './device-clock.js';

/** In the `config` partition, which a factory reset erases: milliseconds since 1970, decimal. */
export const CLOCK_FILE = 'state/clock';

/** Ours: NOR sectors stand 100,000 erases, and the store shares them among its files; a write a day is nothing in 30 years. */
const EVERY = DAY;
/** Ours: a device that is switched off in order again and again does not write each time. */
const WORTHWHILE = HOUR / MILLISECOND;

export interface LastKnownTimeOptions {
  kernel: Kernel;
  clock: DeviceClock;
  store: Pick<FileStore, 'read' | 'commit'>;
}

export class LastKnownTime {
  readonly #options: LastKnownTimeOptions;
  readonly #timer: Timer;
  #kept: UnixMillis | undefined;
  /** Proven in this boot: since then the floor runs with the clock. */
  #known = false;

  constructor(options: LastKnownTimeOptions) {
    this.#options = options;
    this.#kept = decodeClockFile(options.store.read(CLOCK_FILE));
    this.#timer = options.kernel.timer('last known time', () => this.#daily());
  }

  /** What flash has; undefined where nothing was ever known. */
  get kept(): UnixMillis | undefined {
    return this.#kept;
  }

  /** A certificate path was good at the clock's present time. */
  proven(): void {
    const { kernel, clock } = this.#options;
    if (kernel.wall().trust === 'none') return;
    clock.prove();
    if (this.#known) return;
    this.#known = true;
    this.#daily();
  }

  /** Keeps what is known where that is worth a write; `done` comes when every commit that was begun has ended. */
  stop(done: () => void): void {
    this.#timer.clear();
    this.#commit(this.#news(WORTHWHILE), done);
  }

  #daily(): void {
    const { kernel } = this.#options;
    this.#timer.set(kernel.now() + EVERY);
    const at = this.#news(EVERY / MILLISECOND);
    if (at !== undefined) this.#commit(at, () => {});
  }

  #news(worthwhile: UnixMillis): UnixMillis | undefined {
    const at = this.#known ? this.#options.clock.floor()?.at : undefined;
    return at !== undefined && at - (this.#kept ?? 0) >= worthwhile ? at : undefined;
  }

  #commit(at: UnixMillis | undefined, done: () => void): void {
    const { kernel, store } = this.#options;
    store.commit(at === undefined ? [] : [{ path: CLOCK_FILE, bytes: utf8(`${at}\n`) }], (result) => {
      if (!result.ok) kernel.emit('flash.failed', { detail: `${CLOCK_FILE}: ${result.error.detail}` });
      else if (at !== undefined) this.#kept = at;
      done();
    });
  }
}

/** Undefined for anything that this file never held. */
function decodeClockFile(bytes: Uint8Array | undefined): UnixMillis | undefined {
  const m = /^(\d{1,15})\n$/.exec(fromUtf8(bytes ?? EMPTY));
  return m ? Number(m[1]) : undefined;
}
