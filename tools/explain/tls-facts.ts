/**
 * What follows from a TLS connection as it was seen: whether the handshake was finished, what the client showed, who broke off. Where a
 * record cannot be opened its length is taken instead, and the answer says that it is inferred.
 */
import { VERSION } from '../../hal/layers/tls-wire.codec.js';
import type { Conversation, Ending } from './conversation.js';
import { suiteShape } from './suite-shape.js';
import type { Role, SealedSight, SentAlert, TlsView } from './tls-view.js';

const HANDSHAKE_HEADER = 4;
/** Level and description. */
const ALERT = 2;
/** A Certificate message with an empty list: context and list have no octets but their lengths. */
const NO_CERTIFICATE = HANDSHAKE_HEADER + 1 + 3;

/** A protected record of TLS 1.3 is longer than its content by a type and a tag. */
const sealOf = (view: TlsView): number => 1 + (suiteShape(view.chosen?.suite ?? 0)?.size ?? 16);
/** An alert, by its length: nothing else of a handshake is so short (RFC 8446 6). */
const isAlert = (view: TlsView, { length }: SealedSight): boolean => length === ALERT + sealOf(view);

/** Whether the version is known to be 1.3, whose certificates and alerts are protected. */
const isTls13 = (view: TlsView): boolean => (view.chosen?.version ?? 0) >= VERSION['1.3'];

/** TLS 1.3 without the secrets that would open it. */
export const isHidden = (view: TlsView): boolean =>
  isTls13(view) && (view.sides.server.sealed.length > 0 || view.sides.client.sealed.length > 0);

export interface ClientCertificate {
  state: 'not-asked' | 'none' | 'sent' | 'unknown';
  inferred: boolean;
}

export function clientCertificate(view: TlsView): ClientCertificate {
  const { certificates, sealed } = view.sides.client;
  if (certificates) return { state: certificates.chain.length > 0 ? 'sent' : 'none', inferred: false };
  const [first] = sealed;
  if (isTls13(view) && first) return inferredCertificate(view, first);
  if (view.request) return { state: 'unknown', inferred: false };
  return { state: isFinished(view, 'server') ? 'not-asked' : 'unknown', inferred: false };
}

/** The client's flight is a Finished, or a Certificate, which may be empty, and more; libraries send each message alone or all in one record. */
function inferredCertificate(view: TlsView, first: SealedSight): ClientCertificate {
  const finished = finishedRecord(view);
  if (view.sides.client.lost || isAlert(view, first)) return { state: 'unknown', inferred: true };
  if (first.length === finished) return { state: 'not-asked', inferred: true };
  const none = first.length === NO_CERTIFICATE + sealOf(view) || first.length === NO_CERTIFICATE + finished;
  return { state: none ? 'none' : 'sent', inferred: true };
}

/** Length of a record that holds a Finished of TLS 1.3 and nothing else. */
const finishedRecord = (view: TlsView): number =>
  HANDSHAKE_HEADER + (suiteShape(view.chosen?.suite ?? 0)?.hash === 'sha384' ? 48 : 32) + sealOf(view);

/** This end's part of the handshake is over, as far as can be seen. */
export function isFinished(view: TlsView, role: Role): boolean {
  const { finished, sealed } = view.sides[role];
  if (finished || role === 'server') return finished || (isTls13(view) && sealed.length > 0);
  return isTls13(view) && sealed.some((sight) => !isAlert(view, sight));
}

/** Alerts that were read, and those that lengths betray: the client's first word, or the server's first after the client's flight. */
export function alertsOf(view: TlsView): readonly SentAlert[] {
  if (!isTls13(view)) return view.alerts;
  const { client, server } = view.sides;
  const answer = server.sealed.find(({ reply }) => reply);
  // A server that is taken leave of takes its own.
  const isFarewell = answer !== undefined && client.sealed.slice(1).some((sight) => isAlert(view, sight) && sight.at <= answer.at);
  const betrayed = (by: Role, first: SealedSight | undefined): SentAlert[] =>
    first && isAlert(view, first) ? [{ by, at: first.at, fatal: true }] : [];
  const inferred = [...betrayed('client', client.sealed[0]), ...betrayed('server', isFarewell ? undefined : answer)];
  return [...view.alerts, ...inferred].sort((a, b) => a.at - b.at);
}

