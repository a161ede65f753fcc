/** Exclusive use of a file, by a file beside it that names the process. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fail, ok } from '../base/result.js';
import type { HalError, Result } from '../hal.js';
import { halError } from './node-errors.js';

export interface FileLock {
  release(): void;
}

/** Locks of this process. A lock that names it and is not here is an older process's with the same number, as is usual in containers. */
const held = new Set<string>();

/** `addr-in-use` names the process and the mend. A lock whose process is gone is taken over. */
export function lockFile(path: string): Result<FileLock, HalError> {
  const lock = resolve(`${path}.lock`);
  const first = takeLock(lock);
  if (first === undefined) return ok(lockHeld(lock));
  if (typeof first !== 'number') return { ok: false, error: first };
  if (isRunning(first, lock)) {
    return fail('addr-in-use', `${path} is in use by process ${first}: end it first, or delete ${lock} if that is no belfry`);
  }
  rmSync(lock, { force: true });
  return takeLock(lock) === undefined ? ok(lockHeld(lock)) : fail('addr-in-use', `${path} was taken by another process just now`);
}

function lockHeld(lock: string): FileLock {
  held.add(lock);
  return {
    release: () => {
      if (held.delete(lock)) rmSync(lock, { force: true });
    },
  };
}

/** Undefined when the lock is ours, else whose it is, or why it cannot be told. */
function takeLock(lock: string): number | HalError | undefined {
  try {
    writeFileSync(lock, `${process.pid}\n`, { flag: 'wx' });
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return halError(error as NodeJS.ErrnoException);
    // What is no number is no process: the lock was cut short when it was written.
    return Number.parseInt(readFileSync(lock, 'latin1'), 10) || 0;
  }
}

function isRunning(pid: number, lock: string): boolean {
  if (pid === process.pid) return held.has(lock);
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0); // asks; sends nothing
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
