/** What a request must be like before anyone looks at what it wants (RFC 3261 8.2): the refusal, or nothing. */
import type { HeaderField, ResponseParts } from './compose.js';
import type { SipRequest } from './message.codec.js';
import { mediaType } from './session.js';

/** What we do, in the order of the Allow field. */
const METHODS = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'NOTIFY'] as const;
/** Methods of SIP that we know of and do not do: 405, where another's is a 501. */
const OTHER_METHODS = new Set(['REGISTER', 'SUBSCRIBE', 'PUBLISH', 'MESSAGE', 'INFO', 'UPDATE', 'PRACK', 'REFER']);
/** Option tags that a request may require (20.32). */
const EXTENSIONS: readonly string[] = [];

export const ALLOW: HeaderField = ['allow', METHODS.join(', ')];
export const ACCEPT: HeaderField = ['accept', 'application/sdp'];

/** In the order of RFC 3261 8.2.1 to 8.2.3. */
export function refusalOf(request: SipRequest): ResponseParts | undefined {
  const { method, uri, headers } = request;
  if (!(METHODS as readonly string[]).includes(method)) return { status: OTHER_METHODS.has(method) ? 405 : 501, headers: [ALLOW] };
  if (uri.kind !== 'sip') return { status: 416 };
  // Header fields and a method have no place in a Request-URI (19.1.1).
  if (uri.headers !== undefined || uri.params.some(({ name }) => name === 'method')) return { status: 400 };
  const unsupported = headers.list('require').filter((tag) => !EXTENSIONS.includes(tag));
  if (unsupported.length > 0) return { status: 420, headers: unsupported.map((tag) => ['unsupported', tag] as const) };
  return method === 'INVITE' ? contentRefusal(request) : undefined;
}

function contentRefusal({ headers, body }: SipRequest): ResponseParts | undefined {
  const encoding = headers.get('content-encoding');
  if (body.length > 0 && encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    return { status: 415, headers: [['accept-encoding', 'identity']] };
  }
  if (body.length > 0 && mediaType(headers.get('content-type') ?? '') !== 'application/sdp') return { status: 415, headers: [ACCEPT] };
  // The answer is SDP: a caller that does not accept it cannot be answered (RFC 4475 3.3.15).
  const accepted = headers.list('accept').map(mediaType);
  const acceptsSdp = accepted.some((type) => type === 'application/sdp' || type === 'application/*' || type === '*/*');
  return accepted.length === 0 || acceptsSdp ? undefined : { status: 406 };
}
