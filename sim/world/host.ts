/** A machine in the world. What it has scheduled, and its alarm, end with its power. */
import type { Cancel, Clock, ClockTrust, Micros, UnixMillis } from '../../hal/hal.js';
import type { World } from './world.js';

export interface HostOptions {
  name: string;
  /** How far the wall clock is from the truth until someone sets it, in ms. */
  wallOffset?: UnixMillis;
  /** What the wall clock is worth at boot: `rtc` with a real-time clock, else `none`. */
  trust?: ClockTrust;
}

export class Host {
  readonly name: string;
  readonly clock: Clock;
  readonly #world: World;
  readonly #bootedAt: Micros;
  readonly #atPowerOff: (() => void)[] = [];
  #on = true;

  constructor(world: World, options: HostOptions) {
    this.name = options.name;
    this.#world = world;
    this.#bootedAt = world.now;
    this.clock = this.#makeClock(options);
  }

  get on(): boolean {
    return this.#on;
  }

  /** µs since this host was switched on. */
  now(): Micros {
    return this.#world.now - this.#bootedAt;
  }

  /** Runs `run` at that time of this host's clock, unless the power fails before. */
  at(at: Micros, run: () => void): Cancel {
    return this.#world.at(this.#bootedAt + at, () => this.#on && run(), this.name);
  }

  after(delay: Micros, run: () => void): Cancel {
    return this.at(this.now() + delay, run);
  }

  /** Runs `run` when the power goes: unplugging, closing. In the order given. */
  atPowerOff(run: () => void): void {
    this.#atPowerOff.push(run);
  }

  /** Nothing of this host runs after it. Idempotent. */
  powerOff(): void {
    if (!this.#on) return;
    this.#on = false;
    for (const run of this.#atPowerOff) run();
  }

  #makeClock({ wallOffset = 0, trust = 'none' }: HostOptions): Clock {
    let offset = wallOffset;
    let believed = trust;
    let listener: ((at: Micros) => void) | undefined;
    let cancel: Cancel = () => undefined;
    this.atPowerOff(() => cancel());
    return {
      now: () => this.now(),
      wall: () => ({ at: this.#world.wall() + offset, trust: believed }),
      setWall: (at) => {
        offset = at - this.#world.wall();
        believed = 'network';
      },
      setAlarm: (at) => {
        cancel();
        cancel = at === undefined || !this.#on ? () => undefined : this.at(at, () => listener?.(this.now()));
      },
      onAlarm: (fire) => {
        listener = fire;
      },
    };
  }
}
