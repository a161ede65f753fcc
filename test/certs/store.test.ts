import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { issueDeviceCertificate, makeAuthorities } from '../../core/certs/authority.js';
import { issueCertificate, issueSelfSigned } from '../../core/certs/issue.js';
import { writePem } from '../../core/certs/pem.codec.js';
import { createCertificateStore } from '../../core/certs/store.js';
import type { EventFields } from '../../core/kernel/events.js';
import { concat, utf8 } from '../../hal/base/bytes.js';
import type { Der } from '../../hal/hal.js';
import { date, nodeCrypto, parsed, template, testKey, testPorts } from './support.js';

const ports = testPorts();
const keys = { root: testKey('ec-p256', 0).key, intermediate: testKey('ec-p256', 1).key, issuing: testKey('ec-p256', 2).key };
const made = date('2025-01-01');
const factory = makeAuthorities(ports, { keys, made, organization: 'Vendor' });
const deviceKey = testKey('ec-p256', 3);
const device = issueDeviceCertificate(ports, { mac: '0022EE0A0001', made, publicKey: deviceKey.key.spki, issuer: factory.issuing });
const own = testKey('rsa-2048', 0);
const site = {
  certificate: issueSelfSigned(ports, template('Site CA', 4, { authority: {} }), testKey('ec-p256', 4).key),
  key: testKey('ec-p256', 4).key,
};
const ownLeaf = issueCertificate(ports, template('lobby', 5, { publicKey: own.key.spki }), site);

const pem = (...parts: (Uint8Array | string)[]): Uint8Array =>
  utf8(parts.map((part) => (typeof part === 'string' ? part : writePem('CERTIFICATE', part))).join('some text\n'));
const keyPem = writePem('PRIVATE KEY', own.pkcs8);
/** What openssl makes of a file. */
function openssl(args: string[], input: Uint8Array | string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-store-'));
  writeFileSync(join(folder, 'in'), input);
  const output = execFileSync('openssl', [...args, join(folder, 'in')], { stdio: ['ignore', 'pipe', 'ignore'] });
  rmSync(folder, { recursive: true });
  return output;
}

const files = new Map<string, Uint8Array>();
const events: { event: string; file: string; detail?: string }[] = [];
beforeEach(() => {
  files.clear();
  events.length = 0;
});

function open(more: { identity?: boolean; anchors?: Der[]; deviceCertificate?: boolean; trustedUpload?: boolean } = {}) {
  return createCertificateStore({
    files: { list: (prefix = '') => [...files.keys()].filter((path) => path.startsWith(prefix)), read: (path) => files.get(path) },
    factory: {
      ...(more.identity === false
        ? {}
        : { identity: { chain: [device, factory.issuing.certificate, factory.intermediate.certificate], pkcs8: deviceKey.pkcs8 } }),
      anchors: { set: 'test', version: '1', certificates: more.anchors ?? [] },
    },
    crypto: nodeCrypto,
    emit: (event, fields) => events.push({ event, ...(fields as EventFields['certs.refused']) }),
    features: { deviceCertificate: more.deviceCertificate ?? true, trustedUpload: more.trustedUpload ?? true },
  });
}
const nameOf = (der: Der) => parsed(der).subject;

