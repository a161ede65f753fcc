/**
 * The device's clock: the HAL's, put forward to the earliest time that it can be for as long as nobody has told the time. The HAL's own
 * wall clock is only set to times that are trusted, because on a board it is the real-time clock, which is believed at the next boot.
 */
import { MILLISECOND } from '../../hal/base/time.js';
import type { Clock, ClockTrust, Micros, UnixMillis } from '../../hal/hal.js';
import { type FirstClock, type Floor, firstClock, laterFloor } from './floor.policy.js';

export class DeviceClock implements Clock {
  readonly #under: Clock;
  /** Until the clock is set: at `since` it was `at` or later, and that is all that is known. */
  #doubt: { at: UnixMillis; since: Micros } | undefined;
  #floor: (Floor & { since: Micros }) | undefined;

  constructor(under: Clock) {
    this.#under = under;
  }

  /** Once a boot, as soon as the flash is read. Until then the HAL's clock counts as it is, and nothing is judged by it. */
  begin(lastKnown: UnixMillis | undefined, built: UnixMillis | undefined): FirstClock {
    const floor = laterFloor(lastKnown, built);
    this.#floor = floor && { ...floor, since: this.now() };
    const first = firstClock(this.#under.wall(), floor);
    if (first.type === 'begun') this.#doubt = { at: floor?.at ?? 0, since: this.now() };
    return first;
  }

  /** The earliest that it can be now, for certain; it runs with the clock. */
  floor(): Floor | undefined {
    return this.#floor && { source: this.#floor.source, at: this.#floor.at + this.#elapsed(this.#floor.since) };
  }

  /** It is `at` or later, as somebody says who cannot be forged. */
  raise(at: UnixMillis): void {
    if (at > (this.floor()?.at ?? 0)) this.#floor = { source: 'floor', at, since: this.now() };
  }

  wall(): { at: UnixMillis; trust: ClockTrust } {
    return this.#doubt ? { at: this.#doubt.at + this.#elapsed(this.#doubt.since), trust: 'none' } : this.#under.wall();
  }

  setWall(at: UnixMillis): void {
    this.#doubt = undefined;
    this.#under.setWall(at);
  }

  now(): Micros {
    return this.#under.now();
  }
  setAlarm(at: Micros | undefined): void {
    this.#under.setAlarm(at);
  }
  onAlarm(listener: (at: Micros) => void): void {
    this.#under.onAlarm(listener);
  }

  #elapsed(since: Micros): UnixMillis {
    return Math.floor((this.now() - since) / MILLISECOND);
  }
}
