/** How much memory live objects take. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

/** Octets, after two collections: the first lets go of what only waits to be told so. */
export function memoryInUse(): number {
  for (let round = 0; round < 2; round++) if (typeof collect === 'function') collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
