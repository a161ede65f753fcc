/**
 * SIP messages (RFC 3261 part 7): octets to a typed message and back. Reading is total: malformed input is a value that says what is
 * wrong and, for a request that can be answered, how.
 */
import { concat, EMPTY, fromLatin1, latin1 } from '../../hal/base/bytes.js';
import { err, ok } from '../../hal/base/result.js';
import type { Result } from '../../hal/hal.js';
import { type Address, readAddress, tagOf } from './address.codec.js';
import { Headers, readName, wireName } from './headers.js';
import { isToken, isTokenCode, readInteger, splitList } from './text.js';
import { readUri, type Uri, writeUri } from './uri.codec.js';
import { readVia, type Via } from './via.codec.js';

export type SipMessage = SipRequest | SipResponse;

/** The fields that every message must have, typed (RFC 3261 8.1.1); the others are in `headers`. */
interface SipCommon {
  /** The topmost Via. */
  via: Via;
  from: Address;
  to: Address;
  callId: string;
  cseq: CSeq;
  headers: Headers;
  body: Uint8Array;
}
export interface SipRequest extends SipCommon {
  type: 'request';
  /** Case matters: `INVITE`. */
  method: string;
  uri: Uri;
}
export interface SipResponse extends SipCommon {
  type: 'response';
  /** 100 to 699. */
  status: number;
  reason: string;
}
export interface CSeq {
  /** 0 to 2^31 - 1. */
  number: number;
  method: string;
}

/** Why octets are no SIP message. `not-sip`: not even a start line. */
export type MalformedKind = 'not-sip' | 'version' | 'request-uri' | 'headers' | 'too-many' | 'missing' | 'repeated' | 'value' | 'length';

export interface Malformed {
  kind: MalformedKind;
  /** For people; holds no value of a field. */
  detail: string;
  /** Present where the octets are a request that can be answered; `via` is absent where it is itself malformed. */
  reply?: MalformedRequest;
}
export interface MalformedRequest {
  status: 400 | 505;
  via?: Via;
  headers: Headers;
}

/** Octets in one message: a bound for streams; no datagram is larger (RFC 3261 18.1.1 asks for 65,535). */
export const MESSAGE_OCTETS_MAX = 65_536;
/** Header fields in one message. `ours`: RFC 4475 has 45; each costs some 100 octets of memory. */
export const HEADER_FIELDS_MAX = 256;

const LF = 10;
const CR = 13;
const SPACE = 32;
const TAB = 9;
const COLON = 58;

/** A message as far as its shape goes: what a ladder or a capture shows, and what `readMessage` types. */
export interface RawMessage {
  start: StartLine;
  headers: Headers;
  body: Uint8Array;
}
export type StartLine =
  | { type: 'request'; method: string; uri: string; version: string }
  | { type: 'response'; status: number; reason: string; version: string };

/**
 * Reads one message: a datagram, or what the framer cut from a stream. `bytes` belong to the message from now on: values are decoded
 * from them when asked for. Octets after the body are dropped (RFC 3261 18.3).
 */
export function readMessage(bytes: Uint8Array): Result<SipMessage, Malformed> {
  const raw = scanMessage(bytes);
  if (!raw.ok) return raw;
  const { start, headers, body } = raw.value;
  if (start.version !== 'SIP/2.0') return refuse(start, headers, 'version', 'not SIP/2.0');
  for (const name of SINGLE) if (headers.count(name) > 1) return refuse(start, headers, 'repeated', `${name} stands more than once`);
  const common = readCommon(headers);
  if (typeof common === 'string') {
    return refuse(start, headers, headers.has(common) ? 'value' : 'missing', `${common} is missing or malformed`);
  }
  // Written out: a spread of `common` costs as much as all the rest of the reading.
  const { via, from, to, callId, cseq } = common;
  if (start.type === 'response') {
    return ok({ type: 'response', status: start.status, reason: start.reason, via, from, to, callId, cseq, headers, body });
  }
  if (cseq.method !== start.method) return refuse(start, headers, 'value', 'CSeq names another method');
  const uri = readUri(start.uri);
  if (!uri) return refuse(start, headers, 'request-uri', 'Request-URI is malformed');
  return ok({ type: 'request', method: start.method, uri, via, from, to, callId, cseq, headers, body });
}

