/** A clock whose time a test moves. Keeps law 2: never early, never twice. */
import type { Clock, ClockTrust, Micros, UnixMillis } from '../../hal/hal.js';

export class VirtualClock implements Clock {
  #now: Micros = 0;
  #alarm: Micros | undefined;
  #listener: ((at: Micros) => void) | undefined;
  #wall: { offset: UnixMillis; trust: ClockTrust };

  constructor(wallAtBoot: UnixMillis = Date.UTC(2026, 0, 1), trust: ClockTrust = 'rtc') {
    this.#wall = { offset: wallAtBoot, trust };
  }

  now(): Micros {
    return this.#now;
  }
  wall(): { at: UnixMillis; trust: ClockTrust } {
    return { at: this.#wall.offset + Math.floor(this.#now / 1000), trust: this.#wall.trust };
  }
  setWall(at: UnixMillis): void {
    this.#wall = { offset: at - Math.floor(this.#now / 1000), trust: 'network' };
  }
  setAlarm(at: Micros | undefined): void {
    this.#alarm = at;
  }
  onAlarm(listener: (at: Micros) => void): void {
    this.#listener = listener;
  }

  /** When the alarm is set for, for a test that owns the order of several clocks. */
  get alarm(): Micros | undefined {
    return this.#alarm;
  }

  /** Moves time to `until`, delivering each alarm at its due time. */
  runTo(until: Micros): void {
    // A bound, so that a timer that re-arms itself for the present instant fails the test instead of hanging it.
    for (let alarms = 0; this.#alarm !== undefined && this.#alarm <= until; alarms++) {
      if (alarms > 1_000_000) throw new Error(`virtual clock: a million alarms before ${until} µs`);
      this.#now = Math.max(this.#now, this.#alarm);
      this.#alarm = undefined;
      this.#listener?.(this.#now);
    }
    this.#now = Math.max(this.#now, until);
  }

  run(duration: Micros): void {
    this.runTo(this.#now + duration);
  }
}
