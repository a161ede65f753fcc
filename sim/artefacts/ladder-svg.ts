/** The ladder as a drawing for the report. Rows are groups of one height, so that the page can hide some and close the gaps. */
import { SECOND } from '../../hal/base/time.js';
import { type Html, html } from './html.js';
import type { Ladder, LadderRow } from './ladder.js';

/** Pixels. */
export const LADDER = { time: 76, row: 26 } as const;
/** Lanes share what a wide window has beside the details, but stay apart enough for an arrow with a word. */
const LANES = { width: 760, least: 96, most: 150 } as const;
/** Room for the words of the last lane. */
const WORDS = 60;
/** Characters of a label; the whole of it stands in the details. */
const LABEL = 92;

const laneWidth = (hosts: readonly string[]): number =>
  Math.max(LANES.least, Math.min(LANES.most, Math.floor(LANES.width / Math.max(1, hosts.length))));

export const ladderWidth = ({ hosts }: Ladder): number => Math.max(LADDER.time + hosts.length * laneWidth(hosts), LANES.width + WORDS);

/** Where a host's lane is. */
export const laneX = (hosts: readonly string[], host: string): number => LADDER.time + (hosts.indexOf(host) + 0.3) * laneWidth(hosts);

export function ladderSvg(ladder: Ladder): Html {
  const { hosts, rows } = ladder;
  const height = rows.length * LADDER.row + LADDER.row / 2;
  const lanes = hosts.map((host) => html`<line x1="${laneX(hosts, host)}" x2="${laneX(hosts, host)}" y1="0" y2="${height}"/>`);
  return html`<svg id="ladder" width="${ladderWidth(ladder)}" height="${height}" role="list">
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="10" markerHeight="10" orient="auto-start-reverse"><path d="M0,0L8,4L0,8z" fill="context-stroke"/></marker></defs>
<g class="lanes">${lanes}</g>
${rows.map((row, i) => rowSvg(row, i, hosts))}
</svg>`;
}

function rowSvg(row: LadderRow, index: number, hosts: readonly string[]): Html {
  const from = laneX(hosts, row.from);
  const drawn = row.to === undefined ? note(from) : arrow(from, laneX(hosts, row.to), row.protocol === 'RTP');
  return html`<g class="row ${row.protocol.toLowerCase()} ${row.mood}" data-row="${index}" data-protocol="${row.protocol}" transform="translate(0 ${index * LADDER.row})" tabindex="0" role="listitem">
<rect class="back" x="0" y="0" width="100%" height="${LADDER.row}"/><text class="time" x="${LADDER.time - 12}" y="17">${(row.t / SECOND).toFixed(3)}</text>${drawn}${labelSvg(row, hosts)}</g>`;
}

/** Beside a note, on the side where there is more room; over an arrow, from its left end on. */
function labelSvg({ from, to, protocol, label: whole }: LadderRow, hosts: readonly string[]): Html {
  const label = whole.length > LABEL ? `${whole.slice(0, LABEL - 1)}…` : whole;
  const x = laneX(hosts, from);
  if (to !== undefined) {
    return html`<text class="label" x="${Math.min(x, laneX(hosts, to)) + 10}" y="14"><tspan class="protocol">${protocol}</tspan> ${label}</text>`;
  }
  const right = hosts.indexOf(from) < hosts.length / 2;
  return html`<text class="label" x="${right ? x + 10 : x - 10}" y="17" text-anchor="${right ? 'start' : 'end'}">${label}</text>`;
}

const note = (x: number): Html => html`<circle cx="${x}" cy="13" r="4.5"/>`;

const arrow = (from: number, to: number, stream: boolean): Html =>
  html`<line class="${stream ? 'arrow stream' : 'arrow'}" x1="${from}" x2="${to}" y1="20" y2="20" marker-end="url(#tip)"/>`;
