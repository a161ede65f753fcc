/** What is to happen, soonest first; at the same instant in the order in which it was scheduled. */
import type { Micros } from '../../hal/hal.js';

export interface ScheduledEvent {
  readonly at: Micros;
  /** Rank among the events of one instant. */
  readonly order: number;
  /** Who scheduled it, for the error of a run that fails. */
  readonly host: string;
  readonly run: () => void;
  /** Its place in the heap; -1 once it has run or was removed. Kept by the heap alone. */
  index: number;
}

/** A binary heap whose entries know their place, so that an alarm that moves costs O(log n) and leaves nothing behind. */
export class EventHeap {
  readonly #events: ScheduledEvent[] = [];
  #order = 0;

  get size(): number {
    return this.#events.length;
  }

  add(at: Micros, host: string, run: () => void): ScheduledEvent {
    const event: ScheduledEvent = { at, order: this.#order++, host, run, index: -1 };
    this.#place(event, this.#events.length);
    this.#rise(event);
    return event;
  }

  peek(): ScheduledEvent | undefined {
    return this.#events[0];
  }

  /** Does nothing for an event that has run or was removed before. */
  remove(event: ScheduledEvent): void {
    if (event.index < 0) return;
    const last = this.#events.pop()!;
    if (last !== event) {
      this.#place(last, event.index);
      this.#rise(last);
      this.#sink(last);
    }
    event.index = -1;
  }

  #place(event: ScheduledEvent, index: number): void {
    this.#events[index] = event;
    event.index = index;
  }

  #rise(event: ScheduledEvent): void {
    let i = event.index;
    while (i > 0) {
      const parent = this.#events[(i - 1) >> 1]!;
      if (!before(event, parent)) break;
      this.#place(parent, i);
      i = (i - 1) >> 1;
    }
    this.#place(event, i);
  }

  #sink(event: ScheduledEvent): void {
    let i = event.index;
    for (;;) {
      let child = this.#events[2 * i + 1];
      const right = this.#events[2 * i + 2];
      if (child && right && before(right, child)) child = right;
      if (!child || !before(child, event)) break;
      const at = child.index;
      this.#place(child, i);
      i = at;
    }
    this.#place(event, i);
  }
}

const before = (a: ScheduledEvent, b: ScheduledEvent): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);
