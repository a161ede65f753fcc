/** Seeded mutation of inputs for readers that must be total: the same seed gives the same inputs on every machine. */

/** xorshift32: integers from 0 to below `limit`. */
export function randomFrom(seed: number): (limit: number) => number {
  let state = (seed ^ 0x9e3779b9) | 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

/** A copy with one to eight changes: an octet replaced, a bit turned, a piece cut out, doubled, or moved. */
function mutate(input: Uint8Array, random: (limit: number) => number): Uint8Array {
  let bytes = Array.from(input);
  for (let changes = 1 + random(8); changes > 0; changes--) {
    const at = random(bytes.length + 1);
    const length = 1 + random(16);
    const kind = random(6);
    if (kind === 0) bytes[Math.min(at, Math.max(0, bytes.length - 1))] = random(256);
    else if (kind === 1 && at < bytes.length) bytes[at] = bytes[at]! ^ (1 << random(8));
    else if (kind === 2) bytes.splice(at, length);
    else if (kind === 3) bytes.splice(at, 0, ...bytes.slice(at, at + length));
    else if (kind === 4) bytes.splice(random(bytes.length + 1), 0, ...bytes.splice(at, length));
    else bytes = bytes.slice(0, at);
  }
  return Uint8Array.from(bytes);
}

/** Runs `read` over `executions` mutations of the samples. A throw fails the test and names the input in hex. */
export function fuzz(samples: readonly Uint8Array[], executions: number, read: (input: Uint8Array) => void, seed = 1): void {
  const random = randomFrom(seed);
  for (let run = 0; run < executions; run++) {
    const input = mutate(samples[run % samples.length]!, random);
    try {
      read(input);
    } catch (error) {
      throw new Error(`seed ${seed}, run ${run}: ${Buffer.from(input).toString('hex')}`, { cause: error });
    }
  }
}
