/** A ladder for a terminal: lanes on the left, words on the right, every line within a width. */
import { SECOND } from '../../hal/base/time.js';
import type { Ladder, LadderRow } from './ladder.js';

export interface LadderTextOptions {
  /** Characters a line. */
  width: number;
  /** Plain ASCII, for terminals and logs without box drawing. */
  ascii?: boolean;
}

interface Pen {
  lane: string;
  line: string;
  right: string;
  left: string;
  note: string;
  more: string;
}
const BOX: Pen = { lane: '│', line: '─', right: '▶', left: '◀', note: '●', more: '…' };
const ASCII: Pen = { lane: '|', line: '-', right: '>', left: '<', note: '*', more: '~' };

const TIME = 10;
/** Lanes stand this far apart: wide enough for an arrow, narrow enough to leave room for words. */
const LANE = { least: 4, most: 9 } as const;
/** Characters kept for words, however many hosts there are. */
const WORDS = 40;

export function ladderText({ hosts, rows }: Ladder, { width, ascii = false }: LadderTextOptions): string {
  const pen = ascii ? ASCII : BOX;
  const lane = Math.max(LANE.least, Math.min(LANE.most, Math.floor((width - TIME - WORDS) / Math.max(1, hosts.length))));
  const lines = heads(hosts, lane, pen);
  for (const row of rows) {
    const line = `${time(row)}  ${lanes(row, hosts, lane, pen)}  ${words(row, pen)}`;
    lines.push(line.length > width ? line.slice(0, width - 1) + pen.more : line.trimEnd());
  }
  return `${lines.join('\n')}\n`;
}

const time = ({ t }: LadderRow): string => (t / SECOND).toFixed(3).padStart(TIME - 2);

/** Names stand over their lanes on two lines by turns, so that each has the room of two. */
const heads = (hosts: readonly string[], lane: number, pen: Pen): string[] =>
  [0, 1].map((odd) => {
    const names = hosts.map((host, i) => ({ host, at: TIME + i * lane })).filter((_, i) => i % 2 === odd);
    let line = '';
    for (const { host, at } of names) line = line.padEnd(at) + (host.length < 2 * lane ? host : host.slice(0, 2 * lane - 2) + pen.more);
    return line;
  });

function lanes({ from, to }: LadderRow, hosts: readonly string[], lane: number, pen: Pen): string {
  const cells = [...hosts.map(() => pen.lane.padEnd(lane)).join('')].slice(0, lane * (hosts.length - 1) + 1);
  const start = hosts.indexOf(from) * lane;
  if (to === undefined) {
    cells[start] = pen.note;
    return cells.join('');
  }
  const end = hosts.indexOf(to) * lane;
  const [low, high] = [Math.min(start, end), Math.max(start, end)];
  for (let i = low + 1; i < high; i++) cells[i] = pen.line;
  if (end > start) cells[end - 1] = pen.right;
  else cells[end + 1] = pen.left;
  return cells.join('');
}

/** Protocols are named, events name themselves. */
const words = ({ protocol, label }: LadderRow, pen: Pen): string => {
  const named = protocol === 'EVENT' || protocol === 'STATE' || protocol === 'FLASH' ? label : `${protocol} ${label}`;
  return pen === ASCII ? named.replace(/→/g, '->').replace(/[^\x20-\x7e]/g, '~') : named;
};
