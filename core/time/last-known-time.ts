/**
 * The last known time, kept in flash: the floor of the next boot (`floor.policy.ts`).
 *
 * Only what nobody can forge counts. An SNTP answer does not: anyone on the way can say that it is 2080, and a device that keeps that
 * refuses every true answer from then on. Two witnesses do:
 *
 * - A certificate on a path that was verified: its authority does not issue it before its first day.
 * - A date that came over HTTPS, where the server's certificates are good at that very date and the device's own clock agrees with it.
 *
 * From there the time runs on with the device's own counter, for as long as it has power.
 */
import { EMPTY, fromUtf8, utf8 } from '../../hal/base/bytes.js';
import { DAY, HOUR, MILLISECOND, MINUTE } from '../../hal/base/time.js';
import type { Timer } from '../../hal/base/timers.js';
import type { UnixMillis } from '../../hal/hal.js';
import type { Kernel } from '../kernel/kernel.js';
import type { FileStore } from '../storage/file-store.js';
import type { DeviceClock } from './device-clock.js';
import { agree } from './floor.policy.js';

/** In the `config` partition, which a factory reset erases: milliseconds since 1970, decimal. */
export const CLOCK_FILE = 'state/clock';

/** Ours: NOR sectors stand 100,000 erases, and the store shares them among its files; a write a day is nothing in 30 years. */
const EVERY = DAY;
/** Ours: what a boot learns from one witness after the other is written once. */
const TOGETHER = MINUTE;
/** Ours: a device that is switched off in order again and again does not write each time. */
const WORTHWHILE = HOUR;

export interface LastKnownTimeOptions {
  kernel: Kernel;
  clock: DeviceClock;
  store: Pick<FileStore, 'read' | 'commit'>;
  /** When this firmware was made. */
  built?: UnixMillis;
}

export class LastKnownTime {
  readonly #options: LastKnownTimeOptions;
  readonly #timer: Timer;
  /** What an earlier boot has kept; undefined where nothing was ever known. */
  readonly kept: UnixMillis | undefined;
  /** What the next boot would know if power failed now. */
  #safe: UnixMillis;
  /** When a date was last heard and believed: judging it costs signatures. */
  #heard: UnixMillis | undefined;

  constructor(options: LastKnownTimeOptions) {
    const { kernel, store, built = 0 } = options;
    this.#options = options;
    this.kept = decodeClockFile(store.read(CLOCK_FILE));
    this.#safe = Math.max(this.kept ?? 0, built);
    this.#timer = kernel.timer('last known time', () => this.#onTimer());
    this.#timer.set(kernel.now() + EVERY);
  }

  /** It is `at` or later: somebody's certificate, on a path that was verified, begins there. */
  proven(at: UnixMillis): void {
    const { kernel, clock } = this.#options;
    clock.raise(at);
    if (this.#news(EVERY) !== undefined) this.#timer.set(kernel.now() + TOGETHER);
  }

  /** A server says over HTTPS that it is `at`; `holds` judges its certificates at that date. */
  heard(at: UnixMillis, holds: () => boolean): void {
    const wall = this.#options.kernel.wall();
    const fresh = this.#heard !== undefined && at - this.#heard < EVERY / MILLISECOND;
    if (fresh || wall.trust === 'none' || !agree(at, wall.at) || !holds()) return;
    this.#heard = at;
    this.proven(Math.min(at, wall.at));
  }

  /** Keeps what is known where that is worth a write; `done` comes when every commit that was begun has ended. */
  stop(done: () => void): void {
    this.#timer.clear();
    this.#commit(this.#news(WORTHWHILE), done);
  }

  #onTimer(): void {
    const { kernel } = this.#options;
    this.#timer.set(kernel.now() + EVERY);
    const at = this.#news(EVERY);
    if (at !== undefined) this.#commit(at, () => {});
  }

  #news(worthwhile: number): UnixMillis | undefined {
    const at = this.#options.clock.floor()?.at;
    return at !== undefined && at - this.#safe >= worthwhile / MILLISECOND ? at : undefined;
  }

  #commit(at: UnixMillis | undefined, done: () => void): void {
    const { kernel, store } = this.#options;
    store.commit(at === undefined ? [] : [{ path: CLOCK_FILE, bytes: utf8(`${at}\n`) }], (result) => {
      if (!result.ok) kernel.emit('flash.failed', { detail: `${CLOCK_FILE}: ${result.error.detail}` });
      else if (at !== undefined) this.#safe = at;
      done();
    });
  }
}

/** Undefined for anything that this file never held. */
function decodeClockFile(bytes: Uint8Array | undefined): UnixMillis | undefined {
  const m = /^(\d{1,15})\n$/.exec(fromUtf8(bytes ?? EMPTY));
  return m ? Number(m[1]) : undefined;
}
