import { describe, expect, it } from 'vitest';
import { bitString, der, oid, sequence, Tag, unsigned } from '../../core/certs/asn1.js';
import { readCertificate } from '../../core/certs/certificate.codec.js';
import { type Authority, issueCertificate, issueSelfSigned } from '../../core/certs/issue.js';
import { sameName } from '../../core/certs/name.codec.js';
import { Algorithm } from '../../core/certs/oids.js';
import { type Anchor, type PathRequest, verifyPath } from '../../core/certs/path.policy.js';
import type { Crypto, Der } from '../../hal/hal.js';
import { ca, craft, dnsNames, extension, permittedDns, usage } from './craft.js';
import { date, nodeCrypto, parsed, template, testKey, testPorts } from './support.js';

const ports = testPorts();
const key = (index: number) => testKey('ec-p256', index).key;
const NOW = date('2026-06-01');
const HOST = [{ type: 'dns', value: 'host.example.test' }] as const;

const authority = (name: string, index: number, issuer: Authority, pathLength?: number): Authority => ({
  certificate: issueCertificate(ports, template(name, index, { authority: pathLength === undefined ? {} : { pathLength } }), issuer),
  key: key(index),
});
const selfSigned = (name: string, index: number): Authority => ({
  certificate: issueSelfSigned(ports, template(name, index, { authority: {} }), key(index)),
  key: key(index),
});
const server = (issuer: Authority, more: Parameters<typeof template>[2] = {}): Der =>
  issueCertificate(ports, template('host.example.test', 5, { names: HOST, purposes: ['serverAuth'], ...more }), issuer);

const root = selfSigned('Root', 0);
const intermediate = authority('Intermediate', 1, root, 1);
const issuing = authority('Issuing', 2, intermediate, 0);
const leaf = server(issuing);

const anchorsOf = (ders: readonly Der[], origin: Anchor['origin'] = 'uploaded') => {
  const certificates = ders.map(parsed);
  return {
    bySubject: (name: Parameters<typeof sameName>[0]) =>
      certificates.filter(({ subject }) => sameName(subject, name)).map((certificate) => ({ certificate, origin })),
  };
};

function judge(chain: readonly Der[], trusted: readonly Der[], more: Partial<PathRequest> = {}): string {
  const request = { chain, anchors: anchorsOf(trusted), purpose: 'serverAuth', at: NOW, crypto: nodeCrypto, ...more } as const;
  const result = verifyPath(request);
  if (result.ok) return `ok by ${result.anchor.certificate.subject.text}`;
  const { rule, subject, detail, mend } = result.fault;
  expect(detail).not.toBe('');
  expect(mend).not.toBe('');
  return subject === '' ? rule : `${rule}: ${subject}`;
}

