/** The answers of llhttp's own test suite, judged by ours: the same acceptance, and for what is accepted the same status, fields and body. */
import { expect, it } from 'vitest';
import { ResponseReader, type ResponseResult } from '../../core/http/response.engine.js';
import { concat, fromLatin1, latin1 } from '../../hal/base/bytes.js';
import { describeSuite, readSharedJson } from '../support/shared.js';

interface Case {
  name: string;
  type: string;
  meta: { skipBody?: boolean };
  input_b64: string;
  error: { code: number; reason: string } | null;
  log: readonly string[];
}

/** Where we differ on purpose, and why. */
const DISAGREE: Readonly<Record<string, string>> = {
  'HTTP version 0.9': 'no server of today speaks it',
  'RTSP response': 'another protocol',
  'ICE response': 'another protocol',
  'HTTP 101 response with Upgrade and Content-Length header': 'no upgrade was asked for',
  'HTTP 101 response with Upgrade and Transfer-Encoding header': 'no upgrade was asked for',
  'HTTP/1.1 with keep-alive disabled and 204 status': 'octets after the last answer are dropped with the connection',
  'HTTP/1.1 with keep-alive disabled, content-length': 'octets after the last answer are dropped with the connection',
  'Content-Length reset when no body is received': 'an answer to HEAD, which is never asked',
};

/** The fixtures have lost the empty line at their end where there was nothing behind it. */
const restored = (bytes: Uint8Array): Uint8Array => concat(bytes, fromLatin1(latin1(bytes).endsWith('\r\n') ? '\r\n' : ''));

function read(bytes: Uint8Array): ResponseResult {
  const reader = new ResponseReader(1_000_000);
  const result = reader.push(bytes);
  return result.type === 'more' ? reader.end() : result;
}

const span = (line: string): string => /="(.*)"$/s.exec(line)?.[1] ?? (line.endsWith('=lf') ? '\n' : '\r');
const spans = (log: readonly string[], kind: string): string[] => log.filter((line) => line.includes(`span[${kind}]`)).map(span);

describeSuite('http-llhttp.json', () => {
  const cases = readSharedJson<{ cases: Case[] }>('suites/http-llhttp.json').cases.filter(({ type }) => type === 'response');
  const judged = cases.filter(({ name }) => !(name in DISAGREE));

  it('has the cases that it had', () => {
    expect(cases).toHaveLength(76);
    console.log(`llhttp answers: ${judged.length} of ${cases.length} judged, ${cases.length - judged.length} disagreements with reasons`);
  });

  it.each(judged)('$name', ({ input_b64, error, log }) => {
    const input = Uint8Array.from(Buffer.from(input_b64, 'base64'));
    // A wrong line is refused at its end, which one fixture does not have.
    const result = read(error ? concat(input, fromLatin1('\r\n')) : restored(input));
    if (error) return void expect(result).toMatchObject({ type: 'error', kind: 'other' });
    // Of several answers on one connection the first final one is ours; interim ones are passed over.
    const messages = log
      .join('\u0001')
      .split('reset')
      .map((text) => text.split('\u0001'));
    const message = messages.find((lines) => !lines.some((line) => /status=1\d\d /.test(line)))!;
    const status = Number(/status=(\d+)/.exec(message.join(' '))?.[1]);
    if (result.type === 'error') {
      // The fixture stops before its own end: llhttp has seen the same, and waits for more.
      expect(result.kind).toBe('reset');
      return expect(message.some((line) => line.endsWith('message complete'))).toBe(false);
    }
    if (result.type !== 'response') return expect.unreachable();
    expect(result.response.status).toBe(status);
    expect(result.response.fields.map(([name]) => name)).toEqual(spans(message, 'header_field'));
    expect(latin1(result.response.body)).toBe(spans(message, 'body').join(''));
    return undefined;
  });
});