/** Start line, header fields and body, whatever the fields hold. */
export function scanMessage(bytes: Uint8Array): Result<RawMessage, Malformed> {
  const lineEnd = bytes.indexOf(LF);
  const start = lineEnd < 0 ? undefined : readStartLine(latin1(bytes, 0, withoutCr(bytes, 0, lineEnd)));
  if (!start) return err({ kind: 'not-sip', detail: 'no SIP start line' });
  const headers = new Headers(bytes);
  const bodyStart = scanFields(bytes, lineEnd + 1, headers);
  if (typeof bodyStart === 'string') return refuse(start, headers, 'headers', bodyStart);
  if (headers.size > HEADER_FIELDS_MAX) return refuse(start, headers, 'too-many', `more than ${HEADER_FIELDS_MAX} header fields`);
  const length = readLength(headers, bytes.length - bodyStart);
  if (length === undefined) return refuse(start, headers, 'length', 'Content-Length is wrong');
  return ok({ start, headers, body: length === 0 ? EMPTY : bytes.subarray(bodyStart, bodyStart + length) });
}

/** Fields of which a message has at most one, and that decide where it goes or where it ends. */
const SINGLE = ['from', 'to', 'call-id', 'cseq', 'max-forwards', 'content-type'];

function readStartLine(line: string): StartLine | undefined {
  const first = line.indexOf(' ');
  if (first <= 0) return undefined;
  const head = line.slice(0, first);
  if (head.startsWith('SIP/')) {
    const status = readInteger(line.slice(first + 1, first + 4), 699);
    const shaped = line.length === first + 4 || line.charCodeAt(first + 4) === SPACE;
    if (status === undefined || status < 100 || !shaped) return undefined;
    return { type: 'response', version: head, status, reason: line.slice(first + 5) };
  }
  const last = line.lastIndexOf(' ');
  const version = line.slice(last + 1);
  // Blanks at the end or within the URI stay in the URI, which is then refused as malformed.
  if (isToken(head) && VERSION.test(version) && last > first) {
    return { type: 'request', method: head, uri: line.slice(first + 1, last), version: version.toUpperCase() };
  }
  const trimmed = line.trimEnd();
  const inner = trimmed.lastIndexOf(' ');
  if (!isToken(head) || inner <= first || !VERSION.test(trimmed.slice(inner + 1))) return undefined;
  return { type: 'request', method: head, uri: line.slice(first + 1), version: 'SIP/2.0' };
}

const VERSION = /^SIP\/\d+\.\d+$/i;

/** End of the line that ends with the LF at `lf`, its CR left out. */
const withoutCr = (bytes: Uint8Array, from: number, lf: number): number => (lf > from && bytes[lf - 1] === CR ? lf - 1 : lf);

/** Adds each header field to `headers`; gives the index of the body, or what is wrong. */
function scanFields(bytes: Uint8Array, from: number, headers: Headers): number | string {
  const n = bytes.length;
  let i = from;
  while (i < n) {
    if (bytes[i] === LF) return i + 1;
    if (bytes[i] === CR && bytes[i + 1] === LF) return i + 2;
    const nameStart = i;
    while (i < n && isTokenCode(bytes[i]!)) i++;
    const nameEnd = i;
    while (bytes[i] === SPACE || bytes[i] === TAB) i++;
    if (nameEnd === nameStart || bytes[i] !== COLON) return 'a header field has no name';
    i++;
    let lf = bytes.indexOf(LF, i);
    // A line that starts with a blank goes on with the value (RFC 3261 7.3.1).
    while (lf >= 0 && (bytes[lf + 1] === SPACE || bytes[lf + 1] === TAB)) lf = bytes.indexOf(LF, lf + 1);
    if (lf < 0) return 'the header section does not end';
    let end = withoutCr(bytes, i, lf);
    while (i < end && isBlank(bytes[i]!)) i++;
    while (end > i && isBlank(bytes[end - 1]!)) end--;
    headers.addSpan(readName(bytes, nameStart, nameEnd), i, end);
    if (headers.size > HEADER_FIELDS_MAX) return n;
    i = lf + 1;
  }
  return 'the header section does not end';
}

