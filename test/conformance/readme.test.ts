import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { conformanceCases } from '../../hal/conformance/index.js';

const README = readFileSync(new URL('../../hal/README.md', import.meta.url), 'utf8');

/** The cases named in the paragraph of a law, or after the laws. */
function namedFor(law: number | 'contract'): string[] {
  const paragraph = law === 'contract' ? /^What `hal\.ts` says beyond.*$/m : new RegExp(`^${law}\\. \\*\\*.*$`, 'm');
  return [...(paragraph.exec(README)?.[0] ?? '').matchAll(/`([a-z]+-[a-z-]+)`/g)].map(([, id]) => id!);
}

it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 'contract'] as const)('hal/README.md names the cases of law %s', (law) => {
  const proven = conformanceCases.filter((one) => one.law === law).map(({ id }) => id);
  expect(namedFor(law).sort()).toEqual([...proven].sort());
});

it('each case has an id of its own', () => {
  expect(new Set(conformanceCases.map(({ id }) => id)).size).toBe(conformanceCases.length);
});
