/** Belfry's commands as a user types them: a process of their own, with its output and exit status. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Ended {
  status: number;
  out: string;
  err: string;
}

export const LAUNCHER = fileURLToPath(new URL('../../tools/belfry.mjs', import.meta.url));
const MOST_OUTPUT = 16 * 1024 * 1024;

export function belfry(...args: string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [LAUNCHER, ...args], { maxBuffer: MOST_OUTPUT }, (error, out, err) => {
      const status = error ? error.code : 0;
      // A signal, or a process that could not be started, is no exit status.
      if (typeof status === 'number') resolve({ status, out, err });
      else reject(error);
    });
  });
}
