export { type Bench, type ConformanceCase, type Law, type Need, Unmet } from './bench.js';
export { conformanceCases } from './cases.js';
export { conformanceIdentity } from './identities.js';
export { type CaseResult, runConformance } from './run.js';
export { type MemoryStream, streamPair } from './stream-pair.js';
