/** A run in a few lines, every word of which comes from the run. */

import { sounding, soundReport, toneShare } from '../artefacts/sound.js';
import type { TimelineEvent } from '../artefacts/timeline.js';
import { distinctTroubles, repeated } from '../artefacts/troubles.js';
import type { ScenarioResult } from './runner.js';
import type { Scenario } from './scenario.js';
import { durationText, shareText } from './units.js';

export type SummaryLine = readonly [label: string, text: string];

/** What went as it should: network, trust, provisioning, registration, call, sound, links. */
export function summarize(scenario: Scenario, result: ScenarioResult): SummaryLine[] {
  const { events } = result.timeline;
  const several = scenario.devices.size > 1;
  const byHost = new Map<string, TimelineEvent[]>();
  for (const event of events) {
    const own = byHost.get(event.device);
    if (own) own.push(event);
    else byHost.set(event.device, [event]);
  }
  const of = (name: string): readonly TimelineEvent[] => byHost.get(scenario.devices.get(name)!.mac) ?? [];
  const grouped = new Set([...scenario.groups.values()].flat());
  const singles = [...scenario.devices.keys()].filter((name) => !grouped.has(name));
  return [
    ...singles.flatMap((name) => deviceLines(of(name)).map(([label, text]): SummaryLine => [label, several ? `${name}: ${text}` : text])),
    ...Array.from(scenario.groups, ([name, units]) => groupLines(name, units.map(of))).flat(),
    ...serverLines(events),
    ...soundLines(scenario, result, several),
    ...linkLines(result),
  ];
}

type Line = (fields: Readonly<Record<string, unknown>>) => SummaryLine;

const has = (value: unknown): boolean => value !== undefined && value !== '';

const LINES: Readonly<Record<string, Line>> = {
  'boot.ready': ({ board, firmware, reason }) => ['boot', `${board} with firmware ${firmware} (${reason})`],
  'power.cut': ({ nth, configuration }) => ['power cut', `in flash operation ${nth}; what is left is the ${configuration} configuration`],
  'lease.acquired': ({ address, dns }) => ['address', `${address} leased, DNS ${list(dns)}`],
  'time.set': ({ source, trust }) => ['time', `from ${source}, trust ${trust}`],
  'time.failed': ({ source, detail }) => ['no time', `from ${source}: ${detail}`],
  'certs.expired': ({ file, subject, notAfter }) => ['expired', `${subject} (${file}) ended at ${notAfter}`],
  'certs.accepted': ({ file, subject }) => ['certificate', `${file}: ${subject}`],
  'tls.accepted': ({ service, subject, anchor, version, suite, verified, clientCertificate }) => [
    `TLS ${service}`,
    `${verified === true ? `${subject}, vouched for by ${anchor}` : `${has(subject) ? subject : 'the peer'}, not verified`}; ${version} ${suite}${has(clientCertificate) ? `; showed ${clientCertificate}` : ''}`,
  ],
  'provisioning.applied': ({ server, files }) => ['provisioned', `${list(files)} from ${server}`],
  'provisioning.confirmed': () => ['confirmed', 'the new configuration registered'],
  'provisioning.rolled-back': ({ keys, detail }) => ['rolled back', `${list(keys)}: ${detail}`],
  'device.reset': ({ erased }) => ['factory reset', `${list(erased)} erased`],
  'system.reboot': ({ why }) => ['reboot', String(why)],
  'registration.registered': ({ account, server, transport, expires }) => [
    'registered',
    `${account} at ${server} over ${transport}, ${expires} s granted`,
  ],
  'call.established': ({ peer, codec, srtp }) => ['call', `from ${peer}, ${codec}, ${srtp === 'none' ? 'in clear' : `SRTP ${srtp}`}`],
  'media.ended': ({ packets, lost, rejected }) => ['packets', `${packets} received, ${lost} lost, ${rejected} rejected`],
};

/** One of each kind of line is enough, but for what may differ from one time to the next. */
function deviceLines(events: readonly TimelineEvent[]): SummaryLine[] {
  const lines = events.flatMap(({ event, fields }) => (Object.hasOwn(LINES, event) ? [LINES[event]!(fields)] : []));
  const seen = new Set<string>();
  return lines.filter((line) => {
    const text = line.join(' ');
    if (seen.has(text)) return false;
    seen.add(text);
    return true;
  });
}

