/** The package as others get it: packed, installed into an empty folder, every export loaded and its declarations compiled. */
import { type ExecFileException, execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MANIFEST = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as {
  exports: Record<string, string | { types: string; import: string }>;
};
/** `belfry`, `belfry/hal`, …, each with the file of its declarations. */
const ENTRIES = Object.entries(MANIFEST.exports).flatMap(([path, target]) =>
  typeof target === 'string' ? [] : [{ name: path.replace('.', 'belfry'), ...target }],
);

interface Ended {
  status: number;
  out: string;
  err: string;
}

function run(cwd: string, command: string, ...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(command, args, { cwd, maxBuffer: LONGEST_OUTPUT }, (error: ExecFileException | null, out, err) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ status, out, err });
    });
  });
}

const LONGEST_OUTPUT = 64 * 2 ** 20;

async function well(cwd: string, command: string, ...args: string[]): Promise<string> {
  const { status, out, err } = await run(cwd, command, ...args);
  expect(status, `${command} ${args.join(' ')}\n${out}${err}`).toBe(0);
  return out;
}

describe('the tarball', () => {
  let folder: string;
  let packed: readonly string[];

  beforeAll(async () => {
    folder = mkdtempSync(`${tmpdir()}/belfry-tarball-`);
    // A build without declarations removes those of the one before, so that those that are there belong to this build.
    await well(ROOT, process.execPath, 'tools/ready.mjs');
    if (!ENTRIES.every(({ types }) => existsSync(`${ROOT}${types}`))) await well(ROOT, 'npm', 'run', '-s', 'build:types');
    const [pack] = JSON.parse(await well(ROOT, 'npm', 'pack', '--json', '--pack-destination', folder)) as [
      { filename: string; files: { path: string }[] },
    ];
    packed = pack.files.map(({ path }) => path);
    writeFileSync(`${folder}/package.json`, '{ "name": "someone", "private": true, "type": "module" }');
    await well(folder, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', `./${pack.filename}`);
  }, 300_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(ENTRIES)('$name loads', async ({ name }) => {
    const program = `import * as all from '${name}'; console.log(JSON.stringify(Object.keys(all)));`;
    const names = JSON.parse(await well(folder, process.execPath, '--input-type=module', '-e', program)) as string[];
    expect(names.length > 0 || name === 'belfry/hal', `${name} exports ${names.join(', ')}`).toBe(true);
  });

  it('has declarations that compile, strictly, for someone without our settings', async () => {
    expect(packed).toEqual(expect.arrayContaining(ENTRIES.map(({ types }) => types.replace('./', ''))));
    const source = ENTRIES.map(({ name }, i) => `import * as m${i} from '${name}';\nexport type T${i} = typeof m${i};`).join('\n');
    writeFileSync(`${folder}/user.ts`, source);
    const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2022'];
    await well(folder, process.execPath, `${ROOT}node_modules/typescript/bin/tsc`, ...options, 'user.ts');
  });

  it('holds no sources, tests or secrets', () => {
    expect(packed.filter((path) => /(^|\/)(test|node_modules)\/|(?<!\.d)\.ts$|\.(key|flash|pcapng)$/.test(path))).toEqual([]);
  });

  it('has a belfry that says what it can do, and runs the secure page', async () => {
    expect(await well(folder, 'npx', '--no-install', 'belfry', '--help')).toContain('usage: belfry COMMAND');
    await well(folder, 'npx', '--no-install', 'belfry', 'sim', 'secure-page');
  });
});
