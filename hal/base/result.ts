import type { HalError, HalErrorKind, Result } from '../hal.js';

export const ok = <T>(value: T): { ok: true; value: T } => ({ ok: true, value });
export const err = <E>(error: E): { ok: false; error: E } => ({ ok: false, error });

/** An operating failure as a `Result` (law 4). */
export const fail = (kind: HalErrorKind, detail: string): { ok: false; error: HalError } => ({ ok: false, error: { kind, detail } });

/** Throws: a contract violation, which is a bug in the caller and not an operating failure. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`contract violation: ${message}`);
}

/** Unwraps what cannot have failed; a failure here is a bug. */
export function expectOk<T, E>(result: Result<T, E>, what: string): T {
  if (!result.ok) throw new Error(`contract violation: ${what}: ${JSON.stringify(result.error)}`);
  return result.value;
}