/** One line for each kind: how many of the group, when, and what, where it is the same for all. */
function groupLines(group: string, units: readonly (readonly TimelineEvent[])[]): SummaryLine[] {
  return Object.entries(LINES).flatMap(([event, line]): SummaryLine[] => {
    const firsts = units.flatMap((own) => own.find((candidate) => candidate.event === event) ?? []);
    const [first] = firsts;
    if (!first) return [];
    const times = firsts.map(({ t }) => t);
    const [[label, text], texts] = [line(first.fields), new Set(firsts.map(({ fields }) => line(fields)[1]))];
    const when = `from ${durationText(Math.min(...times))} to ${durationText(Math.max(...times))}`;
    return [[label, `${group}: ${firsts.length} of ${units.length}, ${when}${texts.size === 1 ? `: ${text}` : ''}`]];
  });
}

/** More certificates than this are counted. */
const MOST_NAMED = 4;

/** What a server wrote into its log about the certificates that it was shown. */
function serverLines(events: readonly TimelineEvent[]): SummaryLine[] {
  const shown = new Map<string, Set<string>>();
  for (const { device, event, fields } of events) {
    if (event.startsWith('server.') && has(fields['clientCN'])) {
      const names = shown.get(device) ?? new Set();
      shown.set(device, names.add(String(fields['clientCN'])));
    }
  }
  return Array.from(shown, ([server, names]): SummaryLine[] => {
    if (names.size <= MOST_NAMED) return [...names].map((name) => ['server log', `${server} saw the client certificate of CN ${name}`]);
    const sorted = [...names].sort();
    return [['server log', `${server} saw ${names.size} client certificates, of CN ${sorted[0]} to ${sorted.at(-1)}`]];
  }).flat();
}

function soundLines(scenario: Scenario, { speakers, pages }: ScenarioResult, several: boolean): SummaryLine[] {
  const heard = scenario.expect.flatMap((expected) => (expected.type === 'heard' ? [expected] : []));
  return heard.flatMap(({ device, tone }): SummaryLine[] => {
    const speaker = speakers.get(device);
    if (!speaker) return [];
    const { seconds, silent } = soundReport(speaker);
    if (seconds === 0) return [];
    const share = shareText(toneShare(sounding(speaker), tone));
    const wire = pages.find((page) => page.device === device);
    const name = several ? `${device}: ` : '';
    const without = wire
      ? [['on the wire', `${name}${shareText(toneShare(wire.onTheWire, tone))} of the energy at ${tone} Hz without the key`] as const]
      : [];
    return [['heard', `${name}${seconds.toFixed(2)} s, ${share} of the energy at ${tone} Hz, ${shareText(silent)} silent`], ...without];
  });
}

/** More links than this are told together. */
const MOST_LINKS = 20;

function linkLines({ links }: ScenarioResult): SummaryLine[] {
  const dropped = links.reduce((sum, { up, down }) => sum + up.dropped + down.dropped, 0);
  const reordered = links.reduce((sum, { up, down }) => sum + up.reordered + down.reordered, 0);
  if (dropped === 0) return [['links', `no frame dropped, ${reordered} out of order`]];
  const each = links.map(({ name, up, down }): SummaryLine => {
    const from = `${up.dropped} of ${up.sent} frames from it`;
    return [
      `link ${name}`,
      `dropped ${from} and ${down.dropped} of ${down.sent} to it, ${up.reordered} and ${down.reordered} out of order`,
    ];
  });
  return [['links', `${dropped} frames dropped, ${reordered} out of order`], ...(links.length > MOST_LINKS ? [] : each)];
}

/** More of them nobody reads in a terminal. */
const MOST_TROUBLES = 8;

/** What was refused, each thing once, when it was first: its event, then its fields, a line each. */
export function troubles(events: readonly TimelineEvent[]): (readonly [event: string, fields: readonly SummaryLine[]])[] {
  return distinctTroubles(events)
    .slice(0, MOST_TROUBLES)
    .map((trouble) => [
      `${trouble.first.event}${repeated(trouble)}`,
      Object.entries(trouble.first.fields).flatMap(([name, value]) => (has(value) ? [[name, list(value)] as const] : [])),
    ]);
}

const list = (value: unknown): string => (Array.isArray(value) ? value.join(', ') : String(value));
