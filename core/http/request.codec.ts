/** Heads of HTTP/1 requests as a server reads them (RFC 9112), strict. What is wrong says with which status it is answered. */
import { err, ok } from '../../hal/base/result.js';
import type { Result } from '../../hal/hal.js';
import {
  type BodyFraming,
  contentLength,
  fieldValues,
  type HttpFields,
  type HttpVersion,
  listMembers,
  persists,
  TOKEN,
} from './message.codec.js';

export interface RequestLine {
  method: string;
  /** As it was written: a path with its query, `*`, or an absolute address; host and port for CONNECT (RFC 9112 part 3.2). */
  target: string;
  version: HttpVersion;
}
export interface RequestHead extends RequestLine {
  fields: HttpFields;
}

/** RFC 9110 part 15.5 and 15.6, RFC 6585 part 5. */
export interface RequestProblem {
  status: 400 | 413 | 414 | 417 | 431 | 501 | 505;
  detail: string;
}

export const refused = (status: RequestProblem['status'], detail: string): { ok: false; error: RequestProblem } => err({ status, detail });

/** Browsers leave `"`, `|` and their like as they are. A `#` they never send: it ends an address for some readers and not for others. */
const TARGET = /^[!"$-~]+$/;
/** RFC 9112 part 3.2: origin, absolute and asterisk form; the authority form is for CONNECT. */
const FORM = /^(?:\/|https?:\/\/|\*$)/i;

/** `GET /path HTTP/1.1`, with one space and no other between. */
export function decodeRequestLine(line: string): Result<RequestLine, RequestProblem> {
  const [method = '', target = '', protocol = '', ...more] = line.split(' ');
  const version = /^HTTP\/(\d\.\d)$/.exec(protocol)?.[1];
  if (more.length > 0 || !TOKEN.test(method) || version === undefined) return refused(400, 'it does not begin with an HTTP request line');
  if (version !== '1.0' && version !== '1.1') return refused(505, `HTTP/${version} is not spoken here`);
  if (!TARGET.test(target) || !(method === 'CONNECT' || FORM.test(target))) return refused(400, 'the target of the request is malformed');
  return ok({ method, target, version });
}

/** RFC 9112 part 6.3, for requests. Where two fields disagree about the length the request is refused, never guessed at. */
export function requestFraming({ method, version, fields }: RequestHead): Result<BodyFraming, RequestProblem> {
  const lengths = fieldValues(fields, 'Content-Length');
  // Behind the head of a CONNECT comes another protocol, whatever the fields say (RFC 9110 part 9.3.6).
  if (method === 'CONNECT') return ok({ type: 'none' });
  if (fieldValues(fields, 'Transfer-Encoding').length > 0) {
    const codings = listMembers(fields, 'Transfer-Encoding');
    if (lengths.length > 0) return refused(400, 'the request has both Content-Length and Transfer-Encoding');
    if (version === '1.0') return refused(400, 'an HTTP/1.0 request has Transfer-Encoding');
    if (codings.length === 0 || codings.indexOf('chunked') !== codings.length - 1)
      return refused(400, 'Transfer-Encoding does not end in chunked');
    return codings.length > 1 ? refused(501, `the transfer coding ${codings[0]} is not understood`) : ok({ type: 'chunked' });
  }
  if (lengths.length === 0) return ok({ type: 'none' });
  const length = contentLength(lengths);
  return length === undefined ? refused(400, 'the Content-Length is no single number') : ok({ type: 'length', length });
}

/** Whether another request may follow: behind a CONNECT comes none. */
export const mayFollow = (head: RequestHead): boolean => head.method !== 'CONNECT' && persists(head);

/**
 * Whom the request is for: the host and port of the target, or of Host. RFC 9112 part 3.2: one Host field in every HTTP/1.1 request, even
 * where the target has it too. Undefined for an HTTP/1.0 request that does not say.
 */
export function requestHost({ target, version, fields }: RequestHead): Result<string | undefined, RequestProblem> {
  const hosts = fieldValues(fields, 'Host');
  if (hosts.length > 1 || (hosts.length === 0 && version === '1.1')) return refused(400, 'the request has not one Host');
  const absolute = /^https?:\/\/([^/?]*)/i.exec(target)?.[1];
  const host = absolute ?? hosts[0];
  // RFC 3986 part 3.2.2, without the characters that no host in a network has; user information is none of it.
  if (host !== undefined && !/^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/.test(host)) {
    return refused(400, 'the Host is malformed');
  }
  return ok(host?.toLowerCase());
}
