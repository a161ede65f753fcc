/** The Via header field (RFC 3261 20.42, RFC 3581). */

import { isBlankCode, skipBlanks } from '../text/octet-text.js';
import { isToken, type Param, param, readParams, writeParams } from './text.js';
import { readHostPort, writeHostPort } from './uri.codec.js';

export interface Via {
  /** `UDP`, `TCP`, `TLS`, or any other token, in upper case. */
  transport: string;
  /** `sent-by`: IPv6 without brackets. */
  host: string;
  port: number | undefined;
  params: readonly Param[];
}

/** What a branch of an RFC 3261 element starts with (8.1.1.7). */
export const MAGIC_COOKIE = 'z9hG4bK';

/** One Via value, or undefined where it is malformed or not of SIP/2.0. */
export function readVia(text: string): Via | undefined {
  const protocol = readProtocol(text);
  if (!protocol) return undefined;
  const start = skipBlanks(text, protocol.end);
  let end = text.indexOf(';', start);
  if (end < 0) end = text.length;
  const hostPort = readHostPort(text.slice(start, end).replace(/\s+/g, ''));
  const params = readParams(text, end);
  return hostPort && params ? { transport: protocol.transport, host: hostPort.host, port: hostPort.port, params } : undefined;
}

/** `SIP / 2.0 / UDP` and the index after it; blanks may stand around the slashes. */
function readProtocol(text: string): { transport: string; end: number } | undefined {
  const first = text.indexOf('/');
  const second = text.indexOf('/', first + 1);
  if (first < 0 || second < 0) return undefined;
  if (text.slice(0, first).trim().toUpperCase() !== 'SIP' || text.slice(first + 1, second).trim() !== '2.0') return undefined;
  const start = skipBlanks(text, second + 1);
  let end = start;
  while (end < text.length && !isBlankCode(text.charCodeAt(end))) end++;
  const transport = text.slice(start, end).toUpperCase();
  return isToken(transport) ? { transport, end } : undefined;
}

export const writeVia = (via: Via): string => `SIP/2.0/${via.transport} ${writeHostPort(via.host, via.port)}${writeParams(via.params)}`;

export const branchOf = (via: Via): string => param(via.params, 'branch') ?? '';

/** The same Via with one parameter set, in the place of an earlier one of that name. */
export function withParam(via: Via, name: string, value: string): Via {
  const at = via.params.findIndex((p) => p.name === name);
  const params = at < 0 ? [...via.params, { name, value }] : via.params.map((p, i) => (i === at ? { name, value } : p));
  return { ...via, params };
}
