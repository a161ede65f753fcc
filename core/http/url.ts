/** URLs of servers (RFC 3986), as far as provisioning names them: no user information, no fragment. Total: errors are sentences. */
import { err, ok } from '../../hal/base/result.js';
import type { Result } from '../../hal/hal.js';

type UrlScheme = 'http' | 'https' | 'tftp' | 'ftp';

export interface Url {
  scheme: UrlScheme;
  /** Lower case; an IPv6 address without its brackets. */
  host: string;
  port: number;
  /** Path and query, from the first `/`. */
  path: string;
}

const DEFAULT_PORT: Readonly<Record<UrlScheme, number>> = { http: 80, https: 443, tftp: 69, ftp: 21 };
/** RFC 9110 part 4.1 asks for at least 8000; what a DHCP option or a setting holds is far below this. */
const MAX_LENGTH = 2048;

/** RFC 3986 part 3.2.2: a registered name or an IPv4 address, or an IP literal in brackets. */
const AUTHORITY = /^(?:([A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}))|\[(?=[^\]]*:)([0-9A-Fa-f:.]{2,45})\])(?::(\d{1,5}))?$/;
/** RFC 3986 part 3.3 and 3.4: pchar, `/` and `?`. */
const PATH = /^\/(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*$/;

export function parseUrl(text: string): Result<Url, string> {
  if (text.length > MAX_LENGTH) return err(`the address is longer than ${MAX_LENGTH} characters`);
  const m = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^#]*)$/.exec(text);
  if (!m) return err('it is no address of the form scheme://host/path');
  const scheme = m[1]!.toLowerCase();
  if (!isScheme(scheme)) return err(`${scheme} is no way to fetch a file: http, https, tftp or ftp`);
  if (m[2]!.includes('@')) return err('user and password do not belong into the address');
  const authority = AUTHORITY.exec(m[2]!);
  if (!authority) return err('what stands behind // is no host');
  const port = authority[3] === undefined ? DEFAULT_PORT[scheme] : Number(authority[3]);
  if (port < 1 || port > 65535) return err(`${port} is no port`);
  const path = m[3]!.startsWith('/') ? m[3]! : `/${m[3]}`;
  if (!PATH.test(path)) return err('the path has characters that must be written as %20 and the like');
  return ok({ scheme, host: (authority[1] ?? authority[2]!).toLowerCase(), port, path });
}

/** As text, the port only where it is not the scheme's own. */
export const formatUrl = (url: Url): string => `${url.scheme}://${authority(url)}${url.path}`;

/** The address without its query, which may be a secret: the signature of a link that was handed out. */
export const withoutQuery = (url: Url): Url => ({ ...url, path: url.path.replace(/\?.*$/, '') });

/** As text for logs: that there is a query, and no more of it. */
export const shownUrl = (url: Url): string => formatUrl(url).replace(/\?.*$/, '?…');

/**
 * An address as someone wrote it, for logs: what stands before an `@` and behind a `?` may be a password, also where it has no business
 * there. To the last `@`, because a password may hold any character.
 */
export const withoutSecrets = (address: string): string => address.replace(/\/\/.*@/, '//…@').replace(/\?.*$/, '?…');

/** Scheme, host and port: who it is that answers (RFC 6454). */
export const originOf = (url: Url): string => `${url.scheme}://${authority(url)}`;

/** Host and port as a Host header has them (RFC 9110 part 7.2). */
export function authority(url: Url): string {
  const host = url.host.includes(':') ? `[${url.host}]` : url.host;
  return url.port === DEFAULT_PORT[url.scheme] ? host : `${host}:${url.port}`;
}

/** The file in the folder that the URL names, with or without a slash at its end; a query stays with the folder's path and goes. */
export function inFolder(url: Url, file: string): Url {
  const folder = withoutQuery(url).path.replace(/\/+$/, '');
  return { ...url, path: `${folder}/${file}` };
}

/** What a reference means in an answer to `base` (RFC 3986 part 5.2); a fragment is left out. */
export function resolveReference(base: Url, reference: string): Result<Url, string> {
  if (reference.length > MAX_LENGTH) return err(`the address is longer than ${MAX_LENGTH} characters`);
  const url = parseUrl(absoluteText(base, reference.replace(/#.*$/s, '')));
  return url.ok ? ok({ ...url.value, path: withoutDots(url.value.path) }) : url;
}

function absoluteText(base: Url, reference: string): string {
  if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(reference)) return reference;
  if (reference.startsWith('//')) return `${base.scheme}:${reference}`;
  if (reference.startsWith('/')) return originOf(base) + reference;
  if (reference === '') return formatUrl(base);
  const path = formatUrl(withoutQuery(base));
  return reference.startsWith('?') ? path + reference : path.replace(/[^/]*$/, '') + reference;
}

/** RFC 3986 part 5.2.4: `.` and `..` taken out of the path; the query stays as it is. */
function withoutDots(path: string): string {
  const [, names = '', query = ''] = /^\/([^?]*)(\?.*)?$/.exec(path) ?? [];
  const kept: string[] = [];
  const parts = names.split('/');
  for (const [i, part] of parts.entries()) {
    if (part === '..') kept.pop();
    else if (part !== '.') kept.push(part);
    // What ends in a dot segment names a folder.
    if ((part === '.' || part === '..') && i === parts.length - 1) kept.push('');
  }
  return `/${kept.join('/')}${query}`;
}

/** The path without its query, `%20` and the like as the octets that they stand for, one character each: for protocols that have none such. */
export const octetPath = (url: Url): string =>
  withoutQuery(url).path.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));

/** An IP address as it stands, which no name server has to be asked for. */
export const isIpAddress = (host: string): boolean => host.includes(':') || /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/.test(host);

const isScheme = (text: string): text is UrlScheme => Object.hasOwn(DEFAULT_PORT, text);
