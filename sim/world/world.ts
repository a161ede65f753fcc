/**
 * Virtual time. One heap of events, one seed; the same seed gives the same run, event by event.
 *
 * TLS is the platform's real one, and it defers part of its work to later turns of the platform's event loop. So between two events the
 * world lets the platform become quiet (`QuietProbe`); only then does time move on. That makes the order of events exact and costs one
 * look an event (ARCHITECTURE.md, "Virtual time").
 */
import { iso8601, MILLISECOND } from '../../hal/base/time.js';
import type { Cancel, Micros, UnixMillis } from '../../hal/hal.js';
import type { Platform } from '../../hal/platform.js';
import { EventHeap, type ScheduledEvent } from './event-heap.js';
import { Host, type HostOptions } from './host.js';
import { type Random, randomStream } from './random.js';

export interface WorldOptions {
  /** Any integer: the whole run follows from it. */
  seed: number;
  platform: Pick<Platform, 'quiet'>;
  /** The true wall clock when the run begins. */
  start: UnixMillis;
}

/** Turns of the platform's loop after which a world that never becomes quiet is given up. */
const UNQUIET_LIMIT = 10_000;
/** Events after which the platform gets a turn even when it asked for none, so that signals and output are served. */
const EVENTS_A_TURN = 4_096;

/** Two worlds at once would each wait for the other's work for ever: the second waits here. */
let running: Promise<void> = Promise.resolve();

export class World {
  readonly seed: number;
  readonly start: UnixMillis;
  readonly #heap = new EventHeap();
  readonly #quiet: Platform['quiet'];
  readonly #streams = new Map<string, Random>();
  #now: Micros = 0;

  constructor(options: WorldOptions) {
    this.seed = options.seed;
    this.start = options.start;
    this.#quiet = options.platform.quiet;
  }

  /** µs since the run began. */
  get now(): Micros {
    return this.#now;
  }

  /** The true wall clock now. */
  wall(): UnixMillis {
    return this.start + Math.floor(this.#now / MILLISECOND);
  }

  /** Runs `run` at `at`, or at the present instant, after all that is due then, where `at` has passed. `host` names the culprit of a failure. */
  at(at: Micros, run: () => void, host = 'world'): Cancel {
    const event = this.#heap.add(Math.max(Math.ceil(at), this.#now), host, run);
    return () => this.#heap.remove(event);
  }

  /** The random stream of that name; asked for again, it goes on where it was. */
  random(name: string): Random {
    const known = this.#streams.get(name);
    if (known) return known;
    const stream = randomStream(this.seed, name);
    this.#streams.set(name, stream);
    return stream;
  }

  /** A machine that is switched on now. */
  host(options: HostOptions): Host {
    return new Host(this, options);
  }

  /** Runs every event up to and including `until`, and leaves the time there. Rejects with a `WorldError` when an event throws. */
  run(until: Micros): Promise<void> {
    const run = running.then(() => new Promise<void>((done, failed) => this.#loop(until, done, failed)));
    running = run.catch(() => undefined);
    return run;
  }

  #loop(until: Micros, done: () => void, failed: (error: Error) => void): void {
    let unquiet = 0;
    const go = (): void => {
      if (this.#quiet.busy()) {
        unquiet++;
        if (unquiet <= UNQUIET_LIMIT) this.#quiet.turn(go);
        else failed(new WorldError(this, 'world', `never became quiet; still busy: ${this.#quiet.report().join(', ')}`));
        return;
      }
      unquiet = 0;
      const error = this.#runWhileQuiet(until);
      if (error) failed(error);
      else if (this.#due(until) || this.#quiet.busy()) this.#quiet.turn(go);
      else {
        this.#now = Math.max(this.#now, until);
        done();
      }
    };
    this.#quiet.turn(go);
  }

  #due(until: Micros): ScheduledEvent | undefined {
    const first = this.#heap.peek();
    return first && first.at <= until ? first : undefined;
  }

  #runWhileQuiet(until: Micros): WorldError | undefined {
    for (let i = 0; i < EVENTS_A_TURN; i++) {
      const event = this.#due(until);
      if (!event) return undefined;
      this.#heap.remove(event);
      this.#now = event.at;
      try {
        event.run();
        this.#quiet.drain();
      } catch (error) {
        return new WorldError(this, event.host, error);
      }
      if (this.#quiet.busy()) return undefined;
    }
    return undefined;
  }
}

/** A run that failed: says when, by the virtual clock, and on whose account. */
export class WorldError extends Error {
  constructor(
    world: World,
    readonly host: string,
    cause: unknown,
  ) {
    const what = cause instanceof Error ? cause.message : String(cause);
    super(`${host} at ${world.now} µs (${iso8601(world.wall())}): ${what}`, { cause });
    this.name = 'WorldError';
  }
}
