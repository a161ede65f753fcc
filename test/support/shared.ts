/** Where the reference vectors and the lab of real peers are. Absent, a test says so and skips; BELFRY_REQUIRE makes that a failure. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'vitest';

const root = process.env['BELFRY_SHARED'] ?? fileURLToPath(new URL('../../../shared', import.meta.url));
const required = (process.env['BELFRY_REQUIRE'] ?? '').split(',');

export const sharedPath = (path: string): string => `${root}/${path}`;
export const readShared = (path: string): Buffer => readFileSync(sharedPath(path));
export const readSharedJson = <T>(path: string): T => JSON.parse(readShared(path).toString('utf8')) as T;

/** A `describe` over reference vectors: skips with its reason where they are absent, fails where they are required. */
export function describeSuite(folder: string, body: () => void): void {
  const path = sharedPath(`suites/${folder}`);
  if (existsSync(path)) return void describe(folder, body);
  if (required.includes('suites')) return void it(`${folder} is required`, () => expectPresent(path));
  describe.skip(`${folder} (no reference vectors at ${path}; BELFRY_SHARED names another place)`, body);
}

function expectPresent(path: string): never {
  throw new Error(`BELFRY_REQUIRE asks for the reference vectors, and ${path} does not exist`);
}
