/**
 * The kernel: one turn at a time, one stamp a turn. A turn begins with an alarm or a port's listener call and ends when the core
 * returns; `now()` inside it is the turn's stamp, so that the same machines order their timers alike in the simulator and on a board.
 */
import { MILLISECOND } from '../../hal/base/time.js';
import { type Timer, Timers } from '../../hal/base/timers.js';
import type { Clock, ClockTrust, Micros, UnixMillis } from '../../hal/hal.js';
import type { Emit, EndpointEvent } from './events.js';

export interface Kernel {
  /** The present turn's stamp. */
  now(): Micros;
  /** The device's wall clock at the present turn. */
  wall(): { at: UnixMillis; trust: ClockTrust };
  timer(name: string, fire: (at: Micros) => void): Timer;
  emit: Emit;
  /** Runs `body` as the turn of an event that a port stamped `at`; a call within a turn joins it. */
  turn<T>(at: Micros, body: () => T): T;
  /**
   * Runs it at the end of the present turn, in the order of the calls: how a part tells its owner something without being called back
   * while it is still busy with what happened.
   */
  defer(run: () => void): void;
  pendingTimers(): readonly { name: string; due: Micros }[];
}

export function createKernel(clock: Clock, sink: (event: EndpointEvent) => void): Kernel {
  let stamp: Micros = clock.now();
  let depth = 0;
  const deferred: (() => void)[] = [];
  const turn = <T>(at: Micros, body: () => T): T => {
    // A late alarm's deadline may lie before the last event: time inside the core never goes back (law 3).
    if (depth === 0 && at > stamp) stamp = at;
    depth++;
    try {
      const result = body();
      if (depth === 1) for (let run = deferred.shift(); run; run = deferred.shift()) run();
      return result;
    } finally {
      depth--;
    }
  };
  const timers = new Timers(clock, turn);
  return {
    now: () => stamp,
    wall: () => {
      const { at, trust } = clock.wall();
      // The stamp may lag the clock by a late alarm: the wall clock of the turn lags with it.
      return { at: Math.round(at - (clock.now() - stamp) / MILLISECOND), trust };
    },
    timer: (name, fire) => timers.create(name, fire),
    emit: (event, fields) => sink({ at: stamp, event, ...fields } as EndpointEvent),
    turn,
    defer: (run) => {
      if (depth === 0) run();
      else deferred.push(run);
    },
    pendingTimers: () => timers.pending(),
  };
}