describe('anchors', () => {
  it('preinstalled ones are found by subject; one that cannot be read is as if it were not there', () => {
    const { anchors } = open({ anchors: [Uint8Array.of(0x30, 0), factory.root.certificate] });
    expect(anchors.bySubject(nameOf(factory.root.certificate))).toMatchObject([{ origin: 'preinstalled' }]);
    expect(anchors.bySubject(nameOf(site.certificate))).toEqual([]);
    expect(events).toEqual([]);
  });

  it.each<[string, () => Uint8Array]>([
    ['PEM', () => pem('# the site\n', site.certificate)],
    ['PEM with two', () => pem(factory.root.certificate, site.certificate)],
    ['DER', () => site.certificate],
    ['PKCS#7, PEM', () => openssl(['crl2pkcs7', '-nocrl', '-certfile'], pem(site.certificate))],
    ['PKCS#7, DER', () => openssl(['crl2pkcs7', '-nocrl', '-outform', 'DER', '-certfile'], pem(site.certificate))],
    ['BER of indefinite length', () => indefinite(site.certificate)],
  ])('%s is taken from certs/trusted, under any name', (_kind, file) => {
    files.set('certs/trusted/anything.at.all', file());
    expect(open().anchors.bySubject(nameOf(site.certificate))).toMatchObject([{ origin: 'uploaded' }]);
    expect(events).toMatchObject([{ event: 'certs.accepted', file: 'certs/trusted/anything.at.all' }]);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['a private key', pem(ownLeaf, keyPem), /belongs in certs\/sipclient.pem/],
    ['noise', Uint8Array.of(1, 2, 3), /neither PEM nor DER/],
    ['an empty file', new Uint8Array(0), /neither PEM nor DER/],
    ['a cut block', pem(site.certificate).slice(0, 200), /line 1: CERTIFICATE is cut off/],
    ['a broken certificate', pem(concat(site.certificate.slice(0, -1))), /certificate 1: the value is longer/],
    ['PEM of something else', utf8(writePem('X509 CRL', Uint8Array.of(0x30, 0))), /holds no certificate/],
    ['more than a megabyte', new Uint8Array(1024 * 1024 + 1), /larger than/],
  ])('%s is refused, with the reason', (_kind, file, detail) => {
    files.set('certs/trusted/x', file);
    open();
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ event: 'certs.refused', file: 'certs/trusted/x', detail: expect.stringMatching(detail) });
  });

  it('a firmware before 3.1 does not read certs/trusted', () => {
    files.set('certs/trusted/x', site.certificate);
    expect(open({ trustedUpload: false }).anchors.bySubject(nameOf(site.certificate))).toEqual([]);
  });
});

describe('identity', () => {
  it('is the factory certificate for provisioning and SIP, and none for the web', () => {
    const store = open();
    for (const service of ['provisioning', 'sip', 'sip-server'] as const) expect(store.identity(service)?.chain[0]).toEqual(device);
    expect(store.identity('web')).toBeUndefined();
  });

  it('is none in a unit from before 2019, and none in a firmware before 1.7.1', () => {
    expect(open({ identity: false }).identity('sip')).toBeUndefined();
    expect(open({ deviceCertificate: false }).identity('sip')).toBeUndefined();
  });

  it.each<[string, () => Uint8Array]>([
    ['certificate, then key', () => pem(ownLeaf, keyPem)],
    ['key, then certificate', () => pem(keyPem, ownLeaf)],
    ['its authority first', () => pem(site.certificate, keyPem, ownLeaf)],
    ['an RSA key of PKCS#1', () => pem(ownLeaf, openssl(['rsa', '-traditional', '-in'], keyPem).toString())],
  ])('sipclient.pem takes its place: %s', (_kind, file) => {
    files.set('certs/sipclient.pem', file());
    const store = open();
    expect(store.identity('provisioning')?.chain[0]).toEqual(ownLeaf);
    expect(store.identity('sip')?.key.spki).toEqual(own.key.spki);
    expect(events).toEqual([{ event: 'certs.accepted', file: 'certs/sipclient.pem', subject: 'CN=lobby,O=Test' }]);
  });

  it('may have an EC key of SEC 1', () => {
    const key = testKey('ec-p256', 6);
    const leaf = issueSelfSigned(ports, template('door', 6), key.key);
    files.set('certs/httpd.pem', pem(leaf, openssl(['ec', '-in'], writePem('PRIVATE KEY', key.pkcs8)).toString()));
    expect(open().identity('web')?.key.spki).toEqual(key.key.spki);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['no key', pem(ownLeaf), /holds no private key/],
    ['no certificate', pem(keyPem), /holds no certificate/],
    ['two keys', pem(ownLeaf, keyPem, keyPem), /more than one private key/],
    ['the key of another', pem(site.certificate, keyPem), /belongs to none of the certificates/],
    ['an authority', pem(site.certificate, writePem('PRIVATE KEY', testKey('ec-p256', 4).pkcs8)), /belongs in certs\/trusted/],
    ['a damaged encrypted key', pem(ownLeaf, writePem('ENCRYPTED PRIVATE KEY', own.pkcs8)), /the private key is damaged/],
    ['a broken key', pem(ownLeaf, writePem('PRIVATE KEY', own.pkcs8.slice(0, -9))), /cannot be used/],
  ])('a file with %s is refused, and the factory certificate stays', (_kind, file, detail) => {
    files.set('certs/sipclient.pem', file);
    expect(open().identity('sip')?.chain[0]).toEqual(device);
    expect(events).toMatchObject([{ event: 'certs.refused', detail: expect.stringMatching(detail) }]);
  });

  it('reload takes a new file, keeps the old for a broken one, and forgets a deleted one', () => {
    const store = open();
    files.set('certs/sipclient.pem', pem(ownLeaf, keyPem));
    files.set('certs/trusted/site', site.certificate);
    store.reload();
    expect(store.identity('sip')?.chain[0]).toEqual(ownLeaf);
    files.set('certs/sipclient.pem', pem(ownLeaf));
    files.set('certs/trusted/site', Uint8Array.of(0));
    store.reload();
    expect(store.identity('sip')?.chain[0]).toEqual(ownLeaf);
    expect(store.anchors.bySubject(nameOf(site.certificate))).toHaveLength(1);
    files.clear();
    store.reload();
    expect(store.identity('sip')?.chain[0]).toEqual(device);
    expect(store.anchors.bySubject(nameOf(site.certificate))).toEqual([]);
  });
});

