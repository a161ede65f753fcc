/** Which events stand on the ladder, and in which words. What frames and messages already show is left to them. */
import type { LadderRow } from './ladder.js';
import type { TimelineEvent } from './timeline.js';

const BAD = /refused|failed|rejected|mismatch|silent/;
const GOOD = ['provisioning.applied', 'tls.accepted', 'registration.registered', 'call.established', 'media.secured'];
/** Told by the frames themselves, or too many for a ladder; the timeline has them. */
const ELSEWHERE = ['flash.op', 'endpoint.status', 'server.leased', 'server.request'];

export function eventRow(host: string, { t, event, fields }: TimelineEvent): LadderRow | undefined {
  if (ELSEWHERE.includes(event)) return undefined;
  const protocol = event === 'machine.state' ? 'STATE' : event.startsWith('flash.') ? 'FLASH' : 'EVENT';
  const mood = BAD.test(event) ? 'bad' : GOOD.includes(event) ? 'good' : 'plain';
  const label = event === 'machine.state' ? `${fields['machine']}: ${fields['from']} → ${fields['to']}` : `${event}${words(fields)}`;
  return { t, protocol, from: host, label, detail: inFull(event, fields), mood };
}

/** The first few fields; the rest stands in the detail. */
function words(fields: TimelineEvent['fields']): string {
  const shown = Object.entries(fields).slice(0, 4);
  return shown.map(([name, value]) => ` ${name}=${valueText(value)}`).join('');
}

const inFull = (event: string, fields: TimelineEvent['fields']): string =>
  [event, ...Object.entries(fields).map(([name, value]) => `  ${name}: ${valueText(value)}`)].join('\n');

const valueText = (value: unknown): string =>
  Array.isArray(value) ? value.join(', ') : typeof value === 'object' ? JSON.stringify(value) : String(value);
