/** The mark of a setting keeps true: what is said to act is read by the core, and what is stored for later is read nowhere. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { REGISTRY } from '../../core/settings/registry.js';

const CORE = fileURLToPath(new URL('../../core', import.meta.url));
const READERS = ['get', 'text'];

/** The keys in `settings.get('sip.proxy')`, and the form of those in `settings.get(`net.time${n}`)`. */
function keysRead(source: string): { keys: string[]; forms: RegExp[] } {
  const keys: string[] = [];
  const forms: RegExp[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) && READERS.includes(node.expression.name.text)) {
      const [key] = node.arguments;
      if (key && ts.isStringLiteral(key)) keys.push(key.text);
      if (key && ts.isTemplateExpression(key) && key.head.text.includes('.')) {
        forms.push(new RegExp(`^${key.head.text}${key.templateSpans.map(({ literal }) => `[^.]+${literal.text}`).join('')}$`));
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('core.ts', source, ts.ScriptTarget.ES2022, true));
  return { keys, forms };
}

it('settings that act are those that the core reads', () => {
  const sources = readdirSync(CORE, { recursive: true, encoding: 'utf8' }).filter((file) => /^(?!settings\/).*\.ts$/.test(file));
  const read = sources.map((file) => keysRead(readFileSync(`${CORE}/${file}`, 'utf8')));
  const isRead = (key: string): boolean => read.some(({ keys, forms }) => keys.includes(key) || forms.some((form) => form.test(key)));
  const acting = [...REGISTRY].filter(([, { effect }]) => effect === undefined).map(([key]) => key);
  expect(acting).toEqual([...REGISTRY.keys()].filter(isRead));
});
