import { describe, expect, it } from 'vitest';
import { readCertificateFile } from '../../core/certs/certificate-file.codec.js';
import { type Authority, type CertificateTemplate, issueCertificate, issueSelfSigned } from '../../core/certs/issue.js';
import { writePem } from '../../core/certs/pem.codec.js';
import { judgeUpload, type Upload } from '../../core/certs/upload.policy.js';
import { utf8 } from '../../hal/base/bytes.js';
import { expectOk } from '../../hal/base/result.js';
import type { Der } from '../../hal/hal.js';
import { openssl } from './openssl.js';
import { date, nodeCrypto, template, testKey, testPorts } from './support.js';

const ports = testPorts();
const NOW = date('2026-06-01');
const key = (index: number) => testKey('ec-p256', index);

const selfSigned = (name: string, index: number, more: Partial<CertificateTemplate> = {}): Authority => ({
  certificate: issueSelfSigned(ports, template(name, index, more), key(index).key),
  key: key(index).key,
});
const site = selfSigned('Site CA', 4, { authority: {} });
const old = selfSigned('Old CA', 3, { authority: {}, until: date('2026-01-01') });
const coming = selfSigned('Next CA', 3, { authority: {}, from: date('2027-01-01') });
const under = (issuer: Authority, name: string, index: number, more: Partial<CertificateTemplate> = {}): Der =>
  issueCertificate(ports, template(name, index, more), issuer);
const middle: Authority = { certificate: under(site, 'Middle CA', 2, { authority: {} }), key: key(2).key };
const leaf = under(middle, 'lobby', 5, { purposes: ['clientAuth'] });
const pbx = selfSigned('pbx', 6).certificate;

const pem = (...ders: Der[]): string => ders.map((der) => writePem('CERTIFICATE', der)).join('');
const keyPem = (index: number): string => writePem('PRIVATE KEY', key(index).pkcs8);

const judged = (path: string, file: Uint8Array | string, more: Partial<Upload> = {}) =>
  judgeUpload({
    path,
    file: typeof file === 'string' ? utf8(file) : file,
    wall: { at: NOW, trust: 'network' },
    crypto: nodeCrypto,
    wasRefused: () => false,
    ...more,
  });

/** What is kept, and what is said; or why nothing is. */
function verdict(...upload: Parameters<typeof judged>) {
  const result = judged(...upload);
  if (!result.ok) return result.error;
  const { subjects, notes, bytes } = result.value;
  const kept = expectOk(readCertificateFile(bytes, { crypto: nodeCrypto }), 'what is kept');
  return { subjects, notes, kept: kept.certificates.map(({ subject }) => subject.text), keys: kept.keys.length };
}
const taken = (subjects: string[], notes: unknown = [], keys = 0) => ({ subjects, notes, kept: subjects, keys });

const SITE = 'CN=Site CA,O=Test';
const MIDDLE = 'CN=Middle CA,O=Test';
const LEAF = 'CN=lobby,O=Test';
const CLIENT = 'certs/sipclient.pem';
const WEB = 'certs/httpd.pem';
const TRUSTED = 'certs/trusted/any name.txt';

