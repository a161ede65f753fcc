/** Rules of the house that no linter knows. Each names the replacement, so that a failure teaches. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' }).trim().split('\n');
const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'));
const read = (file: string): string => readFileSync(root + file, 'utf8');

const FUNCTION_LINES_MAX = 70;
const FILE_LINES_MAX = 500;

/** What ES2022 has and the platform-free layers may not use; the compiler (`types: []`) already refuses the rest. */
const BANNED: Record<string, string> = {
  'Date.now': 'kernel.now() or an event’s `at`: time is an input',
  'new Date': 'hal/base/time',
  'Math.random': 'Entropy (law 8)',
  Promise: 'a callback of type Done: the core is synchronous',
  async: 'a callback of type Done: the core is synchronous',
  await: 'a callback of type Done: the core is synchronous',
  'performance.now': 'the Clock port',
  fromPromise: 'fromCallback: promises need turns that virtual time does not give',
};
const PLATFORM_FREE = /^(core|boards|hal\/(?!node\/|conformance\/))/;
const EXCEPTIONS: Record<string, readonly string[]> = { 'new Date': ['hal/base/time.ts'] };
/** The simulator may await its own run, but it takes neither time nor chance from the machine. */
const SIM_BANNED = ['Date.now', 'new Date', 'Math.random', 'performance.now'];

/** Identifiers and two-part names in code; comments and strings do not count. */
function names(file: string): { name: string; line: number }[] {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.ES2022, true);
  const found: { name: string; line: number }[] = [];
  const note = (name: string, node: ts.Node) =>
    found.push({ name, line: source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1 });
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) note(node.text, node);
    if (ts.isPropertyAccessExpression(node)) note(`${node.expression.getText(source)}.${node.name.text}`, node);
    if (ts.isNewExpression(node)) note(`new ${node.expression.getText(source)}`, node);
    if (node.kind === ts.SyntaxKind.AsyncKeyword) note('async', node);
    if (ts.isAwaitExpression(node)) note('await', node);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function longFunctions(file: string): string[] {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.ES2022, true);
  const long: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const from = source.getLineAndCharacterOfPosition(node.getStart(source)).line;
      const to = source.getLineAndCharacterOfPosition(node.end).line;
      if (to - from + 1 > FUNCTION_LINES_MAX) long.push(`${file}:${from + 1} (${to - from + 1} lines)`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return long;
}

describe('the house rules', () => {
  it('platform-free layers take neither time, chance nor promises from the machine', () => {
    const wrong: string[] = [];
    for (const file of sources) {
      const banned = PLATFORM_FREE.test(file) ? Object.keys(BANNED) : file.startsWith('sim/') ? SIM_BANNED : [];
      if (banned.length === 0) continue;
      for (const { name, line } of names(file)) {
        if (banned.includes(name) && !EXCEPTIONS[name]?.includes(file)) wrong.push(`${file}:${line} ${name} → ${BANNED[name]}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it(`functions fit a screen (${FUNCTION_LINES_MAX} lines) and files have one reason to exist (${FILE_LINES_MAX} lines)`, () => {
    const code = sources.filter((file) => !file.startsWith('test/'));
    expect(code.flatMap(longFunctions)).toEqual([]);
    expect(code.filter((file) => read(file).split('\n').length > FILE_LINES_MAX)).toEqual([]);
  });

  it('nothing is left unfinished, focused or skipped without a reason', () => {
    const marks = /\b(TODO|FIXME|XXX|HACK)\b|\b(it|test|describe)\.(only|todo|skip)\(/;
    const allowed = new Set(['test/tidy.test.ts', 'test/support/shared.ts', 'test/support/lab.ts']);
    expect(sources.filter((file) => !allowed.has(file) && marks.test(read(file)))).toEqual([]);
  });

  it('a source file says in its first lines what it is, unless its only export does', () => {
    const without = sources.filter(
      (file) => PLATFORM_FREE.test(file) && !/\/\*\*|\/\//.test(read(file).split('\n').slice(0, 30).join('\n')),
    );
    expect(without).toEqual([]);
  });

  it('each document has one title', () => {
    const bad = files
      .filter((file) => file.endsWith('.md'))
      .filter((file) => {
        const prose = read(file).replace(/```[\s\S]*?```/g, '');
        return (prose.match(/^# /gm) ?? []).length !== 1;
      });
    expect(bad).toEqual([]);
  });

  it('names no machine it was written on', () => {
    const text = files.filter((file) => /\.(ts|mjs|cjs|md|json|yaml|sh|html|css)$|^\.ci\/run$/.test(file) && file !== 'package-lock.json');
    const paths = /(^|[\s"'`(=])\/(root|home\/\w+|work|Users\/\w+)\//;
    expect(text.filter((file) => paths.test(read(file)))).toEqual([]);
    expect(read('package-lock.json')).not.toContain('"resolved": "http');
  });
});
