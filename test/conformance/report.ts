/** Makes a vitest test of each conformance case. */
import { expect, it } from 'vitest';
import { type Bench, conformanceCases, runConformance } from '../../hal/conformance/index.js';
import type { Hal } from '../../hal/hal.js';

/** One test a case: a case that a binding cannot be given is a failure here, because both of ours can. */
export function testConformance(rig: () => { hal: Hal; bench: Bench }): void {
  it.each(conformanceCases.map((one) => [one.law, one.id, one.title, one] as const))('law %s, %s: %s', async (_law, _id, _title, one) => {
    const { hal, bench } = rig();
    const [result] = await runConformance(hal, bench, [one]);
    expect(result).toMatchObject({ outcome: 'passed', detail: '' });
  });
}
