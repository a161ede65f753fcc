/** The report of a run: one self-contained page. Keys and passwords are masked in it; it can be mailed. */
import { base64 } from '../../hal/base/bytes.js';
import { iso8601, MILLISECOND } from '../../hal/base/time.js';
import type { UnixMillis } from '../../hal/hal.js';
import type { Verdict } from '../scenario/judge.js';
import { type Html, html, trusted } from './html.js';
import type { Ladder } from './ladder.js';
import { LADDER, ladderSvg, ladderWidth, laneX } from './ladder-svg.js';
import { type RatePlot, ratePlotSvg } from './rate-plot.js';
import { REPORT_SCRIPT } from './report-script.js';
import { REPORT_STYLE } from './report-style.js';
import { type Sound, sounding, soundReport } from './sound.js';
import type { TimelineEvent } from './timeline.js';
import { distinctTroubles, repeated } from './troubles.js';
import { encodeWav } from './wav.codec.js';
import { momentSvg, waveSvg } from './wave-svg.js';

export interface Report {
  name: string;
  about: string;
  seed: number;
  start: UnixMillis;
  verdicts: readonly Verdict[];
  /** Names of the devices by their MAC. */
  devices: ReadonlyMap<string, string>;
  events: readonly TimelineEvent[];
  ladder: Ladder;
  pages: readonly ReportPage[];
  links: readonly ReportLink[];
  settings: readonly ReportSetting[];
  plots: readonly RatePlot[];
  /** How many devices have their network in ladder and capture, where there are more. */
  watched: number;
  capture: { file: string; packets: number; withKeys: boolean };
}

/** What one device played, and what its packets hold for someone without the key. */
export interface ReportPage {
  device: string;
  heard: Sound;
  onTheWire: Sound;
  encrypted: boolean;
}

/** Frames on one link; `up` is from the host to the switch. */
export interface ReportLink {
  name: string;
  up: ReportLinkStats;
  down: ReportLinkStats;
}
export interface ReportLinkStats {
  sent: number;
  delivered: number;
  dropped: number;
  duplicated: number;
  reordered: number;
}

/** `value` is masked where the setting is a password. */
export interface ReportSetting {
  device: string;
  key: string;
  value: string;
  origin: string;
}

