/** Heads of HTTP/1 messages (RFC 9112), strict: what two parsers could read in two ways is refused. */
import { fromLatin1 } from '../../hal/base/bytes.js';
import { err, ok } from '../../hal/base/result.js';
import type { Result } from '../../hal/hal.js';

/** Fields in their order, names as they were written. */
export type HttpFields = readonly (readonly [name: string, value: string])[];

export type HttpVersion = '1.0' | '1.1';

export interface StatusLine {
  version: HttpVersion;
  status: number;
  reason: string;
}
export interface ResponseHead extends StatusLine {
  fields: HttpFields;
}

/** How the end of a body is told (RFC 9112 part 6.3). */
export type BodyFraming = { type: 'none' } | { type: 'length'; length: number } | { type: 'chunked' } | { type: 'until-close' };

/** tchar of RFC 9110 part 5.6.2. */
export const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** field-content of RFC 9110 part 5.5: visible characters, obs-text, and white space between. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** `HTTP/1.1 200 OK`; the reason may be absent, with its space or without. */
export function decodeStatusLine(line: string): Result<StatusLine, string> {
  const m = /^HTTP\/(\d\.\d) (\d{3})(?: (.*))?$/.exec(line);
  if (!m || !VALUE.test(line)) return err('the answer does not begin with an HTTP status line');
  const version = m[1]!;
  if (version !== '1.0' && version !== '1.1') return err(`the server speaks HTTP/${version}, not 1.0 or 1.1`);
  const status = Number(m[2]);
  if (status < 100 || status > 599) return err(`${status} is no HTTP status`);
  return ok({ version, status, reason: m[3] ?? '' });
}

/** `Name: value`. White space before the colon and folded lines are refused (RFC 9112 part 5). */
export function decodeField(line: string): Result<readonly [string, string], string> {
  if (line.startsWith(' ') || line.startsWith('\t')) return err('a header field is folded over two lines');
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0));
  const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '');
  if (!TOKEN.test(name) || !VALUE.test(value)) return err('a header field is malformed');
  return ok([name, value]);
}

/** All values of a field, in order. */
export const fieldValues = (fields: HttpFields, name: string): readonly string[] =>
  fields.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, value]) => value);

/** The first value of a field. */
export const field = (fields: HttpFields, name: string): string | undefined => fieldValues(fields, name)[0];

/** Members of a comma list over all fields of that name, lower case. */
export const listMembers = (fields: HttpFields, name: string): readonly string[] =>
  fieldValues(fields, name)
    .join(',')
    .split(',')
    .map((item) => item.trim().toLowerCase())
    .filter((item) => item !== '');

/** RFC 9112 part 6.3, for the answer to a GET. Where two fields disagree about the length the answer is refused, never guessed at. */
export function responseFraming(head: ResponseHead): Result<BodyFraming, string> {
  const codings = listMembers(head.fields, 'Transfer-Encoding');
  const lengths = fieldValues(head.fields, 'Content-Length');
  // 1xx, 204 and 304 end with their head, whatever the fields say.
  if (head.status < 200 || head.status === 204 || head.status === 304) return ok({ type: 'none' });
  if (fieldValues(head.fields, 'Transfer-Encoding').length > 0) {
    if (codings.length === 0) return err('Transfer-Encoding is empty');
    if (lengths.length > 0) return err('the answer has both Content-Length and Transfer-Encoding');
    if (head.version === '1.0') return err('an HTTP/1.0 answer has Transfer-Encoding');
    if (codings.indexOf('chunked') < codings.lastIndexOf('chunked')) return err('the answer is chunked twice');
    return ok(codings.at(-1) === 'chunked' ? { type: 'chunked' } : { type: 'until-close' });
  }
  if (lengths.length === 0) return ok({ type: 'until-close' });
  const length = contentLength(lengths);
  return length === undefined ? err('the Content-Length is no single number') : ok({ type: 'length', length });
}

/** Of all Content-Length fields: one number, below any that could not be counted. */
export const contentLength = (values: readonly string[]): number | undefined =>
  values.length === 1 && /^\d{1,15}$/.test(values[0]!) ? Number(values[0]) : undefined;

/** Whether the sender of a message means to go on with the connection (RFC 9112 part 9.3). */
export function persists({ version, fields }: { version: HttpVersion; fields: HttpFields }): boolean {
  const options = listMembers(fields, 'Connection');
  return !options.includes('close') && (version === '1.1' || options.includes('keep-alive'));
}

/** Whether the connection can take another request after this answer. */
export const keepsAlive = (head: ResponseHead, framing: BodyFraming): boolean => framing.type !== 'until-close' && persists(head);

/** A request without a body. Targets and values come from parsed URLs and from constants: they hold no line ends. */
export function encodeRequest(method: 'GET', target: string, fields: HttpFields): Uint8Array {
  const lines = [`${method} ${target} HTTP/1.1`, ...fields.map(([name, value]) => `${name}: ${value}`)];
  return fromLatin1(`${lines.join('\r\n')}\r\n\r\n`);
}