/** A SubjectPublicKeyInfo of a key that nobody has. */
function rsaKey(bits: number, exponent: number): Der {
  const modulus = new Uint8Array(bits / 8).fill(0xa5);
  const digits = BigInt(exponent).toString(16);
  const e = Uint8Array.from(Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex'));
  return sequence(sequence(oid(Algorithm.rsa), der(Tag.null)), bitString(sequence(unsigned(modulus), unsigned(e))));
}

const ROOT = 'CN=Root,O=Test';

describe('a path', () => {
  const sent = [leaf, issuing.certificate, intermediate.certificate];

  it('leads to its anchor, whatever the order in which the rest was sent', () => {
    expect(judge(sent, [root.certificate])).toBe(`ok by ${ROOT}`);
    expect(judge([leaf, intermediate.certificate, root.certificate, issuing.certificate], [root.certificate])).toBe(`ok by ${ROOT}`);
  });

  it('may end at an intermediate authority that the administrator uploaded', () => {
    expect(judge([leaf], [issuing.certificate])).toBe('ok by CN=Issuing,O=Test');
  });

  it('holds for a certificate that is trusted for itself, also when it says it is an authority', () => {
    // What `openssl req -x509` makes by default.
    const own = craft({ subject: 'pbx', issuer: 'pbx', signer: key(6), publicKey: key(6).spki, extensions: [ca()] });
    expect(judge([own], [own])).toBe('ok by CN=pbx');
    const plain = issueSelfSigned(ports, template('pbx', 6, { names: HOST }), key(6));
    expect(judge([plain], [plain])).toBe('ok by CN=pbx,O=Test');
    expect(judge([plain], [root.certificate])).toBe('unknown-issuer: CN=pbx,O=Test');
  });

  it('of certificates that we issue keeps the profile of public authorities too', () => {
    const request = { anchors: anchorsOf([root.certificate], 'preinstalled'), purpose: 'serverAuth', at: NOW, crypto: nodeCrypto } as const;
    expect(verifyPath({ ...request, chain: sent })).toMatchObject({ ok: true });
    const noSan = server(issuing, { names: [{ type: 'dns', value: 'other.example.test' }] });
    expect(verifyPath({ ...request, chain: [noSan, ...sent.slice(1)] })).toMatchObject({
      ok: false,
      fault: { rule: 'malformed', detail: expect.stringContaining('BR 7.1.4.3'), mend: expect.stringContaining('certs/trusted') },
    });
  });

  it('is found beside one that has expired (a cross-signed authority)', () => {
    const old = selfSigned('Old root', 7);
    const crossed = issueCertificate(ports, template('Root', 0, { authority: {}, until: date('2026-01-01') }), old);
    const chain = [...sent, crossed];
    expect(judge(chain, [old.certificate, root.certificate])).toBe(`ok by ${ROOT}`);
    expect(judge(chain, [old.certificate])).toBe(`expired: ${ROOT}`);
  });
});

describe('every rule has its certificate', () => {
  const rootKey = root.key;
  const under = (subject: string, extensions: Uint8Array[], more: object = {}): Der =>
    craft({ subject, issuer: 'Root', signer: rootKey, extensions, ...more });
  const rootOf = craft({ subject: 'Root', issuer: 'Root', signer: rootKey, publicKey: rootKey.spki, extensions: [ca()] });
  const by = (chain: Der[], more?: Partial<PathRequest>): string => judge(chain, [rootOf], more);
  const san = dnsNames('host.example.test');

  it.each<[string, string]>([
    ['no-certificate', by([])],
    ['malformed', by([leaf.slice(0, -1)])],
    ['unknown-issuer: CN=host.example.test,O=Test', by([leaf])],
    ['signature: CN=leaf', by([craft({ subject: 'leaf', issuer: 'Root', signer: key(3), extensions: [san] })])],
    ['expired: CN=leaf', by([under('leaf', [san])], { at: date('2035-01-01') + 1000 })],
    ['not-yet-valid: CN=leaf', by([under('leaf', [san])], { at: date('2025-01-01') - 1 })],
    ['not-a-ca: CN=middle', by([craft({ subject: 'leaf', issuer: 'middle', signer: key(9), extensions: [san] }), under('middle', [san])])],
    ['key-usage: CN=leaf', by([under('leaf', [san, usage(6)])])],
    ['purpose: CN=leaf', by([under('leaf', [san, extension('2.5.29.37', false, Uint8Array.of(0x30, 10, 6, 8, 43, 6, 1, 5, 5, 7, 3, 2))])])],
    ['critical-extension: CN=leaf', by([under('leaf', [san, extension('1.2.3.4', true, Uint8Array.of(5, 0))])])],
    ['weak-signature: CN=leaf', by([under('leaf', [san], { hash: 'sha1' })])],
  ])('%s', (expected, actual) => expect(actual).toBe(expected));

  it('dates include both their ends, in whole seconds', () => {
    expect(by([under('leaf', [san])], { at: date('2035-01-01') + 999 })).toBe('ok by CN=Root');
    expect(by([under('leaf', [san])], { at: date('2025-01-01') })).toBe('ok by CN=Root');
  });

  it('path-length', () => {
    const further = authority('Further', 3, issuing);
    const chain = [server(further), further.certificate, issuing.certificate, intermediate.certificate];
    expect(judge(chain, [root.certificate])).toBe('path-length: CN=Issuing,O=Test');
  });

  it('name-constraints', () => {
    const limited = craft({ subject: 'limited', issuer: 'Root', signer: rootKey, extensions: [ca(), permittedDns('example.test')] });
    const of = (dns: string): Der => craft({ subject: 'leaf', issuer: 'limited', signer: key(9), extensions: [dnsNames(dns)] });
    expect(by([of('a.example.test'), limited])).toBe('ok by CN=Root');
    expect(by([of('a.example.com'), limited])).toBe('name-constraints: CN=leaf');
    expect(by([of('*.example.test'), limited])).toBe('ok by CN=Root');
    const child = craft({ subject: 'limited', issuer: 'Root', signer: rootKey, extensions: [ca(), permittedDns('a.example.test')] });
    expect(by([of('*.example.test'), child])).toBe('name-constraints: CN=leaf');
    const ownName = craft({
      subject: 'limited',
      issuer: 'limited',
      signer: key(9),
      publicKey: key(6).spki,
      extensions: [dnsNames('a.example.com')],
    });
    expect(by([ownName, limited])).toBe('name-constraints: CN=limited');
  });

  it('name-constraints, where there are more than can be compared', () => {
    const names = Array.from({ length: 300 }, (_, i) => `h${i}.example.test`);
    const limited = craft({ subject: 'limited', issuer: 'Root', signer: rootKey, extensions: [ca(), permittedDns(...names)] });
    const end = craft({ subject: 'leaf', issuer: 'limited', signer: key(9), extensions: [dnsNames(...names)] });
    expect(by([end, limited])).toBe('name-constraints: CN=leaf');
  });

  it('a root of version 1 may be uploaded; any other authority has to say that it is one', () => {
    const old = craft({ subject: 'Old', issuer: 'Old', signer: key(4), publicKey: key(4).spki, version: 1 });
    const end = craft({ subject: 'leaf', issuer: 'Old', signer: key(4), extensions: [san] });
    expect(judge([end], [old])).toBe('ok by CN=Old');
    const between = craft({ subject: 'Old', issuer: 'Root', signer: rootKey, publicKey: key(4).spki, version: 1 });
    expect(by([end, between])).toBe('not-a-ca: CN=Old');
  });

  it('a preinstalled authority is no server for itself', () => {
    const own = craft({ subject: 'pbx', issuer: 'pbx', signer: key(6), publicKey: key(6).spki, extensions: [san] });
    expect(by([own], { anchors: anchorsOf([own], 'preinstalled') })).toBe('not-a-ca: CN=pbx');
  });

  it('of several paths that fail alike, the first is reported', () => {
    const rootFrom = (from: string, until: string): Der =>
      craft({
        subject: 'Root',
        issuer: 'Root',
        signer: rootKey,
        publicKey: rootKey.spki,
        extensions: [ca()],
        from: date(from),
        until: date(until),
      });
    const [gone, coming] = [rootFrom('2020-01-01', '2021-01-01'), rootFrom('2030-01-01', '2031-01-01')];
    const end = under('leaf', [san]);
    expect(judge([end], [gone, coming])).toBe('expired: CN=Root');
    expect(judge([end], [coming, gone])).toBe('not-yet-valid: CN=Root');
  });

  it('weak-key', () => {
    const weak = Uint8Array.from(
      Buffer.from(
        'MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDJZe+OQG8xRCYp/d8dYMwZaJ5TqYQYk8vjaYlzC9Wc0xAhq3MHbpvkMS0NwGBqWkS0pk3ZHTcwzDKpcJc3xXFqvMgHL0H7KfGXh0L6xrmWrcAEJPRtTnhIIxo7x1oo1bA6Hh7XAzmnRqmE1XLv3NBCsVZvbfSkJyoXxU8DN4YkRQIDAQAB',
        'base64',
      ),
    );
    expect(by([under('leaf', [san], { publicKey: weak })])).toBe('weak-key: CN=leaf');
  });

  it.each([
    [3072, 65_537, 'ok by CN=Root'],
    [16_384, 65_537, 'weak-key: CN=leaf'],
    [3072, 2 ** 200, 'weak-key: CN=leaf'],
  ])('an RSA key of %d bits with the exponent %d: %s', (bits, exponent, expected) => {
    expect(by([under('leaf', [san], { publicKey: rsaKey(bits, exponent) })])).toBe(expected);
  });

  it('a key that costs too much is not even tried', () => {
    const never: Pick<Crypto, 'verify'> = {
      verify: () => {
        throw new Error('tried');
      },
    };
    const huge = craft({ subject: 'Huge', issuer: 'Huge', signer: key(4), publicKey: rsaKey(100_000, 65_537), extensions: [ca()] });
    const end = craft({ subject: 'leaf', issuer: 'Huge', signer: key(4), extensions: [san] });
    expect(judge([end, huge], [rootOf], { crypto: never })).toBe('weak-key: CN=Huge');
  });

  it('a purpose of its own makes a certificate one for SIP (RFC 5924)', () => {
    const sipDomain = extension('2.5.29.37', false, Uint8Array.of(0x30, 10, 6, 8, 43, 6, 1, 5, 5, 7, 3, 20));
    const end = under('leaf', [san, sipDomain]);
    expect(by([end])).toBe('purpose: CN=leaf');
    expect(by([end], { sip: true })).toBe('ok by CN=Root');
    expect(by([end], { sip: true, purpose: 'clientAuth' })).toBe('ok by CN=Root');
  });

  it('too-long', () => {
    expect(by([leaf, ...Array.from({ length: 40 }, () => issuing.certificate)])).toBe('too-long');
    expect(judge([leaf, issuing.certificate, intermediate.certificate], [root.certificate], { maxIntermediates: 1 })).toBe(
      'too-long: CN=Issuing,O=Test',
    );
  });
});

describe('hostile chains', () => {
  const rootOfNone = selfSigned('Root of none', 8).certificate;

  it('cost a bounded number of signatures', () => {
    let signatures = 0;
    const counting: Pick<Crypto, 'verify'> = {
      verify: (...all) => {
        signatures++;
        return nodeCrypto.verify(...all);
      },
    };
    // Six authorities, each of which signed all others: without a bound, 325 ways through them that lead nowhere.
    const mesh = [0, 1, 2, 3, 4, 5].flatMap((subject) =>
      [0, 1, 2, 3, 4, 5]
        .filter((issuer) => issuer !== subject)
        .map((issuer) =>
          craft({ subject: `A${subject}`, issuer: `A${issuer}`, signer: key(issuer), publicKey: key(subject).spki, extensions: [ca()] }),
        ),
    );
    const end = craft({ subject: 'leaf', issuer: 'A0', signer: key(0), extensions: [dnsNames('a.test')] });
    expect(judge([end, ...mesh], [rootOfNone], { crypto: counting })).toBe('too-long');
    expect(signatures).toBeLessThanOrEqual(64);
  });

  it('a certificate larger than any real one is not read', () => {
    const many = dnsNames(...Array.from({ length: 2500 }, (_, i) => `host${i}.example.test`));
    const large = craft({ subject: 'leaf', issuer: 'Root', signer: root.key, extensions: [many] });
    expect(readCertificate(large)).toMatchObject({ ok: false, error: { detail: 'larger than 32768 octets' } });
  });
});