export function renderReport(report: Report): string {
  const passed = report.verdicts.every(({ ok }) => ok);
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${passed ? 'Passed' : 'Failed'}: ${report.name} · Belfry</title><style>${trusted(REPORT_STYLE)}</style></head>
<body>
${headSection(report, passed)}
<main>
${verdictSection(report.verdicts)}
${report.plots.map((plot) => html`<section class="wide"><h2>How often</h2>${ratePlotSvg(plot)}</section>`)}
${troubleSection(report)}
${pagesSection(report.pages)}
${trustSection(report)}
${ladderSection(report)}
<div class="pair">${settingsSection(report.settings)}${linksSection(report.links)}</div>
${captureSection(report.capture)}
</main>
<script>${trusted(REPORT_SCRIPT)}</script>
</body></html>
`;
  return page.markup;
}

function headSection({ name, about, seed, start, verdicts, devices, events }: Report, passed: boolean): Html {
  const met = verdicts.filter(({ ok }) => ok).length;
  const boots = events.filter(({ event }) => event === 'boot.ready');
  const boards = new Map<string, string[]>();
  const booted = new Map(boots.map((boot) => [boot.device, boot.fields]));
  for (const [mac, device] of devices) {
    const fields = booted.get(mac);
    const board = fields ? `${fields['board']}, firmware ${fields['firmware']}` : 'never booted';
    boards.set(board, [...(boards.get(board) ?? []), device]);
  }
  const lines = Array.from(boards, ([board, names]) => `${nameList(names)}: ${board}`);
  return html`<header class="${passed ? 'passed' : 'failed'}"><div class="inner">
<p class="brand">Belfry</p>
<h1>${name}</h1><p class="about">${about}</p>
<p class="badge">${passed ? '✓ Passed' : '✗ Failed'}<span>${met} of ${verdicts.length} expectations met</span></p>
<dl><div><dt>device</dt><dd>${lines.join('; ')}</dd></div><div><dt>seed</dt><dd>${seed}</dd></div><div><dt>the run began</dt><dd>${iso8601(start)}</dd></div></dl>
</div></header>`;
}

function verdictSection(verdicts: readonly Verdict[]): Html {
  const items = verdicts.map(
    ({ ok, expected, seen }) => html`<li class="${ok ? 'good' : 'bad'}"><strong>${expected}</strong><span>${seen}</span></li>`,
  );
  return html`<section><h2>What was expected, and what was seen</h2><ul class="verdicts">${items}</ul></section>`;
}

/** More of them nobody reads. */
const MOST_TROUBLES = 20;
const MOST_DECISIONS = 40;

/** Refusals in full: with the rule, the clock and the mend. */
function troubleSection({ events, devices, start }: Report): Html | undefined {
  const troubles = distinctTroubles(events).slice(0, MOST_TROUBLES);
  if (troubles.length === 0) return undefined;
  const items = troubles.map((trouble) => {
    const { t, device, event, fields } = trouble.first;
    return html`<article class="trouble"><h3>${event} <small>${devices.get(device) ?? device} · ${clock(start, t)}${repeated(trouble)}</small></h3>${fieldList(fields)}</article>`;
  });
  return html`<section><h2>What was refused</h2>${items}</section>`;
}

function pagesSection(pages: readonly ReportPage[]): Html | undefined {
  if (pages.length === 0) return undefined;
  return html`<section><h2>Hear the difference</h2>${pages.map(pageSection)}</section>`;
}

function pageSection({ device, heard, onTheWire, encrypted }: ReportPage): Html {
  const { seconds } = soundReport(heard);
  const wire = encrypted
    ? 'The same packets, from the capture, read without the key: noise.'
    : 'The same packets, from the capture, read by anyone on the network: nothing was encrypted.';
  return html`<div class="sounds">
${player(`As ${device} played it`, `${seconds.toFixed(2)} s of sound from the loudspeaker.`, sounding(heard), 'heard')}
${player('As the network carried it', wire, onTheWire, encrypted ? 'noise' : 'open')}
</div>`;
}

const player = (title: string, about: string, sound: Sound, kind: string): Html =>
  html`<figure class="sound ${kind}"><figcaption><h3>${title}</h3><p>${about}</p></figcaption>${waveSvg(sound, title)}${momentSvg(sound, `${title}, twelve thousandths of a second of it`)}<audio controls preload="metadata" src="data:audio/wav;base64,${base64(encodeWav(sound.samples, sound.rate))}"></audio></figure>`;

/** Which certificate, which anchor, which rule, which clock. */
function trustSection({ events, devices, start }: Report): Html | undefined {
  const all = events.filter(({ event }) => event === 'tls.accepted' || event === 'tls.refused');
  if (all.length === 0) return undefined;
  const decisions = all.slice(0, MOST_DECISIONS);
  const more = all.length > decisions.length ? html`<p>The first ${decisions.length} of ${all.length} decisions.</p>` : undefined;
  const rows = decisions.map(({ t, device, event, fields }) => {
    const text = (name: string): string => String(fields[name] ?? '');
    const ok = event === 'tls.accepted';
    const verdict = ok ? (fields['verified'] === false ? 'accepted unverified' : 'accepted') : `refused by ${text('by')}: ${text('rule')}`;
    return html`<tr class="${ok ? 'good' : 'bad'}"><td>${clock(start, t)}</td><td>${devices.get(device) ?? device}</td><td>${text('service')}<br><small>${text('peer')}</small></td><td><b>${verdict}</b><br><small>${ok ? `TLS ${text('version')} ${text('suite')}` : `clock ${text('clock')}`}</small></td><td>${text('subject')}</td><td>${text('anchor')}</td><td>${text('clientCertificate')}</td></tr>`;
  });
  return html`<section><h2>Who was trusted, and why</h2>${more}<div class="scroll"><table><thead><tr><th>clock</th><th>device</th><th>connection</th><th>verdict</th><th>certificate shown to it</th><th>vouched for by</th><th>certificate that it showed</th></tr></thead><tbody>${rows}</tbody></table></div></section>`;
}

function ladderSection({ ladder, watched, devices }: Report): Html {
  const { hosts, rows } = ladder;
  const few = watched < devices.size ? html`<p>${watched} of the ${devices.size} devices are drawn, and captured.</p>` : undefined;
  const protocols = [...new Set(rows.map(({ protocol }) => protocol))];
  const chips = protocols.map(
    (protocol) =>
      html`<button type="button" class="chip ${protocol.toLowerCase()}" data-protocol="${protocol}" aria-pressed="true">${protocol}</button>`,
  );
  const heads = hosts.map((host) => html`<span style="left:${laneX(hosts, host)}px">${host}</span>`);
  const details = rows.map(({ detail, label }) => html`<template>${detail === '' ? label : detail}</template>`);
  return html`<section class="wide"><h2>Who said what</h2>${few}<p class="chips">${chips}</p>
<div class="ladder"><div class="rungs" style="--row:${LADDER.row}px"><div class="heads" style="width:${ladderWidth(ladder)}px">${heads}</div>${ladderSvg(ladder)}</div>
<aside><h3>Click a row to read it</h3><pre id="detail">Arrow keys go from row to row. Keys and passwords are masked.</pre></aside></div>
<div id="details" hidden>${details}</div></section>`;
}

function settingsSection(settings: readonly ReportSetting[]): Html | undefined {
  if (settings.length === 0) return undefined;
  const rows = settings.map(
    ({ device, key, value, origin }) =>
      html`<tr><td>${device}</td><td><code>${key}</code></td><td><code>${value}</code></td><td>${origin}</td></tr>`,
  );
  return html`<section><h2>Settings that are not defaults</h2><div class="scroll"><table><thead><tr><th>device</th><th>key</th><th>value</th><th>from</th></tr></thead><tbody>${rows}</tbody></table></div></section>`;
}

function linksSection(links: readonly ReportLink[]): Html {
  const cells = ({ sent, delivered, dropped, duplicated, reordered }: ReportLinkStats): Html =>
    html`<td>${sent}</td><td>${delivered}</td><td class="${dropped > 0 ? 'bad' : ''}">${dropped}</td><td>${duplicated}</td><td>${reordered}</td>`;
  const rows = links.flatMap(({ name, up, down }) => [
    html`<tr><td>${name} → switch</td>${cells(up)}</tr>`,
    html`<tr><td>switch → ${name}</td>${cells(down)}</tr>`,
  ]);
  return html`<section><h2>Frames on each link</h2><div class="scroll"><table class="numbers"><thead><tr><th>link</th><th>sent</th><th>delivered</th><th>dropped</th><th>twice</th><th>out of order</th></tr></thead><tbody>${rows}</tbody></table></div></section>`;
}

function captureSection({ file, packets, withKeys }: Report['capture']): Html {
  const keys = withKeys
    ? html`The keys of its TLS connections are inside, so that Wireshark shows SIP and HTTP in clear. Share it as you would share a password; this report holds none of them.`
    : html`The keys of its TLS connections were left out.`;
  return html`<section><h2>The packets themselves</h2><p><code>${file}</code> beside this page holds the ${packets} frames that the device's port saw. ${keys}</p>
<pre class="shell">wireshark ${file}
tshark -r ${file} -Y sip
tshark -r ${file} -Y http</pre></section>`;
}

/** `lobby`, `unit-001 to unit-200 (200 devices)` */
const nameList = (names: readonly string[]): string =>
  names.length > 3 ? `${names[0]} to ${names.at(-1)} (${names.length} devices)` : names.join(', ');

const fieldList = (fields: TimelineEvent['fields']): Html =>
  html`<dl>${Object.entries(fields).map(([name, value]) => html`<div><dt>${name}</dt><dd>${Array.isArray(value) ? value.join(', ') : String(value)}</dd></div>`)}</dl>`;

/** The true time of day of an instant of the run. */
const clock = (start: UnixMillis, t: number): string => iso8601(start + Math.floor(t / MILLISECOND)).slice(11, 23);
