import { describe, expect, it } from 'vitest';
import { addressOctets, addressText } from '../../core/certs/address.js';
import { bits, derFromBer, oid, oidText, readDer, Tag, time, unsigned } from '../../core/certs/asn1.js';
import { readCertificate } from '../../core/certs/certificate.codec.js';
import { readPem, writePem } from '../../core/certs/pem.codec.js';
import { fromHex, hex, utf8 } from '../../hal/base/bytes.js';
import { craft, extension } from './craft.js';
import { date, parsed, testKey } from './support.js';

const octets = (text: string): Uint8Array => fromHex(text.replaceAll(' ', ''))!;
const ofOne = <T>(text: string, read: (value: ReturnType<Parameters<Parameters<typeof readDer>[1]>[0]['value']>) => T) =>
  readDer(octets(text), (top) => read(top.value()));

describe('DER', () => {
  it.each<[string, string, number]>([
    ['30 80 00 00', 'indefinite length', 0],
    ['30 81 01 00', 'the length is not in its shortest form', 0],
    ['30 82 00 80', 'the length is not in its shortest form', 0],
    ['30 85 00 00 00 00 00', 'a length of more than four octets', 0],
    ['30 02 05', 'the value is longer than what holds it', 0],
    ['30 00 00', 'octets are left over', 2],
    ['1f 1f 00', 'tag numbers above 30 are not used here', 0],
    ['30', 'the length is missing', 0],
    ['', 'a value is missing', 0],
  ])('%s: %s', (text, detail, offset) => expect(ofOne(text, () => 0)).toEqual({ ok: false, error: { detail, offset } }));

  it.each(['06 00', '06 01 80', '06 02 80 01', '06 02 2a 86'])('%s is no object identifier', (text) =>
    expect(ofOne(text, oidText).ok).toBe(false));
  it.each(['03 00', '03 01 01', '03 02 08 00', '03 02 01 01'])('%s is no bit string', (text) => expect(ofOne(text, bits).ok).toBe(false));

  it('writes what it reads', () => {
    for (const id of ['2.5.4.3', '1.2.840.113549.1.1.11', '2.16.840.1.101.3.4.2.1', '0.9.2342.19200300.100.1.25', '2.999.1']) {
      expect(readDer(oid(id), (top) => oidText(top.value(Tag.oid)))).toEqual({ ok: true, value: id });
    }
    expect(hex(unsigned(Uint8Array.of(0, 0, 0x80)))).toBe('02020080');
    expect(hex(unsigned(Uint8Array.of(0)))).toBe('020100');
  });

  it('takes BER of indefinite length from files', () => {
    expect(hex(derFromBer(octets('30 80 04 01 07 00 00'))!)).toBe('3003040107');
    expect(derFromBer(octets('30 80 04 01 07'))).toBeUndefined();
    expect(derFromBer(new Uint8Array(200).fill(0x30))).toBeUndefined();
  });

  it.each([
    ['an INTEGER with an octet to spare', '30 80 02 02 00 01 00 00'],
    ['a value of another class with the same number', '30 80 82 02 00 01 00 00'],
  ])('refuses BER that could not be kept: %s', (_name, text) => expect(derFromBer(octets(text))).toBeUndefined());

  it.each(['02 02 00 80', '30 04 82 02 00 01', '30 04 02 02 ff ff', '24 03 04 01 07'])('gives back DER as it is: %s', (text) =>
    expect(derFromBer(octets(text))).toEqual(octets(text)));
});

describe('PEM', () => {
  it('wraps at 64 characters and reads itself back', () => {
    const body = new Uint8Array(100).fill(7);
    const text = writePem('CERTIFICATE', body);
    expect(text.split('\n').map((line) => line.length)).toEqual([27, 64, 64, 8, 25, 0]);
    expect(readPem(utf8(text.replaceAll('\n', '\r\n')))).toEqual({
      ok: true,
      value: [{ label: 'CERTIFICATE', octets: body, headers: {} }],
    });
  });

  it.each<[string, number, RegExp]>([
    ['x\n-----BEGIN A-----\nAAAA\n', 2, /A is cut off/],
    ['-----BEGIN A-----\n-----BEGIN B-----\n', 2, /does not end before/],
    ['-----END A-----\n', 1, /without its BEGIN/],
    ['-----BEGIN A-----\n!!!!\n-----END A-----\n', 1, /not base64/],
  ])('%j is refused at line %i', (text, line, detail) =>
    expect(readPem(utf8(text))).toEqual({ ok: false, error: { line, detail: expect.stringMatching(detail) } }));
});

describe('a certificate', () => {
  const signer = testKey('ec-p256', 0).key;
  const made = (more: Partial<Parameters<typeof craft>[0]> = {}) => craft({ subject: 'a', issuer: 'b', signer, ...more });

  it('has dates of both forms', () => {
    for (const text of ['1950-01-01', '2049-12-31', '2050-01-01', '9999-12-31']) {
      expect(parsed(made({ from: date('1950-01-01'), until: date(text) })).notAfter).toBe(date(text));
    }
    expect(hex(time(date('2049-12-31')))).toMatch(/^170d/);
    expect(hex(time(date('2050-01-01')))).toMatch(/^180f/);
  });

  it('has a subject that cannot forge a line of a log', () => {
    expect(parsed(made({ subject: ' a,b\n"c"+<d>\u2028 ' })).subject.text).toBe('CN=\\ a\\,b\\0a\\"c\\"\\+\\<d\\>\\2028\\ ');
    expect(parsed(made({ subject: 'x'.repeat(1000) })).subject.text).toHaveLength(256);
  });

  it('of version 1 has no extensions', () => {
    expect(parsed(made({ version: 1 }))).toMatchObject({ version: 1, extensions: { unknownCritical: [] } });
    expect(readCertificate(made({ version: 2, extensions: [extension('1.2.3', false, Uint8Array.of(5, 0))] })).ok).toBe(false);
    expect(readCertificate(made({ version: 4 })).ok).toBe(false);
  });

  it('does not say one signature algorithm inside and another outside', () => {
    expect(readCertificate(made({ hash: 'sha256', claimedHash: 'sha1' }))).toMatchObject({
      ok: false,
      error: { detail: expect.stringContaining('inside and outside') },
    });
  });

  it('does not have the same extension twice', () => {
    const twice = [extension('1.2.3', false, Uint8Array.of(5, 0)), extension('1.2.3', false, Uint8Array.of(5, 0))];
    expect(readCertificate(made({ extensions: twice }))).toMatchObject({ ok: false, error: { detail: 'extension 1.2.3 twice' } });
  });
});

describe('IP addresses', () => {
  it.each([
    '192.0.2.7',
    '::',
    '::1',
    '2001:db8::1',
    '2001:db8:0:1:1:1:1:1',
    'fe80::1:0:0:1',
    '1:2:3:4:5:6:7:8',
  ])('%s is read and written', (text) => expect(addressText(addressOctets(text)!)).toBe(text));
  it('have one octet form', () => expect(hex(addressOctets('::ffff:192.0.2.7')!)).toBe('00000000000000000000ffffc0000207'));
  it.each([
    '',
    '1.2.3',
    '1.2.3.256',
    '01.2.3.4',
    '1::2::3',
    '1:2:3:4:5:6:7:8:9',
    ':::',
    '1:2:3:4:5:6:7::8',
    'g::',
    'host',
    '1.2.3.4:5',
  ])('%j is none', (text) => expect(addressOctets(text)).toBeUndefined());
  it('of another length have no text', () => expect(addressText(new Uint8Array(5))).toBeUndefined());
});