describe('what the store says of its files', () => {
  const both = (): void => {
    files.set('certs/sipclient.pem', pem(ownLeaf, site.certificate, keyPem));
    files.set('certs/trusted/site', site.certificate);
  };

  it('each file is reported when it is new, different or gone, and not otherwise', () => {
    both();
    const store = open();
    const said = () => events.splice(0).map(({ event, file }) => `${event} ${file}`);
    expect(said()).toEqual(['certs.accepted certs/trusted/site', 'certs.accepted certs/sipclient.pem']);
    store.reload();
    expect(said()).toEqual([]);
    files.set('certs/trusted/site', factory.root.certificate);
    files.set('certs/sipclient.pem', pem(ownLeaf));
    store.reload();
    store.reload();
    expect(said()).toEqual(['certs.accepted certs/trusted/site', 'certs.refused certs/sipclient.pem']);
    files.clear();
    store.reload();
    store.reload();
    expect(said().sort()).toEqual(['certs.removed certs/sipclient.pem', 'certs.removed certs/trusted/site']);
  });

  it('when each certificate ends, those of the factory too, and the preinstalled ones not', () => {
    both();
    const ends = open({ anchors: [factory.root.certificate] }).expiries();
    expect(ends.map(({ file, subject }) => `${file} ${subject}`)).toEqual([
      'factory CN=0022EE0A0001',
      'factory CN=Vendor Issuing CA,O=Vendor',
      'factory CN=Vendor Intermediate CA,O=Vendor',
      'certs/trusted/site CN=Site CA,O=Test',
      'certs/sipclient.pem CN=lobby,O=Test',
      'certs/sipclient.pem CN=Site CA,O=Test',
    ]);
    expect(ends[0]!.notAfter).toBe(date('2055-01-01'));
    expect(
      open({ deviceCertificate: false })
        .expiries()
        .map(({ file }) => file),
    ).not.toContain('factory');
  });

  it('the names of the uploaded authorities, for clients that have to choose', () => {
    both();
    expect(open({ anchors: [factory.root.certificate] }).issuers()).toEqual([parsed(site.certificate).subject.der]);
  });

  it('a file is judged without being taken', () => {
    const store = open();
    const wall = { at: date('2026-01-01'), trust: 'network' } as const;
    expect(store.judge('certs/trusted/site', site.certificate, { wall })).toMatchObject({ ok: true });
    expect(store.anchors.bySubject(nameOf(site.certificate))).toEqual([]);
    expect(events).toEqual([]);
  });
});

/** The outermost SEQUENCE with its end marked instead of its length told. */
const indefinite = (der: Uint8Array): Uint8Array => concat(Uint8Array.of(0x30, 0x80), der.subarray(4), Uint8Array.of(0, 0));
