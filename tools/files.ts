/** Files for commands: every failure is one line that names the file and the mend. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CannotRun } from './command.js';

const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is no folder',
  ENOSPC: 'the disk is full',
  EROFS: 'the file system is read-only',
};

const reason = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException;
  return (code && REASONS[code]) ?? message;
};

export function readInput(path: string): Uint8Array {
  try {
    // A view and not a copy: captures are large.
    const { buffer, byteOffset, length } = readFileSync(path);
    return new Uint8Array(buffer, byteOffset, length);
  } catch (error) {
    throw new CannotRun(`cannot read ${path}: ${reason(error)}`);
  }
}

/** Makes the folder where it is missing. `secret` files are for their owner only. */
export function writeOutput(path: string, content: Uint8Array | string, options: { secret?: boolean; fresh?: boolean } = {}): void {
  if (options.fresh && existsSync(path)) throw new CannotRun(`${path} is there already; name another, or remove it first`);
  try {
    mkdirSync(dirname(path), { recursive: true });
    // A file that is there keeps its mode: one that others could read is not written into.
    if (options.secret) rmSync(path, { force: true });
    writeFileSync(path, content, { mode: options.secret ? 0o600 : 0o644 });
  } catch (error) {
    throw new CannotRun(`cannot write ${path}: ${reason(error)}`);
  }
}
