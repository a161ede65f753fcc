/** One connection as plain data, in the order in which it is written with `--json`; the text for people is drawn from it too. */
import { addressText } from '../../core/certs/address.js';
import { type Certificate, isSelfIssued, readCertificate } from '../../core/certs/certificate.codec.js';
import { iso8601, MILLISECOND, SECOND } from '../../hal/base/time.js';
import type { UnixMicros } from '../../hal/layers/pcapng.codec.js';
import { suiteName } from '../../hal/layers/tls-suites.js';
import { groupName, versionName } from '../../hal/layers/tls-wire.codec.js';
import { alertMeaning } from './alert-meanings.js';
import type { Conversation, End, Ending, Speech } from './conversation.js';
import type { Finding } from './finding.js';
import { firstLine } from './reach.policy.js';
import { alertsOf, clientCertificate, isFinished, isHidden } from './tls-facts.js';
import type { Role, SentCertificates, TlsView } from './tls-view.js';

export interface ConnectionReport {
  /** From 1, in the order of the capture. */
  connection: number;
  /** ISO 8601. */
  at: string;
  seconds: number;
  client: string;
  server: string;
  speaks: Record<Role, Speech | 'nothing'>;
  tls?: TlsReport;
  /** First lines of what crosses in clear, or inside TLS where it can be read. */
  said: Partial<Record<Role, string>>;
  ended: readonly EndingReport[];
  /** Segments sent again and out of order, octets that are not in the capture. */
  tcp: Record<Role, { octets: number; repeated: number; late: number; missing: number }>;
  findings: readonly Finding[];
}

export interface TlsReport {
  version?: string;
  suite?: string;
  serverName?: string;
  offered?: { versions: readonly string[]; suites: readonly string[]; groups: readonly string[] };
  /** The group that a HelloRetryRequest asks for; blank where it asks for none. */
  retry?: string;
  finished: boolean;
  resumed: boolean;
  secrets: boolean;
  /** TLS 1.3 that was not opened. */
  encrypted: boolean;
  serverCertificates?: readonly CertificateReport[];
  /** Authorities that the server asks for a client certificate of; none named: of any. */
  asked?: { authorities: readonly string[] };
  clientCertificate: { state: ReturnType<typeof clientCertificate>['state']; inferred: boolean };
  clientCertificates?: readonly CertificateReport[];
  alerts: readonly AlertReport[];
}

export interface AlertReport {
  by: Role;
  /** Absent where it is encrypted: that it is one follows from its type or its length. */
  name?: string;
  fatal: boolean;
  meaning: string;
  /** Seconds after the connection began. */
  after: number;
}

export interface CertificateReport {
  subject: string;
  issuer: string;
  from: string;
  until: string;
  key: string;
  signature: string;
  names: readonly string[];
  selfSigned: boolean;
}

export interface EndingReport {
  by: Role;
  how: Ending['how'];
  after: number;
}

export function reportOf(conversation: Conversation, number: number, findings: readonly Finding[]): ConnectionReport {
  const { began, last, tls } = conversation;
  const after = (at: UnixMicros): number => seconds(at - began);
  const half = (role: Role) => {
    const { octets, repeated, late, missing } = conversation.stream(role);
    return { octets, repeated, late, missing };
  };
  return {
    connection: number,
    at: iso8601(Math.floor(began / MILLISECOND)),
    seconds: seconds(last - began),
    client: endText(conversation.client),
    server: endText(conversation.server),
    speaks: { client: speechOf('client', conversation), server: speechOf('server', conversation) },
    ...(tls ? { tls: tlsReport(tls.view, after) } : {}),
    said: { ...saidBy('client', conversation), ...saidBy('server', conversation) },
    ended: conversation.endings.map(({ by, how, at }) => ({ by, how, after: after(at) })),
    tcp: { client: half('client'), server: half('server') },
    findings,
  };
}

/** What began before the capture, or lost its beginning, may be anything. */
const speechOf = (role: Role, conversation: Conversation): Speech | 'nothing' =>
  conversation.speech(role) ?? (conversation.stream(role).octets > 0 ? 'other' : 'nothing');

