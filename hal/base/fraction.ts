/** Chance as a number, for spreading and drawing. */
import type { Entropy } from '../hal.js';
import { u32 } from './bytes.js';

/** From 0 to below 1, of 32 random bits. */
export function fraction(entropy: Entropy): number {
  const bytes = new Uint8Array(4);
  entropy.fill(bytes);
  return u32(bytes, 0) / 0x1_0000_0000;
}
