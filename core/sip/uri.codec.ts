/** SIP, SIPS and tel URIs (RFC 3261 19.1, RFC 3966, RFC 5118 for IPv6 literals). */
import { isToken, NO_PARAMS, type Param, param, readInteger } from './text.js';

export type Uri = SipUri | TelUri | OtherUri;

export interface SipUri {
  kind: 'sip';
  scheme: 'sip' | 'sips';
  /** As on the wire, with its escapes. */
  user: string | undefined;
  password: string | undefined;
  /** A name, a dotted quad, or an IPv6 address without brackets; in lower case. */
  host: string;
  port: number | undefined;
  params: readonly Param[];
  /** What follows `?`, as on the wire. */
  headers: string | undefined;
}
export interface TelUri {
  kind: 'tel';
  number: string;
  params: readonly Param[];
}
/** Any other scheme: legal in a header field, refused with 416 as the target of a request. */
export interface OtherUri {
  kind: 'other';
  scheme: string;
  rest: string;
}

/** A URI, or undefined where it is malformed. No blanks are allowed anywhere in it. */
export function readUri(text: string): Uri | undefined {
  const colon = text.indexOf(':');
  if (colon <= 0) return undefined;
  const scheme = text.slice(0, colon).toLowerCase();
  if (scheme === 'sip' || scheme === 'sips') return readSipUri(scheme, text, colon + 1);
  if (!URI_TEXT.test(text) || !isToken(scheme)) return undefined;
  const rest = text.slice(colon + 1);
  if (scheme !== 'tel') return rest === '' ? undefined : { kind: 'other', scheme, rest };
  const semicolon = rest.indexOf(';');
  const number = semicolon < 0 ? rest : rest.slice(0, semicolon);
  const params = semicolon < 0 ? NO_PARAMS : readUriParams(rest.slice(semicolon + 1));
  return /^\+?[0-9A-Fa-f*#().-]+$/.test(number) && params ? { kind: 'tel', number, params } : undefined;
}

/** No blanks, controls, quotes or angle brackets. */
const URI_TEXT = /^[!#-;=?-~\x80-\xff]+$/;

function readSipUri(scheme: 'sip' | 'sips', text: string, from: number): SipUri | undefined {
  if (!URI_TEXT.test(text)) return undefined;
  // The user part may hold `;`, `?`, `/` and more (RFC 4475 3.1.1.2), but no unescaped `@`: the first one ends it.
  const at = text.indexOf('@', from);
  let user: string | undefined;
  let password: string | undefined;
  if (at >= 0) {
    const colon = text.indexOf(':', from);
    const userEnd = colon >= 0 && colon < at ? colon : at;
    user = text.slice(from, userEnd);
    if (user === '') return undefined;
    if (userEnd < at) password = text.slice(userEnd + 1, at);
  }
  const hostStart = at < 0 ? from : at + 1;
  const question = text.indexOf('?', hostStart);
  const end = question < 0 ? text.length : question;
  let hostEnd = text.indexOf(';', hostStart);
  if (hostEnd < 0 || hostEnd > end) hostEnd = end;
  const hostPort = readHostPort(text.slice(hostStart, hostEnd));
  if (!hostPort) return undefined;
  const params = hostEnd === end ? NO_PARAMS : readUriParams(text.slice(hostEnd + 1, end));
  if (!params) return undefined;
  const headers = question < 0 ? undefined : text.slice(question + 1);
  return { kind: 'sip', scheme, user, password, host: hostPort.host, port: hostPort.port, params, headers };
}

function readUriParams(text: string): readonly Param[] | undefined {
  const params: Param[] = [];
  for (const piece of text.split(';')) {
    const equals = piece.indexOf('=');
    const name = (equals < 0 ? piece : piece.slice(0, equals)).toLowerCase();
    if (name === '') return undefined;
    params.push({ name, value: equals < 0 ? undefined : piece.slice(equals + 1) });
  }
  return params;
}

const HOST_NAME = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/;
const IPV6_TEXT = /^[0-9a-f:.]+$/;

/** `host`, `host:port`, `[IPv6]` or `[IPv6]:port`; the host in lower case and without brackets. */
export function readHostPort(text: string): { host: string; port: number | undefined } | undefined {
  let host: string;
  let rest: string;
  if (text.charCodeAt(0) === 91) {
    const close = text.indexOf(']');
    // Three colons are a known error of the RFC's own grammar (RFC 5118 4.10): tolerated, and equal to two.
    host = text.slice(1, close).toLowerCase().replace(':::', '::');
    if (close < 0 || !IPV6_TEXT.test(host) || host.indexOf(':') < 0) return undefined;
    rest = text.slice(close + 1);
  } else {
    const colon = text.indexOf(':');
    host = (colon < 0 ? text : text.slice(0, colon)).toLowerCase();
    if (!HOST_NAME.test(host)) return undefined;
    rest = colon < 0 ? '' : text.slice(colon);
  }
  if (rest === '') return { host, port: undefined };
  const port = rest.charCodeAt(0) === 58 ? readInteger(rest.slice(1), 65535) : undefined;
  return port === undefined ? undefined : { host, port };
}

/** A host as it stands in a URI or a Via: an IPv6 address gets its brackets. */
const writeHost = (host: string): string => (host.indexOf(':') < 0 ? host : `[${host}]`);

export const writeHostPort = (host: string, port: number | undefined): string =>
  port === undefined ? writeHost(host) : `${writeHost(host)}:${port}`;

export function writeUri(uri: Uri): string {
  switch (uri.kind) {
    case 'other':
      return `${uri.scheme}:${uri.rest}`;
    case 'tel':
      return `tel:${uri.number}${writeUriParams(uri.params)}`;
    case 'sip': {
      const password = uri.password === undefined ? '' : `:${uri.password}`;
      const userInfo = uri.user === undefined ? '' : `${uri.user}${password}@`;
      const headers = uri.headers === undefined ? '' : `?${uri.headers}`;
      return `${uri.scheme}:${userInfo}${writeHostPort(uri.host, uri.port)}${writeUriParams(uri.params)}${headers}`;
    }
  }
}

const writeUriParams = (params: readonly Param[]): string =>
  params.map(({ name, value }) => (value === undefined ? `;${name}` : `;${name}=${value}`)).join('');

/** Resolves `%41`; a `%` that starts no escape stays. Once only: `%2541` becomes `%41` (RFC 4475 3.1.1.3). */
export const unescapeUri = (text: string): string =>
  text.indexOf('%') < 0
    ? text
    : text.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));

