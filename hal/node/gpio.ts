/** `Gpio` where there are no wires: what is set is told to a hook, and nothing presses the buttons. */
import { Subject } from 'rxjs';
import { fail, ok } from '../base/result.js';
import type { Gpio, GpioLine, Micros } from '../hal.js';

const INPUTS: ReadonlySet<GpioLine['kind']> = new Set(['button', 'input']);

export function createNodeGpio(lines: readonly GpioLine[], onSet: (line: string, on: boolean) => void): Gpio {
  const states = new Map<string, boolean>();
  return {
    lines,
    set: (name, on) => {
      const line = lines.find((candidate) => candidate.name === name);
      if (!line) return fail('not-found', `the board has no line ${name}`);
      if (INPUTS.has(line.kind)) return fail('unsupported', `line ${name} is an input`);
      if ((states.get(name) ?? false) !== on) onSet(name, on);
      states.set(name, on);
      return ok(undefined);
    },
    edges$: new Subject<{ line: string; on: boolean; at: Micros }>(),
  };
}
