/** A connection, and the whole capture, for people: a block each. */
import { iso8601, MILLISECOND } from '../../hal/base/time.js';
import type { AlertReport, CertificateReport, ConnectionReport, EndingReport, TlsReport } from './connection-report.js';
import type { Finding } from './finding.js';
import { SIP_OVER_UDP, type Survey } from './survey.js';
import { otherRole } from './tls-view.js';

export interface Style {
  /** Columns. */
  width: number;
  colour: boolean;
}

const INDENT = '  ';
/** Of the labels of a block. */
const LABEL = 10;
const SUITES_SHOWN = 4;

const ESC = '\u001b[';
const paint = (style: Style, code: number, text: string): string => (style.colour ? `${ESC}${code}m${text}${ESC}0m` : text);
const bold = (style: Style, text: string): string => paint(style, 1, text);
const SEVERITY = { fault: { mark: '✗', colour: 31 }, note: { mark: '·', colour: 33 } } as const;

/** `alike`: numbers of further connections that came to the same. */
export function connectionText(report: ConnectionReport, alike: readonly number[], style: Style): string[] {
  const { tls } = report;
  const name = tls?.serverName === undefined ? '' : ` (${tls.serverName})`;
  const title = `#${report.connection}  ${spoken(report)}  ${report.client} → ${report.server}${name}`;
  const rows: (readonly [label: string, text: string])[] = [
    ...(tls ? tlsRows(tls) : []),
    ...Object.entries(report.said).map(([role, line]) => [tls?.finished ? `${role} in` : role, `"${line}"`] as const),
    ['ended', endedText(report)],
    ...tcpRow(report),
  ];
  return [
    `${bold(style, title)}  ${report.at.slice(11, 23)}`,
    ...rows.flatMap(([label, text]) => wrapped(`${INDENT}${label.padEnd(LABEL)}`, text, style)),
    ...report.findings.flatMap((finding) => findingLines(finding, style)),
    ...(alike.length > 0
      ? wrapped(INDENT, `the same ${alike.length === 1 ? 'once' : `${alike.length} times`} more: ${numbered(alike)}`, style)
      : []),
    '',
  ];
}

function spoken({ tls, speaks }: ConnectionReport): string {
  if (tls) return tls.version ? `TLS ${tls.version}` : 'TLS';
  const speech = speaks.client === 'nothing' ? speaks.server : speaks.client;
  return { http: 'HTTP in clear', sip: 'SIP in clear', other: 'no TLS', nothing: 'no data', tls: 'TLS' }[speech];
}

function tlsRows(tls: TlsReport): [string, string][] {
  const { offered, retry, asked, serverCertificates, clientCertificates } = tls;
  const chosen = tls.version === undefined ? 'nothing' : `TLS ${tls.version}, ${tls.suite}${tls.resumed ? ', an earlier session' : ''}`;
  return [
    ...(offered ? [row('offers', `TLS ${offered.versions.join(', ')}; ${some(offered.suites)}`)] : []),
    ...(retry === undefined ? [] : [row('again', `HelloRetryRequest${retry === '' ? '' : ` for ${retry}`}`)]),
    row('chosen', chosen),
    ...certificateRows('server', serverCertificates),
    ...(asked
      ? [row('asked', `for a client certificate${asked.authorities.length > 0 ? ` of ${asked.authorities.join('; ')}` : ', of any CA'}`)]
      : []),
    ...(clientCertificates ? certificateRows('client', clientCertificates) : inferredRow(tls)),
    ...tls.alerts.map((alert) => row('alert', alertText(alert))),
  ];
}

const row = (label: string, text: string): [string, string] => [label, text];

const some = (suites: readonly string[]): string =>
  suites.length > SUITES_SHOWN + 1
    ? `${suites.slice(0, SUITES_SHOWN).join(', ')} and ${suites.length - SUITES_SHOWN} more suites`
    : suites.join(', ');

function certificateRows(label: string, chain: readonly CertificateReport[] | undefined): [string, string][] {
  if (!chain) return [];
  if (chain.length === 0) return [row(label, 'no certificate')];
  return chain.map((certificate, i) => row(i === 0 ? label : '', certificateText(certificate, i === 0)));
}

function certificateText({ subject, issuer, from, until, key, signature, names, selfSigned }: CertificateReport, isLeaf: boolean): string {
  const whose = isLeaf && names.length > 0 ? `, for ${names.join(', ')}` : '';
  return `${subject}${whose}; ${from.slice(0, 10)} to ${until.slice(0, 10)}; ${key}, ${signature}; ${selfSigned ? 'signed by itself' : `by ${issuer}`}`;
}

function inferredRow({ clientCertificate: { state, inferred } }: TlsReport): [string, string][] {
  if (!inferred || state === 'unknown' || state === 'not-asked') return [];
  return [row('client', state === 'none' ? 'no certificate (by the length of its record)' : 'a certificate (by the length of its record)')];
}

