/** What happened in a run, one event a line, all hosts merged in the order of the run. No clock of this machine is in it. */
import type { Micros } from '../../hal/hal.js';

/** Times in µs: `t` since the run began, `at` since that host was switched on. `fields` in their fixed order. */
export interface TimelineEvent {
  t: Micros;
  at: Micros;
  /** A device's MAC, or a server's or caller's name. */
  device: string;
  event: string;
  fields: Readonly<Record<string, unknown>>;
}

/** A day of a busy device; what comes after is counted. */
const LIMIT = 1_000_000;

export class Timeline {
  readonly #events: TimelineEvent[] = [];
  #dropped = 0;

  add(event: TimelineEvent): void {
    if (this.#events.length < LIMIT) this.#events.push(event);
    else this.#dropped++;
  }

  get events(): readonly TimelineEvent[] {
    return this.#events;
  }

  /** Events that found no room. */
  get dropped(): number {
    return this.#dropped;
  }

  /** `timeline.jsonl`: by `t`, events of one instant in the order in which they happened. */
  jsonLines(): string {
    const sorted = [...this.#events].sort((a, b) => a.t - b.t);
    return sorted.map((event) => `${timelineLine(event)}\n`).join('');
  }
}

export const timelineLine = ({ t, at, device, event, fields }: TimelineEvent): string =>
  JSON.stringify({ at, t, device, event, ...fields });
