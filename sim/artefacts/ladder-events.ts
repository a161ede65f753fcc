/** Which events stand on the ladder, and in which words. What frames and messages already show is left to them. */
import type { EventName } from '../../core/kernel/events.js';
import type { LadderProtocol, LadderRow } from './ladder.js';
import type { TimelineEvent } from './timeline.js';

const BAD = /refused|failed|rejected|rolled-back|expired|mismatch|silent|power\.cut/;
const GOOD = [
  'provisioning.applied',
  'provisioning.confirmed',
  'tls.accepted',
  'registration.registered',
  'call.established',
  'media.secured',
];
/** Told by the frames themselves, or too many for a ladder; the timeline has them. */
const ELSEWHERE = ['flash.op', 'endpoint.status', 'server.leased', 'server.request'];

/** The fields that tell most, first; the details have all of them. */
const TELLING: { readonly [N in EventName]?: readonly string[] } = {
  'boot.ready': ['board', 'firmware', 'reason'],
  'lease.acquired': ['address'],
  'time.set': ['source'],
  'settings.refused': ['key', 'value', 'detail'],
  'provisioning.applied': ['files'],
  'provisioning.rolled-back': ['keys', 'detail'],
  'certs.refused': ['file', 'detail'],
  'provisioning.failed': ['stage', 'detail'],
  'tls.accepted': ['service', 'subject', 'anchor'],
  'tls.refused': ['service', 'by', 'rule', 'subject'],
  'registration.registered': ['account', 'transport', 'expires'],
  'call.incoming': ['from'],
  'call.established': ['codec', 'srtp'],
  'call.rejected': ['status', 'reason'],
  'call.ended': ['by', 'reason', 'seconds'],
  'media.started': ['codec', 'remote'],
  'media.secured': ['suite'],
  'media.first-packet': ['after'],
  'media.ended': ['packets', 'lost', 'rejected'],
};
/** Of an event that has none of its own there. */
const TOLD = 3;

export function eventRow(host: string, { t, event, fields }: TimelineEvent): LadderRow | undefined {
  if (ELSEWHERE.includes(event)) return undefined;
  const mood = BAD.test(event) ? 'bad' : GOOD.includes(event) ? 'good' : 'plain';
  return { t, protocol: protocolOf(event), from: host, label: labelOf(event, fields), detail: inFull(event, fields), mood };
}

function protocolOf(event: string): LadderProtocol {
  if (event === 'machine.state') return 'STATE';
  return event.startsWith('flash.') ? 'FLASH' : 'EVENT';
}

function labelOf(event: string, fields: TimelineEvent['fields']): string {
  if (event === 'machine.state') return `${fields['machine']}: ${fields['from']} → ${fields['to']}`;
  const names: readonly string[] = TELLING[event as EventName] ?? Object.keys(fields).slice(0, TOLD);
  const told = names.filter((name) => fields[name] !== undefined).map((name) => `${name} ${valueText(fields[name])}`);
  return [event, told.join(', ')].filter((part) => part !== '').join(': ');
}

const inFull = (event: string, fields: TimelineEvent['fields']): string =>
  [event, ...Object.entries(fields).map(([name, value]) => `  ${name}: ${valueText(value)}`)].join('\n');

function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