const isBlank = (code: number): boolean => code === SPACE || code === TAB || code === CR || code === LF;

/** Octets of the body: what Content-Length says, or all there is where it is absent; undefined where it is wrong. */
function readLength(headers: Headers, available: number): number | undefined {
  const fields = headers.all('content-length');
  if (fields.length === 0) return available;
  const length = readInteger(fields[0]!, available);
  return fields.every((field) => readInteger(field, available) === length) ? length : undefined;
}

/** The typed fields, or the name of the first that is missing or malformed. */
function readCommon(headers: Headers): Pick<SipCommon, 'via' | 'from' | 'to' | 'callId' | 'cseq'> | string {
  const via = readVia(splitList(headers.get('via') ?? '')[0]!);
  if (!via) return 'via';
  const from = readAddress(headers.get('from') ?? '');
  if (!from) return 'from';
  const to = readAddress(headers.get('to') ?? '');
  if (!to) return 'to';
  const callId = headers.get('call-id');
  if (callId === undefined || callId === '') return 'call-id';
  const cseq = readCSeq(headers.get('cseq') ?? '');
  return cseq ? { via, from, to, callId, cseq } : 'cseq';
}

function readCSeq(text: string): CSeq | undefined {
  const blank = text.search(/[ \t]/);
  const number = blank < 0 ? undefined : readInteger(text.slice(0, blank), 0x7fffffff);
  const method = text.slice(blank).trim();
  return number !== undefined && isToken(method) ? { number, method } : undefined;
}

function refuse(start: StartLine, headers: Headers, kind: MalformedKind, detail: string): { ok: false; error: Malformed } {
  if (start.type === 'response' || start.method === 'ACK' || !headers.has('via')) return err({ kind, detail });
  const via = readVia(splitList(headers.get('via') ?? '')[0]!);
  return err({ kind, detail, reply: { status: kind === 'version' ? 505 : 400, ...(via ? { via } : {}), headers } });
}

/** The octets of a message, with a Content-Length of its own. */
export function writeMessage(message: SipMessage): Uint8Array {
  const { headers, body } = message;
  if (message.type === 'response') {
    return writeRaw({ start: { type: 'response', version: 'SIP/2.0', status: message.status, reason: message.reason }, headers, body });
  }
  const { method, uri } = message;
  return writeRaw({ start: { type: 'request', version: 'SIP/2.0', method, uri: writeUri(uri) }, headers, body });
}

export function writeRaw({ start, headers, body }: RawMessage): Uint8Array {
  const { version } = start;
  let text = start.type === 'request' ? `${start.method} ${start.uri} ${version}` : `${version} ${start.status} ${start.reason}`;
  for (const [name, value] of headers) if (name !== 'content-length') text += `\r\n${wireName(name)}: ${value}`;
  const head = fromLatin1(`${text}\r\nContent-Length: ${body.length}\r\n\r\n`);
  return body.length === 0 ? head : concat(head, body);
}

/** The addresses of Contact, Route, Record-Route or Path; undefined where one is malformed. */
export function readAddresses(headers: Headers, name: string): readonly Address[] | undefined {
  const addresses: Address[] = [];
  for (const value of headers.list(name)) {
    const address = readAddress(value);
    if (!address) return undefined;
    addresses.push(address);
  }
  return addresses;
}

export const toTag = (message: SipMessage): string | undefined => tagOf(message.to);
