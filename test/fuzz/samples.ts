/** Certificates, keys and the files that people keep them in: the same octets in every run, so that a run can be done again anywhere. */
import { createCipheriv, createECDH, createHash, pbkdf2Sync } from 'node:crypto';
import { bitString, context, der, oid, sequence, Tag, unsigned } from '../../core/certs/asn1.js';
import { type CertificateTemplate, type IssuingPorts, issueCertificate, issueSelfSigned } from '../../core/certs/issue.js';
import { Algorithm, Bag, Content, Curve, PBES2, PBKDF2, X509_CERTIFICATE } from '../../core/certs/oids.js';
import { HashWork, pkcs12MacKey } from '../../core/certs/passphrase.codec.js';
import { writePem } from '../../core/certs/pem.codec.js';
import { concat, utf8 } from '../../hal/base/bytes.js';
import { expectOk } from '../../hal/base/result.js';
import { fromIso8601 } from '../../hal/base/time.js';
import type { Der, PrivateKey } from '../../hal/hal.js';
import { nodeCrypto } from '../certs/support.js';

export const PASSPHRASE = 'amber';
export const NOW = fromIso8601('2026-01-01T00:00:00Z')!;

const hashed = (text: string): Uint8Array => new Uint8Array(createHash('sha256').update(text).digest());
const data = (octets: Uint8Array): Uint8Array => der(Tag.octetString, octets);

/** A P-256 key whose secret is the hash of its name. */
function keyOf(name: string): { key: PrivateKey; pkcs8: Der } {
  const secret = hashed(name);
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(secret);
  const sec1 = sequence(unsigned(Uint8Array.of(1)), data(secret), der(context(1), bitString(new Uint8Array(pair.getPublicKey()))));
  const pkcs8 = sequence(unsigned(Uint8Array.of(0)), sequence(oid(Algorithm.ec), oid(Curve.p256)), data(sec1));
  return { key: expectOk(nodeCrypto.importKey(pkcs8), name), pkcs8 };
}

/** A signature of the usual size: real ones differ from run to run, and who only reads a certificate does not check it. */
const SIGNATURE = sequence(unsigned(hashed('r')), unsigned(hashed('s')));
let serials = 0;
const ports: IssuingPorts = {
  crypto: { digest: nodeCrypto.digest, sign: () => SIGNATURE },
  entropy: { fill: (out) => void out.set(hashed(`serial ${serials++}`).subarray(0, out.length)) },
};

const root = keyOf('root');
export const device = keyOf('device');
const years = { from: fromIso8601('2025-01-01T00:00:00Z')!, until: fromIso8601('2035-01-01T00:00:00Z')! };
const template = (commonName: string, more: Partial<CertificateTemplate> = {}): CertificateTemplate => ({
  ...{ subject: { commonName, organization: 'Test' }, ...years, publicKey: device.key.spki },
  ...more,
});

export const authority: Der = issueSelfSigned(ports, template('Site CA', { authority: { pathLength: 1 } }), root.key);
const names: CertificateTemplate['names'] = [
  { type: 'dns', value: '*.example.test' },
  { type: 'ip', value: '2001:db8::1' },
  { type: 'uri', value: 'sip:example.test' },
];
export const leaf: Der = issueCertificate(ports, template('lobby.example.test', { names, purposes: ['serverAuth', 'clientAuth'] }), {
  certificate: authority,
  key: root.key,
});

/** The key under PBES2 with PBKDF2, in one round, so that the work of a run is in what is read. */
function encrypted({ pkcs8 }: { pkcs8: Der }): Der {
  const [salt, iv] = [hashed('salt').subarray(0, 8), hashed('iv').subarray(0, 16)];
  const cipher = createCipheriv('aes-128-cbc', pbkdf2Sync(PASSPHRASE, salt, 1, 16, 'sha256'), iv);
  const body = concat(cipher.update(pkcs8), cipher.final());
  const derivation = sequence(data(salt), unsigned(Uint8Array.of(1)), sequence(oid('1.2.840.113549.2.9'), der(Tag.null)));
  const scheme = sequence(sequence(oid(PBKDF2), derivation), sequence(oid('2.16.840.1.101.3.4.1.2'), data(iv)));
  return sequence(sequence(oid(PBES2), scheme), data(body));
}

const content = (type: string, value: Uint8Array): Uint8Array => sequence(oid(type), der(context(0), value));

function pkcs12(): Uint8Array {
  const bag = (type: string, value: Uint8Array): Uint8Array => sequence(oid(type), der(context(0), value));
  const certificates = [leaf, authority].map((each) => bag(Bag.certificate, content(X509_CERTIFICATE, data(each))));
  const bags = sequence(...certificates, bag(Bag.shroudedKey, encrypted(device)));
  const safes = sequence(content(Content.data, data(bags)));
  const derivation = { hash: 'sha1', salt: hashed('mac').subarray(0, 8), iterations: 1 } as const;
  const key = expectOk(pkcs12MacKey(derivation, { passphrase: PASSPHRASE, crypto: nodeCrypto, work: new HashWork() }), 'mac');
  const digest = sequence(sequence(oid(Algorithm.sha1), der(Tag.null)), data(nodeCrypto.hmac('sha1', key, safes)));
  const mac = sequence(digest, data(derivation.salt), unsigned(Uint8Array.of(1)));
  return sequence(unsigned(Uint8Array.of(3)), content(Content.data, data(safes)), mac);
}

/** PKCS#7 that only carries certificates (RFC 5652 part 5.1). */
const pkcs7 = (): Uint8Array =>
  content(
    Content.signed,
    sequence(unsigned(Uint8Array.of(1)), der(Tag.set), sequence(oid(Content.data)), der(context(0), leaf, authority), der(Tag.set)),
  );

const pem = (...blocks: readonly (readonly [label: string, octets: Uint8Array])[]): Uint8Array =>
  utf8(blocks.map(([label, octets]) => writePem(label, octets)).join('some words\r\n'));

/** Files for `certs/`, those in DER apart: they keep their lengths when they are changed. */
export const files = {
  pem: [
    pem(['CERTIFICATE', authority], ['CERTIFICATE', leaf]),
    pem(['PRIVATE KEY', device.pkcs8], ['CERTIFICATE', leaf], ['CERTIFICATE', authority]),
    pem(['ENCRYPTED PRIVATE KEY', encrypted(device)], ['CERTIFICATE', leaf]),
  ],
  der: [authority, pkcs7(), pkcs12()],
};
