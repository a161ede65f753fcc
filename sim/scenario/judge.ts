/** Holds a run against its scenario's expectations. What was not reached has failed. */
import type { Micros } from '../../hal/hal.js';
import { type Sound, sounding, soundReport, toneShare } from '../artefacts/sound.js';
import type { TimelineEvent } from '../artefacts/timeline.js';
import { type EventExpectation, type Expectation, type Scenario, unitsOf } from './scenario.js';
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

type Judged = Pick<Scenario, 'expect' | 'devices' | 'groups'>;

export function judge(scenario: Judged, evidence: Evidence): Verdict[] {
  const of = eventsByHost(scenario, evidence.events);
  return scenario.expect.map((expected) => {
    const whose = expected.server ?? (scenario.devices.size > 1 ? expected.device : undefined);
    const text = whose === undefined ? expected.text : `${whose}: ${expected.text}`;
    return { expected: text, ...judgeOne(scenario, expected, of, evidence.speakers) };
  });
}

type Finding = Omit<Verdict, 'expected'>;
/** The events of a server, of a device, or where no name is given of all devices; in their order. */
type EventsOf = (name: string | undefined) => readonly TimelineEvent[];

function eventsByHost({ devices }: Judged, events: readonly TimelineEvent[]): EventsOf {
  const macs = new Map(Array.from(devices, ([name, { mac }]) => [name, mac]));
  const all = new Set(macs.values());
  const byHost = new Map<string, TimelineEvent[]>();
  for (const event of events) {
    const own = byHost.get(event.device);
    if (own) own.push(event);
    else byHost.set(event.device, [event]);
  }
  return (name) => (name === undefined ? events.filter(({ device }) => all.has(device)) : (byHost.get(macs.get(name) ?? name) ?? []));
}

function judgeOne(scenario: Judged, expected: Expectation, of: EventsOf, speakers: Evidence['speakers']): Finding {
  const { device, server } = expected;
  const group = device === undefined ? undefined : scenario.groups.get(device);
  switch (expected.type) {
    case 'event':
      return group ? judgeGroup(expected, group, (unit) => judgeEvent(expected, of(unit))) : judgeEvent(expected, of(server ?? device));
    case 'heard':
      return group
        ? judgeGroup({ share: 1 }, group, (unit) => judgeHeard(expected, speakers.get(unit)))
        : judgeHeard(expected, speakers.get(expected.device));
    case 'not':
      return judgeAbsence(expected, members(scenario, expected, of));
    case 'rate':
      return judgeRate(expected, members(scenario, expected, of));
  }
}

/** The events of all that an expectation speaks of. */
function members(scenario: Judged, { device, server }: Expectation, of: EventsOf): readonly TimelineEvent[] {
  if (device === undefined || !scenario.groups.has(device)) return of(server ?? device);
  return unitsOf(scenario, device)
    .flatMap(of)
    .sort((a, b) => a.t - b.t);
}

/** Devices that are named where a group has failed. */
const MOST_NAMED = 3;

/** `198 of 200, from 30 min 2 s to 33 min 8 s; unit-017: it never happened` */
function judgeGroup({ share }: Pick<EventExpectation, 'share'>, units: readonly string[], judgeUnit: (unit: string) => Finding): Finding {
  const findings = units.map((unit) => ({ unit, ...judgeUnit(unit) }));
  const [good, bad] = [findings.filter(({ ok }) => ok), findings.filter(({ ok }) => !ok)];
  const times = good.flatMap(({ t }) => (t === undefined ? [] : [t])).sort((a, b) => a - b);
  const [first, last] = [times[0], times.at(-1)];
  const when = first === undefined || last === undefined ? '' : `, from ${durationText(first)} to ${durationText(last)}`;
  const ok = good.length >= units.length * share;
  const named = bad.slice(0, MOST_NAMED).map(({ unit, seen }) => `; ${unit}: ${seen}`);
  return { ok, seen: `${good.length} of ${units.length}${when}${ok ? '' : named.join('')}`, ...(last === undefined ? {} : { t: last }) };
}

function judgeEvent(expected: EventExpectation, events: readonly TimelineEvent[]): Finding {
  const { after, within } = expected;
  const since = after ? matching(after, events, 0)[after.nth - 1]?.t : expected.since;
  if (since === undefined)
    return { ok: false, seen: `${after?.event} never happened${after && after.nth > 1 ? ` ${after.nth} times` : ''}` };
  const found = matching(expected, events, since)[0];
  if (found) {
    const late = within !== undefined && found.t - since > within;
    const seen = after ? `${moment(found.t)}, ${durationText(found.t - since)} after ${after.event}` : moment(found.t);
    return { ok: !late, seen: late ? `too late: ${seen}` : seen, t: found.t };
  }
  const near = matching({ event: expected.event, fields: new Map() }, events, since)[0];
  if (!near) return { ok: false, seen: 'it never happened' };
  const differing = [...expected.fields.keys()].map((name) => `${name} ${fieldText(near.fields[name])}`);
  return { ok: false, seen: `${expected.event} with ${differing.join(', ')} ${moment(near.t)}`, t: near.t };
}

function judgeAbsence(expected: Extract<Expectation, { type: 'not' }>, events: readonly TimelineEvent[]): Finding {
  const { until = Number.POSITIVE_INFINITY } = expected;
  const found = matching(expected, events, expected.since).find(({ t }) => t < until);
  return found ? { ok: false, seen: `it happened ${moment(found.t)}`, t: found.t } : { ok: true, seen: 'it did not happen' };
}

/** The most in any stretch of that length, wherever it begins. */
function judgeRate(expected: Extract<Expectation, { type: 'rate' }>, events: readonly TimelineEvent[]): Finding {
  const times = matching(expected, events, 0).map(({ t }) => t);
  let most = 0;
  let at = 0;
  for (let first = 0, last = 0; last < times.length; last++) {
    while (times[last]! - times[first]! >= expected.per) first++;
    if (last - first + 1 > most) [most, at] = [last - first + 1, times[first]!];
  }
  const seen = times.length === 0 ? 'it never happened' : `at most ${most} times, ${moment(at)}; ${times.length} in all`;
  return { ok: most <= expected.most, seen, ...(times.length === 0 ? {} : { t: at }) };
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

const matching = (pattern: EventPattern, events: readonly TimelineEvent[], since: Micros): TimelineEvent[] =>
  events.filter((event) => event.t >= since && matches(pattern, event));

/** Fields are compared as they are written. */
export const matches = ({ event, fields }: EventPattern, candidate: TimelineEvent): boolean =>
  candidate.event === event && [...fields].every(([name, value]) => fieldText(candidate.fields[name]) === value);

const fieldText = (value: unknown): string => (Array.isArray(value) ? value.join(',') : String(value));

const moment = (t: Micros): string => `at ${durationText(t)}`;
