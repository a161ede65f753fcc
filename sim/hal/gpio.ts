/** The lines of a simulated board. */
import { Subject } from 'rxjs';
import { fail, invariant, ok } from '../../hal/base/result.js';
import type { Gpio, GpioLine, Micros } from '../../hal/hal.js';
import type { Host } from '../world/host.js';

const INPUTS: ReadonlySet<GpioLine['kind']> = new Set(['button', 'input']);

export interface SimGpio extends Gpio {
  /** The world presses a button or closes an input. */
  drive(line: string, on: boolean): void;
}

export function simGpio(host: Host, lines: readonly GpioLine[], onSet: (line: string, on: boolean, at: Micros) => void): SimGpio {
  const edges$ = new Subject<{ line: string; on: boolean; at: Micros }>();
  const states = new Map<string, boolean>();
  const changed = (line: string, on: boolean): boolean => {
    const before = states.get(line) ?? false;
    states.set(line, on);
    return before !== on;
  };
  return {
    lines,
    edges$,
    set: (name, on) => {
      const line = lines.find((candidate) => candidate.name === name);
      if (!line) return fail('not-found', `the board has no line ${name}`);
      if (INPUTS.has(line.kind)) return fail('unsupported', `line ${name} is an input`);
      if (changed(name, on)) onSet(name, on, host.now());
      return ok(undefined);
    },
    drive: (name, on) => {
      const line = lines.find((candidate) => candidate.name === name);
      invariant(line !== undefined && INPUTS.has(line.kind), `line ${name} is no input`);
      if (host.on && changed(name, on)) edges$.next({ line: name, on, at: host.now() });
    },
  };
}
