export type { Bench, ConformanceCase, Need } from './bench.js';
export { check, Unmet } from './bench.js';
export { conformanceIdentity } from './identities.js';
export { type MemoryStream, streamPair } from './stream-pair.js';
