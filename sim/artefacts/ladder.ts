/** The ladder: who said what to whom, and what came of it, in the order of the run. A model; `ladder-text` and the report draw it. */
import type { Micros } from '../../hal/hal.js';

export type LadderProtocol = 'DHCP' | 'DNS' | 'SNTP' | 'TCP' | 'TLS' | 'HTTP' | 'SIP' | 'RTP' | 'DATA' | 'FLASH' | 'STATE' | 'EVENT';

export interface LadderRow {
  /** Since the run began. */
  t: Micros;
  protocol: LadderProtocol;
  from: string;
  /** Absent for a note: something that happened at `from`. */
  to?: string;
  label: string;
  /** The message in full, with keys and passwords masked; empty where there is no more to say. */
  detail: string;
  mood: 'plain' | 'good' | 'bad';
}

export interface Ladder {
  /** Hosts that take part, from left to right. */
  hosts: readonly string[];
  rows: readonly LadderRow[];
}

/** Rows by time, those of one instant as they came; only hosts that have a row. `more` rows that are not among them are told by a last one. */
export function createLadder(hosts: readonly string[], rows: readonly LadderRow[], more = 0): Ladder {
  const known = rows.filter(({ from, to }) => hosts.includes(from) && (to === undefined || hosts.includes(to)));
  const sorted = known.sort((a, b) => a.t - b.t);
  const last = sorted.at(-1);
  if (last && more > 0)
    sorted.push({ t: last.t, protocol: 'EVENT', from: last.from, label: `and ${more} more`, detail: '', mood: 'plain' });
  const used = new Set(sorted.flatMap(({ from, to }) => (to === undefined ? [from] : [from, to])));
  return { hosts: hosts.filter((host) => used.has(host)), rows: sorted };
}
