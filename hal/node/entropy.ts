import { randomFillSync } from 'node:crypto';
import type { Entropy } from '../hal.js';

/** The operating system's generator. */
export const nodeEntropy: Entropy = { fill: (out) => void randomFillSync(out) };
