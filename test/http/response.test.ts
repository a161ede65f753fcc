import { describe, expect, it } from 'vitest';
import { field } from '../../core/http/message.codec.js';
import { ResponseReader, type ResponseResult } from '../../core/http/response.engine.js';
import { concat, fromLatin1, latin1 } from '../../hal/base/bytes.js';
import { memoryInUse } from '../support/memory.js';
import { fuzz } from '../support/mutation.js';

const MAX = 1000;

/** Reads the whole text in pieces of `size`; closes after it when asked. */
function read(text: string, size = text.length || 1, close = false): ResponseResult {
  const reader = new ResponseReader(MAX);
  const bytes = fromLatin1(text);
  let result: ResponseResult = { type: 'more' };
  for (let at = 0; at < bytes.length && result.type === 'more'; at += size) result = reader.push(bytes.subarray(at, at + size));
  return result.type === 'more' && close ? reader.end() : result;
}
const body = (result: ResponseResult): string => (result.type === 'response' ? latin1(result.response.body) : JSON.stringify(result));

const plain = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: "x"\r\n\r\nhello';
const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b;c="d\\"e"\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n';

describe('HTTP answers', () => {
  it.each([
    ['a length', plain, 'hello'],
    ['chunks', chunked, 'hello world'],
    ['an interim answer first', `HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${plain}`, 'hello'],
    ['an empty line first', `\r\n${plain}`, 'hello'],
    ['no body at all', 'HTTP/1.1 204 No Content\r\n\r\n', ''],
    ['304 with the length of what is not sent', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n', ''],
    ['no reason phrase', 'HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n', ''],
  ])('with %s, cut at every octet and in one piece', (_name, text, expected) => {
    expect(body(read(text))).toBe(expected);
    for (let size = 1; size < text.length; size++) expect(body(read(text, size)), `pieces of ${size}`).toBe(expected);
  });

  it('gives status, fields and whether the connection can go on', () => {
    expect(read(plain)).toMatchObject({ type: 'response', keepAlive: true, response: { status: 200, reason: 'OK', version: '1.1' } });
    const result = read(plain);
    expect(result.type === 'response' && field(result.response.fields, 'etag')).toBe('"x"');
    expect(read(plain.replace('ETag: "x"', 'Connection: close'))).toMatchObject({ keepAlive: false });
    expect(read(plain.replace('1.1', '1.0'))).toMatchObject({ keepAlive: false });
    expect(read(plain.replace('1.1', '1.0').replace('ETag: "x"', 'Connection: keep-alive'))).toMatchObject({ keepAlive: true });
    expect(read(`${plain}HTTP/1.1 200`)).toMatchObject({ rest: fromLatin1('HTTP/1.1 200') });
  });

  it('without a length ends where the connection ends in order', () => {
    const text = 'HTTP/1.1 200 OK\r\n\r\nall of it';
    expect(read(text)).toEqual({ type: 'more' });
    expect(body(read(text, 3, true))).toBe('all of it');
  });

  it.each([
    ['Content-Length: 10\r\n\r\nhello', 'after 5 of 10 octets'],
    ['Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', 'in the middle of the answer'],
    ['Content-Len', 'before an answer'],
  ])('cut short is no answer: %j', (rest, words) => {
    expect(read(`HTTP/1.1 200 OK\r\n${rest}`, 1, true)).toEqual({ type: 'error', kind: 'reset', detail: expect.stringContaining(words) });
  });

  it.each([
    ['both lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n'],
    ['a list of lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n'],
    ['a signed length', 'HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n'],
    ['a length beyond all numbers', `HTTP/1.1 200 OK\r\nContent-Length: ${'9'.repeat(16)}\r\n\r\n`],
    ['a folded field', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n'],
    ['a space before the colon', 'HTTP/1.1 200 OK\r\nA : b\r\n\r\n'],
    ['a field without a name', 'HTTP/1.1 200 OK\r\n: b\r\n\r\n'],
    ['a field without a colon', 'HTTP/1.1 200 OK\r\nabc\r\n\r\n'],
    ['a NUL in a value', 'HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n'],
    ['a line feed alone', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
    ['a carriage return alone', 'HTTP/1.1 200 OK\rContent-Length: 0\r\n\r\n'],
    ['a version that is none', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['a status that is none', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a foreign protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['an upgrade unasked', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n'],
    ['chunks within chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n'],
    ['an empty transfer coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\nContent-Length: 0\r\n\r\n'],
    ['chunks for HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['a chunk with a sign', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n'],
    ['a chunk with a space', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5  \r\n'],
    ['a chunk longer than it said', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n'],
    ['a trailer that is none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nnonsense\r\n'],
    ['a line without end', `HTTP/1.1 200 OK\r\nA: ${'x'.repeat(9000)}`],
    ['a head without end', `HTTP/1.1 200 OK\r\n${`A: ${'x'.repeat(8000)}\r\n`.repeat(5)}`],
    ['empty lines without end', '\r\n'.repeat(5)],
    ['fields without end', `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(101)}`],
    ['interim answers without end', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(5)],
  ])('with %s is refused', (_name, text) => {
    expect(read(text)).toMatchObject({ type: 'error', kind: 'other' });
    expect(read(text, 1)).toMatchObject({ type: 'error', kind: 'other' });
  });

  it.each([
    ['announced', 'Content-Length: 1001\r\n\r\n', 'of 1001 octets'],
    ['in chunks', `Transfer-Encoding: chunked\r\n\r\n3e9\r\n${'x'.repeat(1001)}\r\n`, 'in chunks'],
    ['without a length', `\r\n${'x'.repeat(1001)}`, 'without a length'],
  ])('too big, %s', (_name, rest, words) => {
    expect(read(`HTTP/1.1 200 OK\r\n${rest}`)).toEqual({ type: 'error', kind: 'too-big', detail: expect.stringContaining(words) });
  });

  it('in the smallest chunks is kept in the room of its body', () => {
    const octets = 200_000;
    const reader = new ResponseReader(octets);
    const before = memoryInUse();
    for (let left = octets, head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'; left > 0; left -= 1000, head = '')
      expect(reader.push(fromLatin1(`${head}${'1\r\na\r\n'.repeat(1000)}`)).type).toBe('more');
    expect(memoryInUse() - before).toBeLessThan(4 * octets);
    expect(body(reader.push(fromLatin1('0\r\n\r\n')))).toHaveLength(octets);
  });

  it('never throws, never keeps more than its limit, and ends alike in one piece and in many', () => {
    fuzz([fromLatin1(plain), fromLatin1(chunked), fromLatin1(`HTTP/1.1 100 Continue\r\n\r\n${chunked}`)], 10_000, (input) => {
      const whole = new ResponseReader(MAX).push(input);
      const reader = new ResponseReader(MAX);
      let pieces: ResponseResult = { type: 'more' };
      for (let at = 0; at < input.length && pieces.type === 'more'; at += 7) pieces = reader.push(input.subarray(at, at + 7));
      expect(pieces.type).toBe(whole.type);
      if (whole.type === 'response' && pieces.type === 'response') {
        expect(pieces.response).toEqual(whole.response);
        expect(concat(whole.response.body).length).toBeLessThanOrEqual(MAX);
      }
    });
  });
});
