/**
 * Session descriptions (RFC 8866). A description is its lines in their order, each kept once: what Belfry does not know survives
 * unread. Octets are read as ISO 8859-1, one character each, so that text of any charset comes back as it was. Total and bounded.
 */
import { fromLatin1, latin1 } from '../../hal/base/bytes.js';
import { err, ok } from '../../hal/base/result.js';
import type { IpAddress, Result } from '../../hal/hal.js';

export interface SessionDescription {
  origin: Origin;
  /** The session's lines after `o=`, before the first `m=`. */
  lines: readonly SdpLine[];
  media: readonly MediaDescription[];
}

/** `o=` (RFC 8866 5.2). Numbers may have any length, so they stay text. */
export interface Origin {
  user: string;
  sessionId: string;
  version: string;
  family: 'IP4' | 'IP6';
  address: string;
}

/** `m=` and the lines after it. */
export interface MediaDescription {
  /** `audio`, `video`, `application` … */
  kind: string;
  /** 0 refuses the medium (RFC 3264 6). */
  port: number;
  /** `<number of ports>`, where given. */
  ports?: number;
  /** `RTP/AVP`, `RTP/SAVP` … */
  protocol: string;
  /** Payload types, as text, in the order of preference. */
  formats: readonly string[];
  lines: readonly SdpLine[];
}

/** `type=value`; the type is one letter. */
export interface SdpLine {
  type: string;
  value: string;
}

/** A body within one TCP message; larger ones are no telephone call. */
const MAX_OCTETS = 65_536;
/** The richest of real offers (WebRTC) has some 200 lines and 4 media. */
const MAX_LINES = 1_000;
const MAX_MEDIA = 32;

/** What is wrong with a body, for people. */
export type SdpError = string;

export function parseSession(body: Uint8Array): Result<SessionDescription, SdpError> {
  if (body.length > MAX_OCTETS) return err(`longer than ${MAX_OCTETS} octets`);
  // RFC 8866 5: records end with CRLF, and parsers should accept LF alone.
  const rows = latin1(body).split(/\r\n|\n/);
  if (rows.length > MAX_LINES) return err(`more than ${MAX_LINES} lines`);
  const lines: SdpLine[] = [];
  for (const row of rows) {
    if (row === '') continue;
    if (!/^[A-Za-z]=/.test(row)) return err(`not a type=value line: ${quoted(row)}`);
    lines.push({ type: row[0]!, value: row.slice(2) });
  }
  const [version, second] = lines;
  if (version?.type !== 'v' || version.value !== '0') return err('no v=0 at the start');
  const origin = second?.type === 'o' ? parseOrigin(second.value) : undefined;
  if (!origin) return err('no well-formed o= after v=0');
  return parseSections(origin, lines.slice(2));
}

function parseSections(origin: Origin, lines: readonly SdpLine[]): Result<SessionDescription, SdpError> {
  const session: SdpLine[] = [];
  const media: (MediaDescription & { lines: SdpLine[] })[] = [];
  for (const line of lines) {
    if (line.type === 'm') {
      const parsed = parseMedia(line.value);
      if (!parsed) return err(`malformed m= line: ${quoted(line.value)}`);
      if (media.length >= MAX_MEDIA) return err(`more than ${MAX_MEDIA} media`);
      media.push({ ...parsed, lines: [] });
    } else (media.at(-1)?.lines ?? session).push(line);
  }
  return ok({ origin, lines: session, media });
}

function parseOrigin(value: string): Origin | undefined {
  const m = /^(\S+) (\d+) (\d+) IN (IP4|IP6) (\S+) *$/.exec(value);
  return m ? { user: m[1]!, sessionId: m[2]!, version: m[3]!, family: m[4] as Origin['family'], address: m[5]! } : undefined;
}

function parseMedia(value: string): Omit<MediaDescription, 'lines'> | undefined {
  const m = /^(\S+) +(\d{1,5})(?:\/(\d{1,5}))? +(\S+)((?: +\S+)*) *$/.exec(value);
  if (!m || Number(m[2]) > 65_535) return undefined;
  return {
    kind: m[1]!,
    port: Number(m[2]),
    ...(m[3] === undefined ? {} : { ports: Number(m[3]) }),
    protocol: m[4]!,
    formats: m[5]!.split(' ').filter((format) => format !== ''),
  };
}

/** For messages: what a peer sent may be long and unprintable. */
const quoted = (text: string): string => JSON.stringify(text.slice(0, 40));

export function serialiseSession(description: SessionDescription): Uint8Array {
  const { user, sessionId, version, family, address } = description.origin;
  const rows = ['v=0', `o=${user} ${sessionId} ${version} IN ${family} ${address}`, ...description.lines.map(row)];
  for (const { kind, port, ports, protocol, formats, lines } of description.media) {
    rows.push(`m=${[kind, ports === undefined ? port : `${port}/${ports}`, protocol, ...formats].join(' ')}`, ...lines.map(row));
  }
  return fromLatin1(`${rows.join('\r\n')}\r\n`);
}

const row = ({ type, value }: SdpLine): string => `${type}=${value}`;

/** The values of all `a=<name>:<value>`, in order; '' for a property attribute `a=<name>`. Names are case-sensitive (RFC 8866 5.13). */
export function attributes(lines: readonly SdpLine[], name: string): readonly string[] {
  const values: string[] = [];
  for (const { type, value } of lines) {
    if (type !== 'a') continue;
    if (value === name) values.push('');
    else if (value.startsWith(`${name}:`)) values.push(value.slice(name.length + 1));
  }
  return values;
}

/** `c=` (RFC 8866 5.7); a TTL or a number of addresses after it is cut off. */
export interface Connection {
  family: 'IP4' | 'IP6';
  address: IpAddress;
}

/** Where a medium is to be sent: its own `c=`, or else the session's; undefined where there is none, or it is malformed. */
export function connectionOf(description: SessionDescription, media: MediaDescription): Connection | undefined {
  const line = media.lines.find(isConnection) ?? description.lines.find(isConnection);
  const m = /^IN (IP4|IP6) ([^\s/]+)(?:\/\d+){0,2} *$/.exec(line?.value ?? '');
  return m ? { family: m[1] as Connection['family'], address: m[2]! } : undefined;
}

const isConnection = ({ type }: SdpLine): boolean => type === 'c';
