/** `--set PATH=VALUE`: puts values into the document before it is read, so that they are judged like its own. */
import { type Document, isMap, isScalar, isSeq, type Node, Pair, Scalar, YAMLMap } from 'yaml';
import { didYouMean } from './near-miss.js';
import { written } from './reader.js';

export interface Override {
  path: string;
  value: string;
}

/** Maps whose names may hold dots, so that the rest of a path is one name. */
const DOTTED_NAMES = ['provisioned', 'settings', 'image'];
/** Maps whose names the scenario chooses: a new one there is a slip of the pen. */
const NAMED = ['devices', 'callers'];

/** Where each node that an override made comes from, for problems; or the problem that the override itself is. */
export type Applied = { ok: true; origins: ReadonlyMap<Node, string> } | { ok: false; path: string; message: string };

export function applyOverrides(document: Document, overrides: readonly Override[]): Applied {
  const origins = new Map<Node, string>();
  for (const override of overrides) {
    const message = put(document.contents, override, origins);
    if (message !== undefined) return { ok: false, path: override.path, message };
  }
  return { ok: true, origins };
}

/** A place in the document that holds a value. */
interface Slot {
  name: string;
  value: Node | null;
  put(value: Node): void;
}

/** Undefined when done, else what is wrong with the path. */
function put(top: Node | null, { path, value }: Override, origins: Map<Node, string>): string | undefined {
  const fresh = <N extends Node>(node: N): N => {
    origins.set(node, `--set ${path}`);
    return node;
  };
  const segments = path.split('.');
  if (segments.includes('')) return 'a path is names with dots between them: devices.lobby.board';
  let slot: Slot = { name: 'the scenario', value: top, put: () => undefined };
  while (segments.length > 0) {
    const next = within(slot, segments, fresh);
    if (typeof next === 'string') return next;
    slot = next;
  }
  slot.put(fresh(new Scalar(value)));
  return undefined;
}

/** The slot inside this one that the first segments name; removes those. */
function within({ name, value }: Slot, segments: string[], fresh: <N extends Node>(node: N) => N): Slot | string {
  if (isMap(value)) {
    const pair = take(value, segments, name, fresh);
    if (typeof pair === 'string') return pair;
    return { name: nameOf(pair), value: pair.value as Node | null, put: (node) => setValue(pair, node) };
  }
  if (!isSeq(value)) return `"${name}" has no fields`;
  const index = Number(segments.shift());
  if (!Object.hasOwn(value.items, index)) return `the list has ${value.items.length} entries, numbered from 0`;
  return { name: String(index), value: value.items[index] as Node | null, put: (node) => value.set(index, node) };
}

/** The pair that the first segments name, the longest name first; made where the map has none. Removes the segments that it used. */
function take(map: YAMLMap, segments: string[], holder: string, fresh: <N extends Node>(node: N) => N): Pair | string {
  const dotted = DOTTED_NAMES.includes(holder) && segments[0] !== 'settings';
  for (let used = segments.length; used > 0; used--) {
    const name = segments.slice(0, used).join('.');
    const found = map.items.find((pair) => nameOf(pair) === name);
    // Beside the setting `sip.srtp` there may be one named `sip.srtp.suite`.
    if (!found || (dotted && used < segments.length)) continue;
    segments.splice(0, used);
    return found;
  }
  if (NAMED.includes(holder)) {
    return `there is no "${segments[0]}" among ${holder}${didYouMean(segments[0]!, map.items.map(nameOf))}`;
  }
  const name = segments.splice(0, dotted ? segments.length : 1).join('.');
  const pair = new Pair<Node, Node>(fresh(new Scalar(name)), fresh(new YAMLMap()));
  map.items.push(pair);
  return pair;
}

const setValue = (pair: Pair, value: Node): void => {
  pair.value = value;
};
const nameOf = ({ key }: Pair): string => (isScalar(key) ? written(key) : String(key));
