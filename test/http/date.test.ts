import { describe, expect, it } from 'vitest';
import { readHttpDate, writeHttpDate } from '../../core/http/date.codec.js';
import { fromLatin1, latin1 } from '../../hal/base/bytes.js';
import { fuzz } from '../support/mutation.js';

describe('HTTP dates', () => {
  it.each(['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])('%s', (text) =>
    expect(readHttpDate(text)).toBe(Date.UTC(1994, 10, 6, 8, 49, 37)));

  it('reads years of this century in two digits, and leap seconds', () => {
    expect(readHttpDate('Friday, 02-Jan-26 00:00:00 GMT')).toBe(Date.UTC(2026, 0, 2));
    expect(readHttpDate('Sat, 31 Dec 2016 23:59:60 GMT')).toBe(Date.UTC(2016, 11, 31, 23, 59, 59));
  });

  it.each([
    '',
    '0',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 +0100',
    'Sun, 30 Feb 2025 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Sun Nov 31 08:49:37 1994',
  ])('%j is none', (text) => expect(readHttpDate(text)).toBeUndefined());

  it.each([
    0, 784_111_777_000, 951_782_400_000, 1_780_000_000_000, 4_102_444_799_000,
  ])('is written as Node writes it, and read back: %d', (at) => {
    expect(writeHttpDate(at)).toBe(new Date(at).toUTCString());
    expect(readHttpDate(writeHttpDate(at))).toBe(at);
  });

  it('never throws', () => {
    fuzz(['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT'].map(fromLatin1), 20_000, (input) => {
      const at = readHttpDate(latin1(input));
      expect(at === undefined || Number.isInteger(at)).toBe(true);
    });
  });
});