/** The alert that ended the connection: fatal, or of a meaning that ends it; `close_notify` is how a connection ends well. */
export const fatalAlert = (view: TlsView, by: Role): SentAlert | undefined =>
  alertsOf(view).find((alert) => alert.by === by && alert.fatal && alert.name !== 'close_notify');

/** Of either end's, the first. */
export const firstFatal = (view: TlsView): SentAlert | undefined =>
  [fatalAlert(view, 'client'), fatalAlert(view, 'server')].flatMap((alert) => alert ?? []).sort((a, b) => a.at - b.at)[0];

/** Records of application data that an end sent; in TLS 1.3 without secrets, those that are neither handshake nor alert by place and length. */
function said(view: TlsView, role: Role): number {
  const { records, sealed } = view.sides[role];
  if (role === 'server') return records + sealed.filter((sight) => sight.reply && !isAlert(view, sight)).length;
  // Where the Finished shares its record, that is the whole flight.
  const finished = sealed.findIndex(({ length }) => length === finishedRecord(view));
  return records + sealed.slice(Math.max(0, finished) + 1).filter((sight) => !isAlert(view, sight)).length;
}

/** Who ended the connection before the client had said anything over it. */
export const brokeOff = ({ endings }: Conversation, view: TlsView): Ending | undefined =>
  said(view, 'client') > 0 ? undefined : endings[0];

/** What the server answered in the protocol inside, where that can be read. */
function answerInside(view: TlsView): { status: number; line: string } | undefined {
  const [line = ''] = view.sides.server.clear.split('\r\n');
  const status = /^(?:HTTP\/1\.\d|SIP\/2\.0) (\d{3})\b/.exec(line)?.[1];
  return status === undefined ? undefined : { status: Number(status), line };
}

/** Statuses that HTTP servers refuse a client certificate with: nginx says 400 inside TLS, Apache and others 403; 495 and 496 are nginx's own. */
const CERTIFICATE_REFUSED: readonly number[] = [400, 403, 495, 496];

/** Whether the server took the client for good: read from its answer, or told by a talk that went on. */
export function wasServed(view: TlsView): boolean {
  const answer = answerInside(view);
  if (answer) return !CERTIFICATE_REFUSED.includes(answer.status);
  // TLS 1.0 cuts each stretch in two, against an attack on its CBC.
  const few = (view.chosen?.version ?? 0) < VERSION['1.1'] ? 2 : 1;
  return said(view, 'client') > few && said(view, 'server') > few;
}

/** The server's word against the client's certificate: an alert, an answer inside, or that it left once it had seen it. */
export function refusalOfClient({ endings }: Conversation, view: TlsView): string | undefined {
  const alert = fatalAlert(view, 'server');
  const answer = answerInside(view);
  const [left] = endings;
  if (alert && (isFinished(view, 'client') || view.sides.client.certificates)) return alertText(alert);
  if (answer) return CERTIFICATE_REFUSED.includes(answer.status) ? `"${answer.line}" inside TLS` : undefined;
  return isFinished(view, 'client') && left?.by === 'server' && said(view, 'server') === 0 ? leavingText(left) : undefined;
}

const alertText = ({ name }: SentAlert): string => (name === undefined ? 'an alert, by the length of its record' : `alert ${name}`);
const leavingText = ({ how }: Ending): string => `it ${how === 'reset' ? 'reset' : 'closed'} the connection without a word`;

/** It took its leave: with `close_notify`, or with what can only be that, since it comes after its Finished. */
function saidGoodbye(view: TlsView, role: Role): boolean {
  const { sealed } = view.sides[role];
  if (sealed.slice(1).some((sight) => isAlert(view, sight))) return true;
  return view.alerts.some(({ by, name }) => by === role && (name === undefined || name === 'close_notify'));
}

/** The client's word against the server's certificate: an alert, or that it left once it had seen it. */
export function refusalOfServer(conversation: Conversation, view: TlsView): string | undefined {
  if (view.resumed || (!isFinished(view, 'server') && !view.sides.server.certificates)) return undefined;
  const alert = fatalAlert(view, 'client');
  if (alert) return alertText(alert);
  const left = brokeOff(conversation, view);
  if (left?.by !== 'client' || saidGoodbye(view, 'client') || fatalAlert(view, 'server')) return undefined;
  return leavingText(left);
}
