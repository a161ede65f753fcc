/** Where the reference vectors and the lab of real peers are. Absent, a test says so and skips; BELFRY_REQUIRE makes that a failure. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'vitest';

const root = process.env['BELFRY_SHARED'] ?? fileURLToPath(new URL('../../../shared', import.meta.url));
const required = (process.env['BELFRY_REQUIRE'] ?? '').split(',');

/** What BELFRY_REQUIRE may name. */
type Kind = 'suites' | 'lab';

export const sharedPath = (path: string): string => `${root}/${path}`;
export const readShared = (path: string): Buffer => readFileSync(sharedPath(path));
export const readSharedJson = <T>(path: string): T => JSON.parse(readShared(path).toString('utf8')) as T;

/** A `describe` over reference vectors: skips with its reason where they are absent, fails where they are required. */
export function describeSuite(folder: string, body: () => void): void {
  describeShared('suites', `suites/${folder}`, folder, body);
}

/** The same over anything that is not part of this repository; `reason` is what else is missing. */
export function describeShared(kind: Kind, path: string, title: string, body: () => void, reason?: string): void {
  const place = sharedPath(path);
  describeWith(kind, title, body, existsSync(place) ? reason : `nothing at ${place}; BELFRY_SHARED names another place`);
}

/** A `describe` that needs something of its surroundings; `missing` is what is not there. */
export function describeWith(kind: Kind, title: string, body: () => void, missing: string | undefined): void {
  if (missing === undefined) describe(title, body);
  else if (required.includes(kind)) it(`${title}: required`, () => expectPresent(kind, missing));
  else describe.skip(`${title} (${missing})`, body);
}

function expectPresent(kind: Kind, missing: string): never {
  throw new Error(`BELFRY_REQUIRE asks for ${kind}: ${missing}`);
}
