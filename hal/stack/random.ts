/** Draws from Entropy, the only randomness (law 8). */
import { u16, u32 } from '../base/bytes.js';
import type { Entropy } from '../hal.js';

/** RFC 6335 part 6: ports that nobody has registered. */
const EPHEMERAL = { first: 49152, count: 16384 } as const;

function draw(entropy: Entropy, octets: number): Uint8Array {
  const bytes = new Uint8Array(octets);
  entropy.fill(bytes);
  return bytes;
}

export const random16 = (entropy: Entropy): number => u16(draw(entropy, 2), 0);
export const random32 = (entropy: Entropy): number => u32(draw(entropy, 4), 0);

/** A free port from a random place on (RFC 6056 part 3.3.1); undefined when all are taken. */
export function randomPort(entropy: Entropy, taken: (port: number) => boolean): number | undefined {
  const start = random16(entropy);
  for (let i = 0; i < EPHEMERAL.count; i++) {
    const port = EPHEMERAL.first + ((start + i) % EPHEMERAL.count);
    if (!taken(port)) return port;
  }
  return undefined;
}
