/** Many timers over one alarm (law 2). First due first; equal deadlines in the order they were set. */
import type { Clock, Micros } from '../hal.js';
import { invariant } from './result.js';

/** A timer that can be set again and again. `name` is for diagnostics. */
export interface Timer {
  readonly name: string;
  /** When it is due; undefined while it is not set. */
  readonly due: Micros | undefined;
  /** Sets or moves it; a time already past is due at once. */
  set(at: Micros): void;
  clear(): void;
}

class HeapTimer implements Timer {
  due: Micros | undefined;
  order = 0;
  index = -1;

  constructor(
    readonly owner: Timers,
    readonly name: string,
    readonly fire: (at: Micros) => void,
  ) {}

  set(at: Micros): void {
    this.owner.schedule(this, at);
  }

  clear(): void {
    this.owner.unschedule(this);
  }
}

/** How one fired timer runs: the kernel makes a turn of it; outside a kernel it simply runs. */
export type RunTurn = (at: Micros, run: () => void) => void;

/** Timers live as long as their owner holds them; a heap keeps those that are set. */
export class Timers {
  readonly #heap: HeapTimer[] = [];
  readonly #clock: Clock;
  readonly #turn: RunTurn;
  #order = 0;
  #firing = false;

  constructor(clock: Clock, turn: RunTurn = (_at, run) => run()) {
    this.#clock = clock;
    this.#turn = turn;
    clock.onAlarm((at) => this.#onAlarm(at));
  }

  /** `fire` gets the deadline, not the time at which a late alarm ran it: engines count from deadlines, so they do not drift. */
  create(name: string, fire: (at: Micros) => void): Timer {
    return new HeapTimer(this, name, fire);
  }

  /** Timers now set, soonest first: what a status page or an invariant shows. */
  pending(): readonly { name: string; due: Micros }[] {
    return [...this.#heap].sort((a, b) => (before(a, b) ? -1 : 1)).map((t) => ({ name: t.name, due: t.due! }));
  }

  schedule(timer: HeapTimer, at: Micros): void {
    invariant(Number.isFinite(at), `timer ${timer.name} set to ${at}`);
    if (timer.index >= 0) this.#remove(timer);
    timer.due = at;
    timer.order = this.#order++;
    this.#place(timer, this.#heap.length);
    this.#siftUp(timer);
    this.#arm();
  }

  unschedule(timer: HeapTimer): void {
    if (timer.index < 0) return;
    this.#remove(timer);
    this.#arm();
  }

  #onAlarm(at: Micros): void {
    this.#firing = true;
    // What a timer sets for the present instant runs in this alarm too, after all that were due before it.
    for (let first = this.#heap[0]; first && first.due! <= at; first = this.#heap[0]) {
      const due = first.due!;
      this.#remove(first);
      const { fire } = first;
      this.#turn(due, () => fire(due));
    }
    this.#firing = false;
    this.#arm();
  }

  #arm(): void {
    if (!this.#firing) this.#clock.setAlarm(this.#heap[0]?.due);
  }

  #place(timer: HeapTimer, index: number): void {
    this.#heap[index] = timer;
    timer.index = index;
  }

  #siftUp(timer: HeapTimer): void {
    let i = timer.index;
    while (i > 0) {
      const parent = this.#heap[(i - 1) >> 1]!;
      if (!before(timer, parent)) break;
      this.#place(parent, i);
      i = (i - 1) >> 1;
    }
    this.#place(timer, i);
  }

  #siftDown(timer: HeapTimer): void {
    let i = timer.index;
    for (;;) {
      let child = this.#heap[2 * i + 1];
      const right = this.#heap[2 * i + 2];
      if (child && right && before(right, child)) child = right;
      if (!child || !before(child, timer)) break;
      const at = child.index;
      this.#place(child, i);
      i = at;
    }
    this.#place(timer, i);
  }

  #remove(timer: HeapTimer): void {
    const last = this.#heap.pop()!;
    if (last !== timer) {
      this.#place(last, timer.index);
      this.#siftUp(last);
      this.#siftDown(last);
    }
    timer.index = -1;
    timer.due = undefined;
  }
}

const before = (a: HeapTimer, b: HeapTimer): boolean => a.due! < b.due! || (a.due === b.due && a.order < b.order);
