/** Explains a capture: surveys it, judges each connection, and writes what came of it. */
import type { Certificate } from '../../core/certs/certificate.codec.js';
import { hex } from '../../hal/base/bytes.js';
import type { ExitStatus, Io } from '../command.js';
import type { CaptureFile } from './capture-file.codec.js';
import { type Knowledge, readChain } from './case.js';
import { type ConnectionReport, reportOf } from './connection-report.js';
import { findingsOf } from './findings.policy.js';
import { connectionText, headText, type Style, tailText } from './report-text.js';
import { type Survey, survey } from './survey.js';

export interface Explanation {
  /** Of the file, as people know it. */
  name: string;
  capture: CaptureFile;
  /** A key log. */
  secrets: string;
  knowledge: Knowledge;
  style: Style;
  io: Io;
}

/** 1 where a connection has a fault. */
export function explainCapture({ name, capture, secrets, knowledge, style, io }: Explanation): ExitStatus {
  const found = survey(capture, secrets);
  const surroundings = { authorities: authoritiesSeen(found), end: found.to };
  const reports = found.conversations.map((conversation, i) =>
    reportOf(conversation, i + 1, findingsOf(conversation, knowledge, surroundings)),
  );
  const faults = reports.filter(({ findings }) => findings.some(({ severity }) => severity === 'fault'));
  if (io.json) {
    for (const report of reports) io.record(report);
    io.record(summary(name, found, reports, faults));
  } else {
    for (const line of headText(name, found)) io.say(line);
    for (const { first, alike } of groups(reports)) for (const line of connectionText(first, alike, style)) io.say(line);
    for (const line of tailText(found, reports, style)) io.say(line);
  }
  return faults.length > 0 ? 1 : 0;
}

/** Ours: a site has two or three hierarchies of three. */
const MOST_AUTHORITIES = 64;

/** Every authority's certificate that either end of any connection sent, once. */
function authoritiesSeen({ conversations }: Survey): Certificate[] {
  const byOctets = new Map<string, Certificate>();
  for (const { tls } of conversations) {
    for (const { certificates } of tls ? Object.values(tls.view.sides) : []) {
      if (!certificates || byOctets.size >= MOST_AUTHORITIES) continue;
      for (const certificate of readChain(certificates))
        if (certificate.extensions.basicConstraints?.authority) byOctets.set(hex(certificate.der), certificate);
    }
  }
  return [...byOctets.values()];
}

function summary(name: string, found: Survey, reports: readonly ConnectionReport[], faults: readonly ConnectionReport[]): object {
  const { format, packets, secrets, overlooked, damage } = found;
  const [first] = faults;
  return {
    capture: name,
    format,
    packets,
    secrets,
    connections: reports.length,
    tls: reports.filter(({ tls }) => tls).length,
    faults: faults.length,
    others: Object.fromEntries(found.others),
    overlooked,
    ...(damage === undefined ? {} : { damage }),
    ...(first ? { mendFirst: { connection: first.connection, ...first.findings[0] } } : {}),
  };
}

/** A device that tries again and again shows the same again and again: the first is shown, the others are counted. */
function groups(reports: readonly ConnectionReport[]): { first: ConnectionReport; alike: number[] }[] {
  const byLook = new Map<string, { first: ConnectionReport; alike: number[] }>();
  for (const report of reports) {
    const { server, tls, speaks, findings } = report;
    const look = JSON.stringify([
      report.client.replace(/:\d+$/, ''),
      server,
      speaks,
      tls?.version,
      tls?.serverName,
      tls?.finished,
      findings,
    ]);
    const known = byLook.get(look);
    if (known) known.alike.push(report.connection);
    else byLook.set(look, { first: report, alike: [] });
  }
  return [...byLook.values()];
}
