/** Holds a run against its scenario's expectations. What was not reached has failed. */
import type { Micros } from '../../hal/hal.js';
import { type Sound, sounding, soundReport, toneShare } from '../artefacts/sound.js';
import type { TimelineEvent } from '../artefacts/timeline.js';
import type { Expectation, Scenario } from './scenario.js';
import { durationText, shareText } from './units.js';

export interface Verdict {
  ok: boolean;
  expected: string;
  /** What happened instead of it, or as it. */
  seen: string;
  /** When; absent for what did not happen. */
  t?: Micros;
}

/** What a run left behind, as far as it is judged. */
export interface Evidence {
  events: readonly TimelineEvent[];
  /** By name of the device. */
  speakers: ReadonlyMap<string, Sound>;
}

export function judge({ expect, devices }: Pick<Scenario, 'expect' | 'devices'>, evidence: Evidence): Verdict[] {
  const macs = new Map(Array.from(devices, ([name, { mac }]) => [name, mac]));
  const all = new Set(macs.values());
  return expect.map((expected) => {
    const mac = expected.device === undefined ? undefined : macs.get(expected.device);
    const events = evidence.events.filter(({ device }) => (mac === undefined ? all.has(device) : device === mac));
    const text = devices.size > 1 && expected.device !== undefined ? `${expected.device}: ${expected.text}` : expected.text;
    return { expected: text, ...judgeOne(expected, events, evidence.speakers) };
  });
}

type Finding = Omit<Verdict, 'expected'>;

function judgeOne(expected: Expectation, events: readonly TimelineEvent[], speakers: Evidence['speakers']): Finding {
  if (expected.type === 'event') return judgeEvent(expected, events);
  if (expected.type === 'heard') return judgeHeard(expected, speakers.get(expected.device));
  const found = matching(expected, events)[0];
  return found ? { ok: false, seen: `it happened ${moment(found.t)}`, t: found.t } : { ok: true, seen: 'it did not happen' };
}

function judgeEvent(expected: Extract<Expectation, { type: 'event' }>, events: readonly TimelineEvent[]): Finding {
  const { after, within } = expected;
  const since = after ? matching(after, events)[after.nth - 1]?.t : 0;
  if (since === undefined)
    return { ok: false, seen: `${after?.event} never happened${after && after.nth > 1 ? ` ${after.nth} times` : ''}` };
  const later = events.filter(({ t }) => t >= since);
  const found = matching(expected, later)[0];
  if (found) {
    const late = within !== undefined && found.t - since > within;
    const seen = after ? `${moment(found.t)}, ${durationText(found.t - since)} after ${after.event}` : moment(found.t);
    return { ok: !late, seen: late ? `too late: ${seen}` : seen, t: found.t };
  }
  const near = matching({ event: expected.event, fields: new Map() }, later)[0];
  if (!near) return { ok: false, seen: 'it never happened' };
  const differing = [...expected.fields.keys()].map((name) => `${name} ${fieldText(near.fields[name])}`);
  return { ok: false, seen: `${expected.event} with ${differing.join(', ')} ${moment(near.t)}`, t: near.t };
}

function judgeHeard(expected: Extract<Expectation, { type: 'heard' }>, speaker: Sound | undefined): Finding {
  const heard = speaker && soundReport(speaker);
  if (!heard || heard.seconds === 0) return { ok: false, seen: 'the loudspeaker was silent' };
  const share = toneShare(sounding(speaker), expected.tone);
  const longEnough = heard.seconds * 1e6 >= expected.for;
  const seen = `${heard.seconds.toFixed(2)} s of sound, ${shareText(share)} of its energy at ${expected.tone} Hz, ${shareText(heard.silent)} silent`;
  return { ok: longEnough && share >= expected.share && heard.silent <= expected.silent, seen };
}

export interface EventPattern {
  event: string;
  fields: ReadonlyMap<string, string>;
}

const matching = (pattern: EventPattern, events: readonly TimelineEvent[]): TimelineEvent[] =>
  events.filter((event) => matches(pattern, event));

/** Fields are compared as they are written. */
export const matches = ({ event, fields }: EventPattern, candidate: TimelineEvent): boolean =>
  candidate.event === event && [...fields].every(([name, value]) => fieldText(candidate.fields[name]) === value);

const fieldText = (value: unknown): string => (Array.isArray(value) ? value.join(',') : String(value));

const moment = (t: Micros): string => `at ${durationText(t)}`;
