/** `belfry` among other programs of a shell. */
import { execFile } from 'node:child_process';
import { expect, it } from 'vitest';
import { LAUNCHER } from '../support/command-line.js';

it('ends without a word when its reader has left', async () => {
  const pipe = '"$0" "$1" boards 8301 --settings | head -n 1';
  const { out, err } = await new Promise<{ out: string; err: string }>((resolve) =>
    execFile('sh', ['-c', pipe, process.execPath, LAUNCHER], (_error, out, err) => resolve({ out, err })),
  );
  expect(out.split('\n')).toHaveLength(2);
  expect(err).toBe('');
});
