/** `Clock` on this machine: one alarm over setTimeout, counted from absolute deadlines. */
import { MILLISECOND } from '../base/time.js';
import type { Clock, ClockTrust, Micros, UnixMillis } from '../hal.js';

/** What one setTimeout holds: about 25 days. Longer alarms go in slices. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export class NodeClock implements Clock {
  readonly #start = performance.now();
  #offset: UnixMillis = 0;
  #trust: ClockTrust = 'rtc';
  #alarm: Micros | undefined;
  #timeout: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #listener: ((at: Micros) => void) | undefined;

  now(): Micros {
    return Math.floor((performance.now() - this.#start) * MILLISECOND);
  }

  /** This machine's clock counts as a real-time clock. */
  wall(): { at: UnixMillis; trust: ClockTrust } {
    return { at: Date.now() + this.#offset, trust: this.#trust };
  }

  /** Keeps an offset; this machine's clock is never set. */
  setWall(at: UnixMillis): void {
    this.#offset = at - Date.now();
    this.#trust = 'network';
  }

  setAlarm(at: Micros | undefined): void {
    clearTimeout(this.#timeout);
    clearImmediate(this.#immediate);
    this.#alarm = at;
    if (at !== undefined) this.#wait(at);
  }

  onAlarm(listener: (at: Micros) => void): void {
    this.#listener = listener;
  }

  #wait(at: Micros): void {
    const left = at - this.now();
    if (left <= 0) this.#immediate = setImmediate(() => this.#wake());
    else this.#timeout = setTimeout(() => this.#wake(), Math.min(Math.ceil(left / MILLISECOND), LONGEST_TIMEOUT_MS));
  }

  #wake(): void {
    const at = this.#alarm;
    if (at === undefined) return;
    const now = this.now();
    // A timeout may come a fraction of a millisecond early, and a slice ends long before the alarm.
    if (now < at) this.#wait(at);
    else {
      this.#alarm = undefined;
      this.#listener?.(now);
    }
  }
}
