/** Makes the messages that we send: requests from a draft, responses from the request they answer. */
import { EMPTY, fromLatin1 } from '../../hal/base/bytes.js';
import { type Address, withTag, writeAddress } from './address.codec.js';
import { Headers, wireName } from './headers.js';
import { type MalformedRequest, type SipMessage, type SipRequest, type SipResponse, toTag } from './message.codec.js';
import { reasonPhrase } from './status.js';
import { splitList } from './text.js';
import type { Uri } from './uri.codec.js';
import { type Via, writeVia } from './via.codec.js';

/** A header field to add: name in lower case and in full, value in octet text. */
export type HeaderField = readonly [name: string, value: string];

export interface Body {
  /** `application/sdp`. */
  type: string;
  bytes: Uint8Array;
}

/** A request but for its Via, which the transaction that sends it adds. */
export interface RequestDraft {
  method: string;
  uri: Uri;
  from: Address;
  to: Address;
  callId: string;
  cseq: number;
  headers?: readonly HeaderField[];
  body?: Body | undefined;
}

/** RFC 3261 8.1.1.6. */
const MAX_FORWARDS = 70;

export function composeRequest(draft: RequestDraft, via: Via): SipRequest {
  const { method, uri, from, to, callId, body } = draft;
  const headers = new Headers()
    .add('via', writeVia(via))
    .add('max-forwards', String(MAX_FORWARDS))
    .add('from', writeAddress(from))
    .add('to', writeAddress(to))
    .add('call-id', callId)
    .add('cseq', `${draft.cseq} ${method}`);
  addFields(headers, draft.headers);
  if (body) headers.add('content-type', body.type);
  return { type: 'request', method, uri, via, from, to, callId, cseq: { number: draft.cseq, method }, headers, body: body?.bytes ?? EMPTY };
}

export interface ResponseParts {
  status: number;
  reason?: string | undefined;
  /** Added to the To where the request had none (RFC 3261 8.2.6.2); a 100 needs none. */
  toTag?: string | undefined;
  headers?: readonly HeaderField[] | undefined;
  body?: Body | undefined;
}

export function composeResponse(request: SipRequest, parts: ResponseParts): SipResponse {
  const { via, from, callId, cseq } = request;
  const tagged = parts.toTag !== undefined && toTag(request) === undefined;
  const to = tagged ? withTag(request.to, parts.toTag!) : request.to;
  const headers = new Headers();
  for (const value of request.headers.all('via')) headers.add('via', value);
  headers.add('from', request.headers.get('from')!).add('to', tagged ? writeAddress(to) : request.headers.get('to')!);
  headers.add('call-id', callId).add('cseq', `${cseq.number} ${cseq.method}`);
  const timestamp = parts.status === 100 ? request.headers.get('timestamp') : undefined;
  if (timestamp !== undefined) headers.add('timestamp', timestamp);
  addFields(headers, parts.headers);
  if (parts.body) headers.add('content-type', parts.body.type);
  const reason = parts.reason ?? reasonPhrase(parts.status);
  return { type: 'response', status: parts.status, reason, via, from, to, callId, cseq, headers, body: parts.body?.bytes ?? EMPTY };
}

function addFields(headers: Headers, fields: readonly HeaderField[] | undefined): void {
  for (const [name, value] of fields ?? []) headers.add(name, value);
}

/** The refusal of a request that could not be read: what must be copied is copied as it came (RFC 3261 8.2.6.2). */
export function composeRefusal(malformed: MalformedRequest): Uint8Array {
  let text = `SIP/2.0 ${malformed.status} ${reasonPhrase(malformed.status)}\r\n`;
  for (const name of ['via', 'from', 'to', 'call-id', 'cseq']) {
    for (const value of malformed.headers.all(name)) text += `${wireName(name)}: ${value}\r\n`;
  }
  return fromLatin1(`${text}Content-Length: 0\r\n\r\n`);
}

/** Changes the topmost Via, typed and as text; the Vias below it stay. */
export function setTopVia(message: SipMessage, via: Via): void {
  message.via = via;
  const [, ...rest] = splitList(message.headers.get('via') ?? '');
  message.headers.replaceFirst('via', [writeVia(via), ...rest].join(', '));
}
