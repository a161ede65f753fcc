import type { QuietProbe } from '../../hal/platform.js';

/** For worlds without TLS: nothing there outlives the turn that started it. */
export const alwaysQuiet: QuietProbe = { drain: () => {}, busy: () => false, turn: (next) => setImmediate(next), report: () => [] };
