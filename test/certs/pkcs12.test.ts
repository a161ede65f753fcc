import { describe, expect, it } from 'vitest';
import { context, der, oid, sequence, Tag, unsigned } from '../../core/certs/asn1.js';
import { readCertificateFile } from '../../core/certs/certificate-file.codec.js';
import { issueCertificate, issueSelfSigned } from '../../core/certs/issue.js';
import { Content } from '../../core/certs/oids.js';
import { writePem } from '../../core/certs/pem.codec.js';
import { concat, equal, fromLatin1, hex } from '../../hal/base/bytes.js';
import { openssl } from './openssl.js';
import { nodeCrypto, template, testKey, testPorts } from './support.js';

const ports = testPorts();
const own = testKey('rsa-2048', 0);
const site = {
  certificate: issueSelfSigned(ports, template('Site CA', 4, { authority: {} }), testKey('ec-p256', 4).key),
  key: testKey('ec-p256', 4).key,
};
const leaf = issueCertificate(ports, template('lobby', 5, { publicKey: own.key.spki }), site);
const files = {
  key: writePem('PRIVATE KEY', own.pkcs8),
  cert: writePem('CERTIFICATE', leaf),
  ca: writePem('CERTIFICATE', site.certificate),
};
const made = (...how: string[]): Uint8Array =>
  new Uint8Array(openssl(['pkcs12', '-export', '-inkey', 'key', '-in', 'cert', '-certfile', 'ca', '-out', 'out', ...how], files));

function read(file: Uint8Array, passphrase?: string): string {
  const result = readCertificateFile(file, { crypto: nodeCrypto, ...(passphrase === undefined ? {} : { passphrase }) });
  if (!result.ok) return result.error.detail;
  const { certificates, keys } = result.value;
  const key = keys[0]?.();
  if (key && !key.ok) return key.error.detail;
  const imported = key && nodeCrypto.importKey(key.value);
  const fits = imported?.ok && certificates.some(({ spki }) => equal(spki, imported.value.spki));
  return `${certificates.map(({ subject }) => subject.text).join(' ')}${key ? ` with ${fits ? 'its' : 'another'} key` : ''}`;
}
const WHOLE = 'CN=lobby,O=Test CN=Site CA,O=Test with its key';

describe('a PKCS#12 file of openssl', () => {
  it.each<[string, string[]]>([
    ['as version 3 writes it', []],
    ['as version 1 and Windows write it: RC2-40 and triple DES', ['-legacy']],
    ['triple DES for all', ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1']],
    ['authenticated by SHA-512', ['-macalg', 'sha512']],
    ['AES-128, SHA-384', ['-keypbe', 'aes-128-cbc', '-certpbe', 'aes-128-cbc', '-macalg', 'sha384']],
    ['certificates in clear', ['-certpbe', 'NONE']],
    ['not authenticated', ['-nomac']],
    ['one round', ['-noiter', '-nomaciter']],
  ])('%s', (_title, how) => {
    const file = made('-passout', 'pass:Grüße 12', ...how);
    expect(read(file, 'Grüße 12')).toBe(WHOLE);
    const wrong =
      how.includes('NONE') || how.includes('-nomac') ? /does not open with this passphrase$/ : /^does not open with this passphrase$/;
    expect(read(file, 'Grüße 13')).toMatch(wrong);
    expect(read(file)).toMatch(/is encrypted: give its passphrase$/);
  });

  it('is no PKCS#12 file in a hundred thousand pieces, and no reason to throw', () => {
    const pieces = new Uint8Array(250_000).map((_, i) => (i % 2 === 0 ? Tag.octetString : 0));
    const safes = der(context(0), der(0x20 | Tag.octetString, pieces));
    const file = sequence(unsigned(Uint8Array.of(3)), sequence(oid(Content.data), safes));
    expect(read(file)).toContain('not BER');
    const larger = concat(file, new Uint8Array(20_000));
    expect(read(larger)).toBe('is larger than 262144 octets');
  });

  it('opens without a passphrase where it was made without one', () => {
    expect(read(made('-passout', 'pass:'))).toBe(WHOLE);
    expect(read(made('-passout', 'pass:', '-legacy'))).toBe(WHOLE);
    expect(read(made('-passout', 'pass:', '-keypbe', 'NONE', '-certpbe', 'NONE', '-nomac'))).toBe(WHOLE);
  });

  it('may hold certificates alone', () => {
    expect(read(made('-passout', 'pass:abc', '-nokeys'), 'abc')).toBe('CN=lobby,O=Test CN=Site CA,O=Test');
  });

  it('with pieces of indefinite length, as Java and browsers write it', () => {
    expect(read(inPieces(made('-passout', 'pass:abc')), 'abc')).toBe(WHOLE);
  });

  it('that was changed is not opened, nor one that asks for too much', () => {
    const file = made('-passout', 'pass:abc');
    file[200] = file[200]! ^ 1;
    expect(read(file, 'abc')).toMatch(/does not open|damaged|neither/);
    expect(read(made('-passout', 'pass:abc', '-iter', '500000'), 'abc')).toMatch(/500000 rounds of hashing/);
  });

  it('is authenticated, also where nothing in it is encrypted', () => {
    const clear = made('-passout', 'pass:abc', '-certpbe', 'NONE', '-nokeys');
    expect(read(clear, 'abc')).toBe('CN=lobby,O=Test CN=Site CA,O=Test');
    expect(read(clear, 'abd')).toBe('does not open with this passphrase');
    const at = Buffer.from(clear).indexOf('lobby');
    clear[at] = 'L'.charCodeAt(0);
    expect(read(clear, 'abc')).toBe('does not open with this passphrase');
  });

  it('encrypted with RC4 is refused by its name', () => {
    const file = made('-passout', 'pass:abc', '-keypbe', 'PBE-SHA1-RC4-128', '-legacy');
    expect(read(file, 'abc')).toBe(
      'the private key is encrypted with RC4, which is not known here: write it again with AES and PBKDF2, as OpenSSL 3 does',
    );
  });
});

/** The outermost OCTET STRING as two pieces, everything around it of indefinite length. */
function inPieces(file: Uint8Array): Uint8Array {
  const listed = openssl(['asn1parse', '-inform', 'DER', '-in', 'file'], { file }).toString();
  const line = listed.split('\n').find((text) => /:d=3 .*OCTET STRING/.test(text))!;
  const [, at, header, length] = /^ *(\d+):d=\d +hl=(\d) l= *(\d+)/.exec(line)!.map(Number);
  const content = file.subarray(at! + header!, at! + header! + length!);
  const rest = file.subarray(at! + header! + length!);
  const piece = (octets: Uint8Array): Uint8Array => concat(Uint8Array.of(4, 0x82, octets.length >> 8, octets.length & 255), octets);
  const end = Uint8Array.of(0, 0);
  const data = fromLatin1(Buffer.from('06092a864886f70d010701', 'hex').toString('latin1'));
  const open = (tag: number): Uint8Array => Uint8Array.of(tag, 0x80);
  const string = concat(open(0x24), piece(content.subarray(0, 1000)), piece(content.subarray(1000)), end);
  const safe = concat(open(0x30), data, open(0xa0), string, end, end);
  const whole = concat(open(0x30), Uint8Array.of(2, 1, 3), safe, rest, end);
  expect(hex(whole)).not.toBe(hex(file));
  return whole;
}
