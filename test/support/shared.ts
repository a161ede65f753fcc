/** Where the reference vectors and the lab of real peers are. Absent, a test says so and skips; BELFRY_REQUIRE makes that a failure. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'vitest';

const root = process.env['BELFRY_SHARED'] ?? fileURLToPath(new URL('../../../shared', import.meta.url));
const required = (process.env['BELFRY_REQUIRE'] ?? '').split(',');

/** Whether BELFRY_REQUIRE names it: its absence is then a failure. */
export const isRequired = (what: 'suites' | 'lab'): boolean => required.includes(what);

export const sharedPath = (path: string): string => `${root}/${path}`;
export const readShared = (path: string): Buffer => readFileSync(sharedPath(path));
export const readSharedJson = <T>(path: string): T => JSON.parse(readShared(path).toString('utf8')) as T;

/** A `describe` over reference vectors: skips with its reason where they are absent, fails where they are required. */
export function describeSuite(folder: string, body: () => void): void {
  describeShared('suites', `suites/${folder}`, folder, body);
}

/** The same over anything that is not part of this repository; `reason` is what else is missing. */
export function describeShared(kind: 'suites' | 'lab', path: string, title: string, body: () => void, reason?: string): void {
  const place = sharedPath(path);
  const missing = existsSync(place) ? reason : `nothing at ${place}; BELFRY_SHARED names another place`;
  if (missing === undefined) describe(title, body);
  else if (isRequired(kind)) it(`${title}: required`, () => expectPresent(kind, missing));
  else describe.skip(`${title} (${missing})`, body);
}

function expectPresent(kind: string, missing: string): never {
  throw new Error(`BELFRY_REQUIRE asks for ${kind}: ${missing}`);
}