const seconds = (micros: number): number => Math.max(0, micros) / SECOND;
const endText = ({ address, port }: End): string => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`);

/** What follows the question mark of an address may be a secret. */
function saidBy(role: Role, conversation: Conversation): Partial<Record<Role, string>> {
  const text = conversation.tls?.view.sides[role].clear || conversation.opening(role);
  const line = firstLine(text).replace(/\?\S*/, '?…');
  return line === '' || !/^[A-Z]+(\/| )/.test(line) ? {} : { [role]: line };
}

function tlsReport(view: TlsView, after: (at: UnixMicros) => number): TlsReport {
  const { chosen, retry, request, sides } = view;
  const [hello] = view.hellos;
  return {
    ...(chosen ? { version: versionName(chosen.version), suite: suiteName(chosen.suite) } : {}),
    ...(hello?.serverName === undefined ? {} : { serverName: hello.serverName }),
    ...(hello
      ? {
          offered: {
            versions: [...hello.versions]
              .sort((a, b) => a - b)
              .map((version) => `${hello.versionsListed ? '' : 'up to '}${versionName(version)}`),
            suites: hello.suites.map(suiteName),
            groups: hello.groups.map(groupName),
          },
        }
      : {}),
    ...(retry ? { retry: retry.group === undefined ? '' : groupName(retry.group) } : {}),
    finished: isFinished(view, 'client') && isFinished(view, 'server'),
    resumed: view.resumed,
    secrets: view.hasSecrets,
    encrypted: isHidden(view),
    ...certificates('serverCertificates', sides.server.certificates),
    ...(request ? { asked: { authorities: request.authorities.map(({ text }) => text) } } : {}),
    clientCertificate: clientCertificate(view),
    ...certificates('clientCertificates', sides.client.certificates),
    alerts: alertsOf(view).map(({ by, name, fatal, at }) => ({
      by,
      ...(name === undefined ? {} : { name }),
      fatal,
      meaning: name === undefined ? hiddenMeaning(view) : alertMeaning(name),
      after: after(at),
    })),
  };
}

/** What an alert says that cannot be read, told by its place. */
const hiddenMeaning = (view: TlsView): string =>
  isHidden(view)
    ? 'encrypted; an alert by the length of its record, and at this place a refusal'
    : 'encrypted; after the handshake, close_notify most likely';

function certificates<K extends string>(key: K, sent: SentCertificates | undefined): Partial<Record<K, CertificateReport[]>> {
  return (sent ? { [key]: sent.chain.map(certificateReport) } : {}) as Partial<Record<K, CertificateReport[]>>;
}

function certificateReport(der: Uint8Array): CertificateReport {
  const read = readCertificate(der);
  if (read.ok) return describe(read.value);
  const unread = `cannot be read: ${read.error.detail}`;
  return { subject: unread, issuer: '?', from: '?', until: '?', key: '?', signature: '?', names: [], selfSigned: false };
}

function describe(certificate: Certificate): CertificateReport {
  const { subject, issuer, notBefore, notAfter, extensions } = certificate;
  return {
    subject: subject.text,
    issuer: issuer.text,
    from: iso8601(notBefore),
    until: iso8601(notAfter),
    key: keyText(certificate),
    signature: signatureText(certificate),
    names: (extensions.subjectAltName?.names ?? []).flatMap((name) => {
      if (name.type === 'ip') return addressText(name.octets) ?? [];
      return name.type === 'dns' || name.type === 'uri' || name.type === 'email' ? name.value : [];
    }),
    selfSigned: isSelfIssued(certificate),
  };
}

function keyText({ key }: Certificate): string {
  switch (key.type) {
    case 'rsa':
      return `RSA ${key.bits}`;
    case 'ec':
      return `EC ${key.curve ?? 'on an unusual curve'}`;
    case 'ed25519':
      return 'Ed25519';
    case 'other':
      return `key of kind ${key.algorithm}`;
  }
}

function signatureText({ signature }: Certificate): string {
  const { algorithm } = signature;
  if (!algorithm) return signature.id;
  if (algorithm.type === 'ed25519') return 'Ed25519';
  const hash = algorithm.hash.toUpperCase().replace('SHA', 'SHA-');
  return { 'rsa-pkcs1': `RSA with ${hash}`, 'rsa-pss': `RSA-PSS with ${hash}`, ecdsa: `ECDSA with ${hash}` }[algorithm.type];
}
