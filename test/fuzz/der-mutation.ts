/** Changes to DER that keep its lengths right: what is wrong lies deep inside, where a reader that stops at the first octet never comes. */
import { concat } from '../../hal/base/bytes.js';
import { type Draw, mutate, noise } from '../support/mutation.js';

/** A value; `parts` where its content is made of values. */
interface Node {
  tag: number;
  /** All its octets. */
  der: Uint8Array;
  content: Uint8Array;
  parts: readonly Node[];
  /** Octets of the content before the first part: the unused bits of a BIT STRING that holds a value. */
  lead: number;
}

const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const TAGS = [1, 2, 3, 4, 5, 6, 0x0c, 0x13, 0x16, 0x17, 0x18, 0x24, 0x30, 0x31, 0x80, 0x82, 0x86, 0xa0, 0xa1, 0xa3, 0x1f, 0xff];

/** Samples come again and again. */
const trees = new WeakMap<Uint8Array, Tree>();

interface Tree {
  roots: readonly Node[];
  /** All of them, in their order. */
  nodes: readonly Node[];
}

export function restructureDer(input: Uint8Array, random: Draw): Uint8Array {
  const { roots, nodes } = treeOf(input);
  if (nodes.length === 0) return mutate(input, random);
  const changes = new Map<Node, Uint8Array>();
  for (let left = 1 + random(3); left > 0; left--) {
    const node = nodes[random(nodes.length)]!;
    changes.set(node, changed(node, nodes, random));
  }
  return concat(...roots.map((root) => write(root, changes)));
}

function treeOf(input: Uint8Array): Tree {
  const known = trees.get(input);
  if (known) return known;
  const roots = parse(input) ?? [];
  const tree = { roots, nodes: flat(roots) };
  trees.set(input, tree);
  return tree;
}

/** Values that fill the octets; undefined where they do not. Definite lengths of up to four octets. */
function parse(octets: Uint8Array): Node[] | undefined {
  const nodes: Node[] = [];
  for (let at = 0; at < octets.length; ) {
    const first = octets[at + 1] ?? 0x80;
    const count = first < 0x80 ? 0 : first & 0x7f;
    if (first === 0x80 || count > 4) return undefined;
    let length = first < 0x80 ? first : 0;
    for (let i = 0; i < count; i++) length = length * 256 + (octets[at + 2 + i] ?? 0);
    const from = at + 2 + count;
    const end = from + length;
    if (end > octets.length) return undefined;
    nodes.push(node(octets[at]!, octets.subarray(at, end), octets.subarray(from, end)));
    at = end;
  }
  return nodes.length > 0 ? nodes : undefined;
}

function node(tag: number, der: Uint8Array, content: Uint8Array): Node {
  const lead = tag === BIT_STRING && content[0] === 0 ? 1 : 0;
  const holds = (tag & 0x20) !== 0 || tag === OCTET_STRING || lead === 1;
  return { tag, der, content, lead, parts: (holds ? parse(content.subarray(lead)) : undefined) ?? [] };
}

const flat = (nodes: readonly Node[]): Node[] => nodes.flatMap((each) => [each, ...flat(each.parts)]);

function write(node: Node, changes: ReadonlyMap<Node, Uint8Array>): Uint8Array {
  const change = changes.get(node);
  if (change) return change;
  if (node.parts.length === 0) return node.der;
  const parts = node.parts.map((part) => write(part, changes));
  if (parts.every((part, i) => part === node.parts[i]!.der)) return node.der;
  return value(node.tag, concat(node.content.subarray(0, node.lead), ...parts));
}

/** What stands in place of a value. */
function changed(node: Node, nodes: readonly Node[], random: Draw): Uint8Array {
  switch (random(10)) {
    case 0:
      return value(TAGS[random(TAGS.length)]!, node.content);
    case 1:
      return new Uint8Array(0);
    case 2:
      return concat(...Array.from({ length: 2 + random(random(8) === 0 ? 300 : 3) }, () => node.der));
    case 3:
      return nodes[random(nodes.length)]!.der;
    case 4:
      return value(node.tag, new Uint8Array(0));
    case 5:
      return value(node.tag, nodes[random(nodes.length)]!.der);
    case 6:
      return wrapped(node, 1 + random(random(4) === 0 ? 100 : 3));
    case 7:
      return value(node.tag, noise(random(12), random));
    default:
      return value(node.tag, mutate(node.content, random));
  }
}

function wrapped({ tag, der }: Node, times: number): Uint8Array {
  let all = der;
  for (let i = 0; i < times; i++) all = value((tag & 0x20) === 0 ? 0x30 : tag, all);
  return all;
}

function value(tag: number, content: Uint8Array): Uint8Array {
  const { length } = content;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x83, length >> 16, length >> 8, length];
  if (head.length === 4 && length < 0x10000) head.splice(0, 2, 0x82);
  return concat(Uint8Array.of(tag, ...head), content);
}
