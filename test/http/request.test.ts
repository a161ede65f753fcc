import { describe, expect, it } from 'vitest';
import { requestHost } from '../../core/http/request.codec.js';
import { RequestReader, type RequestResult } from '../../core/http/request.engine.js';
import { concat, fromLatin1, latin1 } from '../../hal/base/bytes.js';
import { fuzz } from '../support/mutation.js';

const MAX = 1000;

/** Everything that a connection with these octets gives, pushed in pieces of `size`; answered at once. */
function read(text: string, size = text.length || 1): { results: RequestResult[]; reader: RequestReader } {
  const reader = new RequestReader(MAX);
  const results: RequestResult[] = [];
  const bytes = fromLatin1(text);
  for (let at = 0; at < bytes.length; at += size) {
    for (let rest = bytes.subarray(at, at + size); rest.length > 0; ) {
      const result = reader.push(rest);
      if (result.type !== 'more') results.push(result);
      if (result.type === 'error') return { results, reader };
      rest = result.type === 'request' ? result.rest : rest.subarray(rest.length);
    }
  }
  return { results, reader };
}
const told = (result: RequestResult): string => {
  if (result.type === 'request') return `${result.request.method} ${result.request.target} ${latin1(result.request.body)}`.trim();
  return result.type === 'error' ? String(result.status) : result.type;
};
const story = (text: string, size?: number): string[] => read(text, size).results.map(told);

const get = 'GET /status HTTP/1.1\r\nHost: a\r\n\r\n';
const put = 'PUT /api HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello';
const chunked = 'POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nT: 1\r\n\r\n';