describe('a file for certs/trusted', () => {
  it('is kept as PEM, whatever it came as', () => {
    const p12 = openssl(['pkcs12', '-export', '-nokeys', '-in', 'in', '-passout', 'pass:abc', '-out', 'out'], {
      in: pem(site.certificate),
    });
    const p7 = openssl(['crl2pkcs7', '-nocrl', '-certfile', 'in'], { in: pem(site.certificate) });
    const trusted = openssl(['x509', '-in', 'in', '-trustout', '-addtrust', 'serverAuth'], { in: pem(site.certificate) });
    expect(trusted.toString()).toContain('TRUSTED CERTIFICATE');
    for (const file of [utf8(`# the site\n${pem(site.certificate)}`), site.certificate, p7, trusted]) {
      expect(verdict(TRUSTED, file)).toEqual(taken([SITE]));
    }
    expect(verdict(TRUSTED, p12, { passphrase: 'abc' })).toEqual(taken([SITE]));
    expect(expectOk(judged(TRUSTED, site.certificate), 'verdict').bytes).toEqual(utf8(pem(site.certificate)));
  });

  it.each<[string, Parameters<typeof judged>[1], object]>([
    [
      'a certificate with its key',
      pem(leaf) + keyPem(5),
      { detail: 'holds a private key: a certificate with its key belongs in certs/sipclient.pem or certs/httpd.pem' },
    ],
    [
      'also when the key is encrypted and no passphrase is given',
      pem(leaf) + openssl(['ec', '-aes128', '-passout', 'pass:x', '-in', 'k'], { k: keyPem(5) }).toString(),
      { detail: expect.stringMatching(/^holds a private key/) },
    ],
    ['an authority with its key', pem(site.certificate) + keyPem(4), { detail: expect.stringMatching(/keep the key off the device$/) }],
    [
      'a certificate that is no authority',
      pem(leaf),
      {
        rule: 'not-a-ca',
        subject: LEAF,
        detail: `is no certificate of an authority: put the CA certificate of "${MIDDLE}" here, which issued it`,
      },
    ],
    ['one that has ended', pem(old.certificate), { rule: 'expired', detail: 'it ended at 2026-01-01T00:00:00.000Z' }],
    ['one that has not begun', pem(coming.certificate), { rule: 'not-yet-valid', detail: 'it begins at 2027-01-01T00:00:00.000Z' }],
    [
      'a weak key',
      openssl(['req', '-x509', '-newkey', 'rsa:1024', '-nodes', '-keyout', 'k', '-subj', '/CN=weak', '-days', '3650']),
      { rule: 'weak-key' },
    ],
    ['nothing', '', { rule: 'malformed', detail: 'is neither PEM nor DER' }],
  ])('%s is refused', (_title, file, fault) => expect(verdict(TRUSTED, file)).toMatchObject(fault));

  it('a server’s own certificate is trusted for itself where it is self-signed, or where it was refused and is meant for that', () => {
    const note = '"CN=pbx,O=Test" is no authority: exactly this certificate is trusted, not the one that will take its place';
    expect(verdict(TRUSTED, pem(pbx))).toEqual(taken(['CN=pbx,O=Test'], [note]));
    expect(verdict(TRUSTED, pem(leaf), { wasRefused: ({ der }) => Buffer.from(der).equals(Buffer.from(leaf)) })).toEqual(
      taken([LEAF], [expect.stringContaining('exactly this certificate')]),
    );
  });

  it('of several certificates those are kept that can help, and of the others it is said why not', () => {
    expect(verdict(TRUSTED, pem(leaf, middle.certificate, old.certificate, site.certificate))).toEqual(
      taken(
        [MIDDLE, SITE],
        [
          expect.stringMatching(/^left out "CN=lobby,O=Test": is no certificate of/),
          `left out "CN=Old CA,O=Test": it ended at 2026-01-01T00:00:00.000Z`,
        ],
      ),
    );
  });

  it('while the clock is not set, what begins later is taken, and what has ended by then is not', () => {
    const unset = { wall: { at: NOW, trust: 'none' } } as const;
    const note = 'the dates of "CN=Next CA,O=Test" could not be checked: the clock is not set';
    expect(verdict(TRUSTED, pem(coming.certificate), unset)).toEqual(taken(['CN=Next CA,O=Test'], [note]));
    expect(verdict(TRUSTED, pem(old.certificate), unset)).toMatchObject({ rule: 'expired' });
  });
});

