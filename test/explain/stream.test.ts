/** Segments put in order, and records cut from what comes of it. */
import { describe, expect, it } from 'vitest';
import { OrderedStream } from '../../tools/explain/ordered-stream.engine.js';
import { beginsRecord, RecordReader } from '../../tools/explain/tls-record.engine.js';

/** What a stream gives, octets as text and gaps in brackets. */
function stream(first?: number) {
  let given = '';
  const ordered = new OrderedStream({ data: (bytes) => (given += Buffer.from(bytes)), missing: (octets) => (given += `[${octets}]`) });
  if (first !== undefined) ordered.begin(first);
  const put = (sequence: number, text: string, length = text.length): void => ordered.segment(sequence >>> 0, Buffer.from(text), length, 0);
  return { ordered, put, given: () => given };
}

describe('a stream', () => {
  it('puts late segments where they belong, and counts them', () => {
    const { ordered, put, given } = stream(100);
    put(103, 'def');
    put(109, 'jk');
    put(100, 'abc');
    put(106, 'ghi');
    expect(given()).toBe('abcdefghijk');
    expect(ordered).toMatchObject({ octets: 11, late: 2, repeated: 0, missing: 0 });
  });

  it('takes each octet once, however often and in whatever pieces it comes', () => {
    const { ordered, put, given } = stream(0);
    put(0, 'abcd');
    put(0, 'abcd');
    put(2, 'cdef');
    put(1, 'bc');
    expect(given()).toBe('abcdef');
    expect(ordered).toMatchObject({ octets: 6, repeated: 2 });
  });

  it('does not count keepalives, which repeat an octet on purpose', () => {
    const { ordered, put } = stream(0);
    put(0, 'abcd');
    put(3, 'd');
    expect(ordered.repeated).toBe(0);
  });

  it('goes on where numbers wrap', () => {
    const { put, given } = stream(0xffff_fffe);
    put(2, 'ef');
    put(0xffff_fffe, 'abcd');
    expect(given()).toBe('abcdef');
  });

  it('begins with what it sees first, where there was no SYN', () => {
    const { put, given } = stream();
    put(5000, 'abc');
    put(4990, 'before');
    put(5003, 'def');
    expect(given()).toBe('abcdef');
  });

  it('says what is missing: when it was acknowledged, when too much waits, and at the end', () => {
    const acknowledged = stream(0);
    acknowledged.put(3, 'def');
    acknowledged.ordered.acknowledged(0);
    expect(acknowledged.given()).toBe('');
    acknowledged.ordered.acknowledged(6);
    expect(acknowledged.given()).toBe('[3]def');
    const crowded = stream(0);
    for (let i = 0; i < 300; i++) crowded.put(1 + 2 * i, 'x');
    expect(crowded.given().length).toBeGreaterThan(0);
    const ended = stream(0);
    ended.put(10, 'k');
    ended.put(5, 'f');
    ended.ordered.flush();
    expect(ended.given()).toBe('[5]f[4]k');
    expect(ended.ordered.missing).toBe(9);
  });

  it('says what a short capture cut off', () => {
    const { ordered, put, given } = stream(0);
    put(0, 'abc', 10);
    put(10, 'k');
    expect(given()).toBe('abc[7]k');
    expect(ordered).toMatchObject({ octets: 11, missing: 7 });
  });
});

/** Records as `type:body`, `~` before one with a hole. */
function records() {
  const seen: string[] = [];
  const reader = new RecordReader({
    record: ({ type, body, whole }) => void seen.push(`${whole ? '' : '~'}${type}:${Buffer.from(body)}`),
    lost: () => void seen.push('lost'),
  });
  return { reader, seen };
}
const record = (type: number, text: string): Buffer => Buffer.concat([Buffer.from([type, 3, 3, 0, text.length]), Buffer.from(text)]);

describe('records', () => {
  it('are the same in whatever pieces they come', () => {
    const bytes = Buffer.concat([record(22, 'hello'), record(23, 'data'), record(21, '\u0001\u0000')]);
    for (let size = 1; size <= bytes.length; size++) {
      const { reader, seen } = records();
      for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size), 0);
      expect(seen).toEqual(['22:hello', '23:data', '21:\u0001\u0000']);
    }
  });

  it('with a hole inside cost themselves alone', () => {
    const { reader, seen } = records();
    reader.push(record(23, 'abcdef').subarray(0, 7), 0);
    reader.missing(4, 0);
    reader.push(record(23, 'next'), 0);
    expect(seen).toEqual(['~23:ab\0\0\0\0', '23:next']);
  });

  it('are found again at a segment after a larger hole', () => {
    const { reader, seen } = records();
    reader.push(record(23, 'abcdef').subarray(0, 7), 0);
    reader.missing(400, 0);
    reader.push(Buffer.from('the middle of something'), 0);
    reader.push(record(23, 'next'), 0);
    expect(seen).toEqual(['lost', '23:next']);
  });

  it('begin with a type, version 3 and a length that may be', () => {
    expect(beginsRecord(record(22, 'x'))).toBe(true);
    expect(beginsRecord(Buffer.from([22, 3]))).toBe(true);
    for (const wrong of [
      'GET / HTTP',
      '\u0016\u0002',
      '\u0016\u0003\u0009',
      '\u0017\u0003\u0003\u00ff\u00ff',
      '\u0001\u0003\u0003\u0000\u0005',
    ])
      expect(beginsRecord(Buffer.from(wrong, 'latin1'))).toBe(false);
  });
});
