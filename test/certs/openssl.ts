/** What the `openssl` command makes of files: the judge of every form that certificates and keys come in. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type OpensslFiles = Readonly<Record<string, Uint8Array | string>>;

/** Its standard output, run in a folder that has these files; what it writes to `out` is the answer instead, where there is such a file. */
export function openssl(args: readonly string[], files: OpensslFiles = {}): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-openssl-'));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    const output = execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    return args.includes('out') ? readFileSync(join(folder, 'out')) : output;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