describe('a file for sipclient.pem', () => {
  it('is kept as its chain in order and its key in PKCS#8, decrypted', () => {
    const file =
      pem(site.certificate, middle.certificate) +
      openssl(['ec', '-in', 'k', '-aes256', '-passout', 'pass:x'], { k: keyPem(5) }).toString() +
      pem(leaf);
    const result = judged(CLIENT, file, { passphrase: 'x' });
    expect(verdict(CLIENT, file, { passphrase: 'x' })).toEqual(taken([LEAF, MIDDLE, SITE], [], 1));
    const kept = Buffer.from(expectOk(result, 'verdict').bytes).toString();
    expect(kept.startsWith(`${pem(leaf, middle.certificate, site.certificate)}-----BEGIN PRIVATE KEY-----`)).toBe(true);
    expect(verdict(CLIENT, file)).toMatchObject({ detail: 'the private key is encrypted: give its passphrase' });
  });

  it('may be PKCS#12, with an RSA key', () => {
    const rsa = testKey('rsa-2048', 0);
    const own = under(site, 'door', 0, { publicKey: rsa.key.spki });
    const p12 = openssl(['pkcs12', '-export', '-inkey', 'k', '-in', 'c', '-certfile', 'a', '-passout', 'pass:x', '-out', 'out'], {
      k: writePem('PRIVATE KEY', rsa.pkcs8),
      c: pem(own),
      a: pem(site.certificate),
    });
    expect(verdict(CLIENT, p12, { passphrase: 'x' })).toEqual(taken(['CN=door,O=Test', SITE], [], 1));
    expect(verdict(CLIENT, p12, { passphrase: 'y' })).toEqual({ detail: 'does not open with this passphrase' });
  });

  const belongs = 'is the certificate of an authority: it belongs in certs/trusted, without its key';
  it.each<[string, string, object]>([
    ['an authority', pem(site.certificate), { subject: SITE, detail: belongs }],
    ['several', pem(middle.certificate, site.certificate), { subject: MIDDLE, detail: belongs }],
    ['an authority with its key', pem(site.certificate) + keyPem(4), { subject: SITE, detail: belongs }],
    ['a certificate alone', pem(leaf), { subject: LEAF, detail: 'holds no private key: the file needs the certificate and its key' }],
    ['a key alone', keyPem(5), { detail: 'holds no certificate' }],
    [
      'the key of another',
      pem(leaf) + keyPem(9),
      { subject: LEAF, detail: 'the private key belongs to none of the certificates in the file' },
    ],
    ['one that has ended', pem(under(site, 'lobby', 5, { until: date('2026-01-01') })) + keyPem(5), { rule: 'expired', subject: LEAF }],
    ['one that has not begun', pem(under(site, 'lobby', 5, { from: date('2027-01-01') })) + keyPem(5), { rule: 'not-yet-valid' }],
  ])('%s is refused', (_title, file, fault) => expect(verdict(CLIENT, file)).toMatchObject(fault));

  it('says what its owner should know', () => {
    expect(verdict(CLIENT, pem(leaf) + keyPem(5))).toEqual(
      taken([LEAF], [`"${MIDDLE}" is not in the file: peers have to have its certificate`], 1),
    );
    const server = under(site, 'lobby', 5, { purposes: ['serverAuth'] });
    expect(verdict(CLIENT, pem(server, site.certificate) + keyPem(5))).toMatchObject({
      notes: ['"CN=lobby,O=Test" is not for use as a TLS client: servers may refuse it'],
    });
    const late: Authority = { certificate: under(site, 'Middle CA', 2, { authority: {}, until: date('2026-01-01') }), key: key(2).key };
    expect(verdict(CLIENT, pem(leaf, late.certificate, site.certificate) + keyPem(5))).toMatchObject({
      notes: [`"${MIDDLE}" is of no use: it ended at 2026-01-01T00:00:00.000Z`],
    });
  });
});

describe('a file for httpd.pem', () => {
  /** What people make for their web page; openssl calls it an authority unless told not to. */
  const made = openssl([
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    '-',
    '-subj',
    '/CN=horn.example.test',
    '-days',
    '3650',
  ]);

  it('may be what openssl makes with one command, and sipclient.pem may not', () => {
    expect(verdict(WEB, made, { wall: { at: Date.now(), trust: 'rtc' } })).toEqual(taken(['CN=horn.example.test'], [], 1));
    expect(verdict(CLIENT, made)).toMatchObject({ detail: expect.stringMatching(/belongs in certs\/trusted/) });
  });

  it('is not a real authority', () => {
    expect(verdict(WEB, pem(site.certificate) + keyPem(4))).toMatchObject({ detail: expect.stringMatching(/belongs in certs\/trusted/) });
  });
});

it('any other place is refused', () => {
  expect(verdict('certs/other.pem', pem(site.certificate))).toEqual({
    detail: 'is in no folder for certificates: use certs/trusted/NAME, certs/sipclient.pem or certs/httpd.pem',
  });
});
