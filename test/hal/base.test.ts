import { describe, expect, it } from 'vitest';
import { BoundedQueue } from '../../hal/base/bounded-queue.js';
import { base64, equal, fromBase64, fromHex, fromUtf8, hex, utf8 } from '../../hal/base/bytes.js';
import { calendar, fromIso8601, iso8601, utc } from '../../hal/base/time.js';

describe('text and octets', () => {
  it('agree with the platform on UTF-8, ill-formed octets included', () => {
    const texts = ['', 'plain', 'Grüße', '日本', '🔔 bell', '\ud800 lone', 'a\udc00'];
    for (const text of texts) expect(hex(utf8(text))).toBe(Buffer.from(text, 'utf8').toString('hex'));
    for (const text of texts.slice(0, 5)) expect(fromUtf8(utf8(text))).toBe(text);
    for (const bad of ['80', 'c080', 'e0a0', 'f8888080', 'eda080', 'f4908080', '61c3']) expect(fromUtf8(fromHex(bad)!)).toContain('\ufffd');
  });

  it('agree with the platform on base64, padded and not', () => {
    for (let n = 0; n < 40; n++) {
      const bytes = Uint8Array.from({ length: n }, (_, i) => (i * 37 + n) & 255);
      const text = Buffer.from(bytes).toString('base64');
      expect(base64(bytes)).toBe(text);
      expect(fromBase64(text)).toEqual(bytes);
      expect(fromBase64(text.replace(/=+$/, ''))).toEqual(bytes);
    }
    for (const bad of ['a', 'ab*d', 'abcde', 'ab cd']) expect(fromBase64(bad)).toBeUndefined();
  });

  it('compare by value', () => {
    expect(equal(utf8('abc'), utf8('abc'))).toBe(true);
    expect(equal(utf8('abc'), utf8('abd'))).toBe(false);
    expect(equal(utf8('abc'), utf8('ab'))).toBe(false);
  });
});

describe('calendar', () => {
  it('reads and writes ISO 8601, and refuses dates that do not exist', () => {
    const at = fromIso8601('2026-02-28T23:59:59Z')!;
    expect(iso8601(at)).toBe('2026-02-28T23:59:59.000Z');
    expect(calendar(at)).toEqual({ year: 2026, month: 2, day: 28, hour: 23, minute: 59, second: 59 });
    for (const bad of ['2026-02-30', '2026-13-01', '2026-01-01T24:00:00Z', 'yesterday', '']) expect(fromIso8601(bad)).toBeUndefined();
    expect(utc(2050, 1, 1)).toBe(Date.UTC(2050, 0, 1));
    expect(utc(50, 1, 1)).toBe(new Date('0050-01-01T00:00:00Z').getTime());
  });
});

describe('a bounded queue', () => {
  it('keeps order and refuses beyond its limit', () => {
    const queue = new BoundedQueue<number>(3);
    expect([1, 2, 3, 4].map((n) => queue.push(n))).toEqual([true, true, true, false]);
    expect(queue.shift()).toBe(1);
    expect(queue.push(5)).toBe(true);
    expect([queue.shift(), queue.shift(), queue.shift(), queue.shift()]).toEqual([2, 3, 5, undefined]);
  });
});