/** Escapes what the user part may not hold as it is (RFC 3261 25.1, `user`); takes octet text. */
export const escapeUser = (text: string): string =>
  text.replace(/[^A-Za-z0-9_.!~*'()&=+$,;?/-]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);

/** Parameters that make two URIs differ even when only one of them has it (RFC 3261 19.1.4). */
const SIGNIFICANT_WHEN_ABSENT: ReadonlySet<string> = new Set(['user', 'ttl', 'method', 'maddr', 'transport']);

/** Equality of RFC 3261 19.1.4; other schemes are equal when their text is. */
export function sameUri(a: Uri, b: Uri): boolean {
  if (a.kind !== 'sip' || b.kind !== 'sip') return writeUri(a) === writeUri(b);
  if (a.scheme !== b.scheme || a.host !== b.host || a.port !== b.port) return false;
  if (!sameEscaped(a.user, b.user) || !sameEscaped(a.password, b.password)) return false;
  return paramsAgree(a.params, b.params) && paramsAgree(b.params, a.params) && sameHeaders(a.headers, b.headers);
}

const sameEscaped = (a: string | undefined, b: string | undefined): boolean =>
  a === undefined || b === undefined ? a === b : unescapeUri(a) === unescapeUri(b);

function paramsAgree(some: readonly Param[], others: readonly Param[]): boolean {
  return some.every(({ name, value }) => {
    const other = param(others, name);
    if (other === undefined) return !SIGNIFICANT_WHEN_ABSENT.has(name);
    return unescapeUri(value ?? '').toLowerCase() === unescapeUri(other).toLowerCase();
  });
}

function sameHeaders(a: string | undefined, b: string | undefined): boolean {
  const normal = (text: string | undefined): string =>
    (text ?? '')
      .split('&')
      .map((piece) => unescapeUri(piece))
      .sort()
      .join('&');
  return normal(a) === normal(b);
}