function alertText({ by, name, meaning }: AlertReport): string {
  const way = `${by} → ${otherRole(by)}`;
  return name === undefined ? `${way}: ${meaning}` : `${way}: ${name}, ${meaning}`;
}

function endedText({ ended, seconds }: ConnectionReport): string {
  if (ended.length === 0) return `not within the capture (${seconds.toFixed(3)} s)`;
  return ended.map(endingText).join(', ');
}

const endingText = ({ by, how, after }: EndingReport): string => `${by} ${how === 'fin' ? 'closed' : 'reset'} after ${after.toFixed(3)} s`;

function tcpRow({ tcp }: ConnectionReport): [string, string][] {
  const told = (['client', 'server'] as const).flatMap((role) => {
    const { repeated, late, missing } = tcp[role];
    const parts = [
      ...(repeated > 0 ? [`${repeated} segments twice`] : []),
      ...(late > 0 ? [`${late} out of order`] : []),
      ...(missing > 0 ? [`${missing} octets missing`] : []),
    ];
    return parts.length > 0 ? [`${role}: ${parts.join(', ')}`] : [];
  });
  return told.length > 0 ? [row('tcp', told.join('; '))] : [];
}

function findingLines({ severity, detail, mend }: Finding, style: Style): string[] {
  const { mark, colour } = SEVERITY[severity];
  const [first = '', ...others] = wrapped(`${INDENT}${mark} `, detail, style);
  return [first.replace(mark, paint(style, colour, mark)), ...others, ...wrapped(`${INDENT}  mend: `, mend, style)];
}

/** Words on lines of the width, the first behind `head`, the others below its end. */
function wrapped(head: string, text: string, { width }: Style): string[] {
  const lines: string[] = [];
  let line = head;
  for (const word of text.split(' ')) {
    const isFirst = line.length <= head.length;
    if (!isFirst && line.length + 1 + word.length > width) {
      lines.push(line);
      line = ' '.repeat(head.length) + word;
    } else line += isFirst ? word : ` ${word}`;
  }
  return [...lines, line];
}

const NUMBERS_SHOWN = 8;
const numbered = (numbers: readonly number[]): string => {
  const shown = numbers.slice(0, NUMBERS_SHOWN).map((number) => `#${number}`);
  return `${shown.join(' ')}${numbers.length > NUMBERS_SHOWN ? ` and ${numbers.length - NUMBERS_SHOWN} more` : ''}`;
};

export function headText(file: string, { format, packets, from, to, secrets, damage }: Survey): string[] {
  const when = (at: number): string => iso8601(Math.floor(at / MILLISECOND));
  const span = packets === 0 ? '' : `, ${when(from)} to ${when(to)}`;
  const keys = secrets > 0 ? `, secrets of ${count(secrets, 'connection')}` : ', no secrets';
  return [`${file}: ${format}, ${packets} packets${span}${keys}`, ...(damage === undefined ? [] : [`! ${damage}`]), ''];
}

/** The end: what there was, and what to mend first. */
export function tailText(survey: Survey, reports: readonly ConnectionReport[], style: Style): string[] {
  const tls = reports.filter((report) => report.tls).length;
  const faulty = reports.filter(hasFault);
  const others = [...survey.others].map(([what, packets]) => `${what} ${packets}`).join(', ');
  const lines = [`${count(reports.length, 'TCP connection')}, ${tls} with TLS; ${count(faulty.length, 'connection')} with a fault`];
  if (others !== '') lines.push(`other packets: ${others}`);
  if (survey.overlooked > 0) lines.push(`${survey.overlooked} packets of further connections were not looked at`);
  if (tls === 0) lines.push(...noTls(survey, reports, style));
  const [first] = faulty;
  if (!first) return lines;
  const { detail, mend } = first.findings[0]!;
  return [
    ...lines,
    '',
    ...wrapped('mend first: ', mend, style).map((line, i) => (i === 0 ? line.replace('mend first', bold(style, 'mend first')) : line)),
    ...wrapped('because ', `${detail} (#${first.connection})`, style),
  ];
}

const hasFault = ({ findings }: ConnectionReport): boolean => findings.some(({ severity }) => severity === 'fault');
const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;

function noTls({ others }: Survey, reports: readonly ConnectionReport[], style: Style): string[] {
  const sip = others.has(SIP_OVER_UDP) || reports.some(({ speaks }) => speaks.client === 'sip');
  const how = 'capture while the device connects, on the port of the switch that it is at, all ports and no filter';
  return wrapped('no TLS here: ', sip ? `SIP crosses in clear: set "SIP Transportation" to TLS; and ${how}` : how, style);
}