describe('HTTP requests', () => {
  it.each([
    ['without a body', get, ['GET /status']],
    ['with a length', put, ['PUT /api hello']],
    ['in chunks', chunked, ['POST /up hello world']],
    ['after one another', get + put + chunked + get, ['GET /status', 'PUT /api hello', 'POST /up hello world', 'GET /status']],
    ['with empty lines between', `\r\n${put}\r\n\r\n${get}`, ['PUT /api hello', 'GET /status']],
    ['of which one is the last', get.replace('Host', 'Connection: close\r\nHost') + get, ['GET /status', '400']],
    ['of HTTP/1.0, which is the last', get.replace('1.1', '1.0') + get, ['GET /status', '400']],
    [
      'of HTTP/1.0 that go on',
      get.replace('1.1', '1.0').replace('Host', 'Connection: Keep-Alive\r\nHost') + get,
      ['GET /status', 'GET /status'],
    ],
    [
      'CONNECT, behind which is another protocol',
      `CONNECT a:443 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n${get}`,
      ['CONNECT a:443', '400'],
    ],
    ['with an upgrade that is passed over', get.replace('Host', 'Upgrade: h2c\r\nHost') + get, ['GET /status', 'GET /status']],
  ])('%s, cut at every octet and in one piece', (_name, text, expected) => {
    expect(story(text)).toEqual(expected);
    for (let size = 1; size < text.length; size++) expect(story(text, size), `pieces of ${size}`).toEqual(expected);
  });

  it('give method, target, version and fields as they were written', () => {
    const text = 'PATCH http://a:80/x?"y"|z HTTP/1.0\r\nX-A:  b \t\r\nx-a: \xe9\r\n\r\n';
    expect(read(text).results[0]).toMatchObject({
      request: {
        method: 'PATCH',
        target: 'http://a:80/x?"y"|z',
        version: '1.0',
        fields: [
          ['X-A', 'b'],
          ['x-a', '\xe9'],
        ],
      },
      keepAlive: false,
    });
  });

  it('tell whether a connection stands between two of them', () => {
    const { reader } = read(put);
    expect(reader.idle).toBe(true);
    reader.push(fromLatin1('\r\n'));
    expect(reader.idle).toBe(true);
    reader.push(fromLatin1('G'));
    expect(reader.idle).toBe(false);
    expect(read(put.slice(0, -1)).reader.idle).toBe(false);
  });

  it('that wait for 100 are told so once, when nothing of the body has come', () => {
    const head = put.replace('Host', 'Expect: 100-Continue\r\nHost').slice(0, -5);
    expect(story(head)).toEqual(['continue']);
    expect(story(head, 1)).toEqual(['continue']);
    const { reader } = read(head);
    expect(told(reader.push(fromLatin1('hel')))).toBe('more');
    expect(told(reader.push(fromLatin1('lo')))).toBe('PUT /api hello');
    expect(story(`${head}hello`)).toEqual(['PUT /api hello']);
    expect(story(`${head}hel`)).toEqual([]);
    // RFC 9110 part 10.1.1: not to HTTP/1.0, and not where there is no body.
    expect(story(head.replace('1.1', '1.0'))).toEqual([]);
    expect(story(get.replace('Host', 'Expect: 100-continue\r\nHost'))).toEqual(['GET /status']);
    expect(story(head.replace('100-Continue', 'a miracle'))).toEqual(['417']);
    // Rather a refusal than an invitation.
    expect(story(head.replace('Content-Length: 5', 'Content-Length: 1001'))).toEqual(['413']);
  });

  it.each([
    ['both lengths', 'Content-Length: 5\r\nTransfer-Encoding: chunked', 400],
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 5', 400],
    ['a list of lengths', 'Content-Length: 5, 5', 400],
    ['a signed length', 'Content-Length: +5', 400],
    ['no length at all', 'Content-Length:', 400],
    ['an empty transfer coding', 'Transfer-Encoding:', 400],
    ['a transfer coding that does not end in chunks', 'Transfer-Encoding: chunked, gzip', 400],
    ['chunks twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', 400],
    ['an unknown transfer coding', 'Transfer-Encoding: gzip, chunked', 501],
    ['an identity that is no coding', 'Transfer-Encoding: identity', 400],
    ['a folded field', 'A: b\r\n c', 400],
    ['a space before the colon', 'A : b', 400],
    ['a NUL', 'A: b\0', 400],
    ['a line feed alone', 'A: b\nC: d', 400],
    ['a carriage return alone', 'A: b\rC: d', 400],
    ['a long field', `A: ${'x'.repeat(9000)}`, 431],
    ['many fields', 'A: b\r\n'.repeat(100), 431],
    ['much in its fields', `A: ${'x'.repeat(8000)}\r\n`.repeat(5), 431],
    ['a long body', 'Content-Length: 1001', 413],
  ])('with %s are refused, in one piece and octet by octet', (_name, fields, status) => {
    const text = `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n`;
    expect(story(text)).toEqual([String(status)]);
    expect(story(text, 1)).toEqual([String(status)]);
  });

  it.each([
    ['GET / HTTP/2.0', 505],
    ['GET / HTTP/1.2', 505],
    ['GET / HTTP/1', 400],
    ['GET / http/1.1', 400],
    ['GET /', 400],
    ['GET  / HTTP/1.1', 400],
    ['GET /a b HTTP/1.1', 400],
    ['GET / HTTP/1.1 ', 400],
    [' GET / HTTP/1.1', 400],
    ['G@T / HTTP/1.1', 400],
    ['GET status HTTP/1.1', 400],
    ['GET ../ HTTP/1.1', 400],
    ['GET ftp://a/ HTTP/1.1', 400],
    ['GET ** HTTP/1.1', 400],
    ['GET /a#b HTTP/1.1', 400],
    ['GET /\xe9 HTTP/1.1', 400],
    ['GET /\x7f HTTP/1.1', 400],
    [`GET /${'x'.repeat(9000)} HTTP/1.1`, 414],
    ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['\r\n\r\n\r\n\r\n', 400],
  ])('that begin with %j are refused', (line, status) => {
    expect(story(`${line}\r\nHost: a\r\n\r\n`)).toEqual([String(status)]);
  });

  it.each([
    ['a chunk with a sign', '-5\r\n', 400],
    ['a chunk with a space', '5 \r\nhello\r\n', 400],
    ['a chunk longer than it said', '2\r\nhello\r\n', 400],
    ['a malformed trailer', '0\r\nnonsense\r\n', 400],
    ['too many chunks', `${'64\r\n'}${'x'.repeat(100)}\r\n`.repeat(11), 413],
  ])('with %s are refused', (_name, body, status) => {
    expect(story(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}`)).toEqual([String(status)]);
  });

  it('each has all of the limits for itself', () => {
    const long = `\r\n${get.replace('Host', `A: ${'x'.repeat(8000)}\r\nHost`)}`;
    expect(story(long.repeat(20))).toEqual(Array(20).fill('GET /status'));
  });

  it('after an error nothing is read any more', () => {
    const { reader } = read('nonsense\r\n');
    expect(reader.push(fromLatin1(get))).toMatchObject({ type: 'error', status: 400 });
  });

  it('never throw, never keep more than their limit, and end alike in one piece and in many', () => {
    const samples = [get, put, chunked, put + get, put.replace('Host', 'Expect: 100-continue\r\nHost')].map(fromLatin1);
    fuzz(samples, 10_000, (input) => {
      const text = latin1(input);
      const whole = read(text).results.filter(({ type }) => type !== 'continue');
      expect(
        read(text, 7)
          .results.filter(({ type }) => type !== 'continue')
          .map(told),
      ).toEqual(whole.map(told));
      for (const result of whole) if (result.type === 'request') expect(concat(result.request.body).length).toBeLessThanOrEqual(MAX);
    });
  });
});

describe('the host of a request', () => {
  const host = (head: string): string | undefined => {
    const [result] = read(`${head}\r\n\r\n`).results;
    if (result?.type !== 'request') throw new Error('no request');
    const found = requestHost(result.request);
    return found.ok ? found.value : `${found.error.status}`;
  };
  it.each([
    ['GET / HTTP/1.1\r\nHost: Device.example.test:8443', 'device.example.test:8443'],
    ['GET / HTTP/1.1\r\nhost: [2001:db8::1]:80', '[2001:db8::1]:80'],
    ['GET http://b/ HTTP/1.1\r\nHost: a', 'b'],
    ['GET http://b?x HTTP/1.1\r\nHost: a', 'b'],
    ['GET / HTTP/1.0', undefined],
    ['GET / HTTP/1.1', '400'],
    ['GET http://b/ HTTP/1.1', '400'],
    ['GET / HTTP/1.1\r\nHost: a\r\nHost: a', '400'],
    ['GET / HTTP/1.1\r\nHost:', '400'],
    ['GET / HTTP/1.1\r\nHost: a/b', '400'],
    ['GET / HTTP/1.1\r\nHost: a, b', '400'],
    ['GET http://u:p@b/ HTTP/1.1\r\nHost: a', '400'],
  ])('%j: %s', (head, expected) => expect(host(head)).toBe(expected));
});
