/** Runs conformance cases one after another. */
import type { Hal } from '../hal.js';
import type { Bench, ConformanceCase, Need } from './bench.js';
import { conformanceCases } from './cases.js';

export interface CaseResult {
  id: string;
  law: ConformanceCase['law'];
  title: string;
  /** `skipped`: the binding or the bench lacks what `detail` names. It proves nothing. */
  outcome: 'passed' | 'failed' | 'skipped';
  detail: string;
}

export async function runConformance(
  hal: Hal,
  bench: Bench,
  cases: readonly ConformanceCase[] = conformanceCases,
): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = [];
  for (const { id, law, title, needs, run } of cases) {
    const missing = needs.filter((need) => !has(hal, bench, need));
    if (missing.length > 0) results.push({ id, law, title, outcome: 'skipped', detail: `needs ${missing.join(', ')}` });
    else results.push({ id, law, title, ...(await outcomeOf(run, hal, bench)) });
  }
  return results;
}

async function outcomeOf(run: ConformanceCase['run'], hal: Hal, bench: Bench): Promise<Pick<CaseResult, 'outcome' | 'detail'>> {
  try {
    await run(hal, bench);
    return { outcome: 'passed', detail: '' };
  } catch (error) {
    return { outcome: 'failed', detail: error instanceof Error ? error.message : String(error) };
  }
}

function has(hal: Hal, bench: Bench, need: Need): boolean {
  if (need === 'tls') return hal.tls !== undefined;
  if (need === 'microphone') return hal.audio.openInput !== undefined;
  return bench[need] !== undefined;
}
