/**
 * llhttp's own test suite in strict mode: its answers at our client's reader, its requests at our server's. A case agrees when both accept
 * it or both refuse it, and saw the same messages on the way: method and target or status, fields with their values, and bodies.
 */
import { describe, expect, it } from 'vitest';
import { RequestReader } from '../../core/http/request.engine.js';
import { ResponseReader } from '../../core/http/response.engine.js';
import { latin1 } from '../../hal/base/bytes.js';
import { describeSuite } from '../support/shared.js';
import { type Case, llhttpCases, type SeenMessage } from './llhttp.js';

interface Read {
  messages: SeenMessage[];
  refused: boolean;
  /** It may end there. */
  idle: boolean;
}
const MAX_BODY = 1_000_000;

const written = (fields: readonly (readonly [string, string])[]): string[] => fields.map(([name, value]) => `${name}: ${value}`);

function readRequests({ input, left }: Case): Read {
  const reader = new RequestReader(MAX_BODY);
  const messages: SeenMessage[] = [];
  for (let rest = input; rest.length > 0; ) {
    const result = reader.push(rest);
    if (result.type === 'error') return { messages, refused: true, idle: false };
    if (result.type !== 'request') break;
    const { method, target, fields, body } = result.request;
    messages.push({ start: `${method} ${target}`, fields: written(fields), body: latin1(body) });
    if (left) break;
    rest = result.rest;
  }
  return { messages, refused: false, idle: reader.idle };
}

/** Each answer is read by a reader of its own, as the client does it: one request, one answer. */
function readResponses({ input, open }: Case): Read {
  const messages: SeenMessage[] = [];
  for (let rest = input; rest.length > 0; ) {
    const reader = new ResponseReader(MAX_BODY);
    const pushed = reader.push(rest);
    const result = pushed.type === 'more' && open ? reader.end() : pushed;
    if (result.type === 'error') return { messages, refused: true, idle: false };
    if (result.type !== 'response') break;
    const { status, fields, body } = result.response;
    messages.push({ start: String(status), fields: written(fields), body: latin1(body) });
    rest = result.rest;
    // What comes behind the last answer goes with its connection.
    if (rest.length > 0 && !result.keepAlive) return { messages, refused: true, idle: false };
  }
  return { messages, refused: false, idle: true };
}

/** What differs, as a pair of what we make of it and what llhttp does; undefined where nothing does. */
function difference(theirs: Case, ours: Read): { ours: object; theirs: object } | undefined {
  // Interim answers are passed over, and another protocol is nothing that we could refuse.
  const wanted = [...theirs.messages, ...(theirs.open ? [theirs.open] : [])].filter(({ start }) => !/^1(?!01)\d\d$/.test(start));
  const end = { refused: theirs.refused, idle: theirs.mayEnd ?? ours.idle };
  const pair = { ours, theirs: { messages: wanted, ...end } };
  return JSON.stringify(pair.ours) === JSON.stringify(pair.theirs) ? undefined : pair;
}

function judge(
  title: string,
  cases: Case[],
  count: number,
  read: (c: Case) => Read,
  disagreements: Readonly<Record<string, string>>,
): void {
  describe(title, () => {
    const agreeing = cases.filter((c) => !difference(c, read(c))).length;
    it('has the cases that it had', () => {
      expect(cases).toHaveLength(count);
      console.log(`llhttp, ${title}: ${agreeing} of ${count} agree, ${count - agreeing} do not and say why`);
    });
    it.each(cases.filter(({ name }) => !(name in disagreements)))('$name', (c) => {
      const found = difference(c, read(c));
      expect(found?.ours, c.name).toEqual(found?.theirs);
    });
    it.each(cases.filter(({ name }) => name in disagreements))('differs: $name', (c) => {
      expect(difference(c, read(c)), `agrees by now: ${c.name}`).toBeDefined();
    });
  });
}

/** Where we differ on purpose, and why. */
const ANSWERS: Readonly<Record<string, string>> = {
  'HTTP version 0.9': 'no server of today speaks it',
  'RTSP response': 'another protocol',
  'ICE response': 'another protocol',
  'HTTP 101 response with Upgrade and Content-Length header': 'no upgrade was asked for',
  'HTTP 101 response with Upgrade and Transfer-Encoding header': 'no upgrade was asked for',
  'Content-Length reset when no body is received': 'an answer to HEAD, which is never asked',
};
const REQUESTS: Readonly<Record<string, string>> = {
  'HTTP protocol and ANNOUNCE method': 'any token is a method: which ones are served is not a matter of framing (RFC 9110 part 9.1)',
  'Invalid method': 'any token is a method: which ones are served is not a matter of framing (RFC 9110 part 9.1)',
  'PRI request HTTP2': 'any token is a method, and this one is not followed by HTTP/2 here',
  'No HTTP version': 'HTTP/0.9, which no client of today speaks',
  'SOURCE request with ICE': 'another protocol',
  'OPTIONS request with RTSP': 'another protocol',
  'ANNOUNCE request with RTSP': 'another protocol',
  'Fragment in URI': 'RFC 9112 part 3.2: a target has none; readers differ on what it asks for',
  'POST with `chunked` as last transfer-encoding': 'deflate is not understood here: 501 (RFC 9112 part 6.1)',
  'POST with `chunked` as last transfer-encoding (multiple headers)': 'deflate is not understood here: 501 (RFC 9112 part 6.1)',
  'Content-Length reset when no body is received': 'the suite is told to pass over the body that the request announces',
};

describeSuite('http-llhttp.json', () => {
  judge('answers', llhttpCases('response'), 76, readResponses, ANSWERS);
  judge('requests', llhttpCases('request', 'request-finish'), 137, readRequests, REQUESTS);
});
