/** Makes X.509 v3 certificates (RFC 5280) signed through the crypto port, so that a signing key can live in a secure element. */
import { fromLatin1, utf8 } from '../../hal/base/bytes.js';
import { invariant } from '../../hal/base/result.js';
import type { Crypto, Der, Entropy, PrivateKey, SignatureAlgorithm, UnixMillis } from '../../hal/hal.js';
import { addressOctets } from './address.js';
import { bitString, context, der, namedBits, oid, readDer, sequence, Tag, time, unsigned } from './asn1.js';
import { Algorithm, COMMON_NAME, Extension, ORGANIZATION, Purpose } from './oids.js';
import { readPublicKey } from './public-key.codec.js';

/** What issuing needs of the machine: a signature and unpredictable serial numbers. */
export interface IssuingPorts {
  crypto: Pick<Crypto, 'digest' | 'sign'>;
  entropy: Entropy;
}

/** Who signs: its certificate and the key to it. */
export interface Authority {
  readonly certificate: Der;
  readonly key: PrivateKey;
}

interface DistinguishedName {
  commonName: string;
  organization?: string;
}

export type AltName = { type: 'dns' | 'uri' | 'ip' | 'email'; value: string };

export interface CertificateTemplate {
  subject: DistinguishedName;
  from: UnixMillis;
  until: UnixMillis;
  /** SubjectPublicKeyInfo of the subject's key. */
  publicKey: Der;
  /** Present in an authority's certificate; `pathLength` is how many authorities may follow it. */
  authority?: { pathLength?: number };
  purposes?: readonly ('serverAuth' | 'clientAuth')[];
  names?: readonly AltName[];
}

/** A certificate for the template's subject, signed by `issuer`. Same entropy and time, same octets with an RSA key. */
export function issueCertificate(ports: IssuingPorts, template: CertificateTemplate, issuer: Authority): Der {
  const identity = issuerIdentity(issuer.certificate);
  return sign(ports, template, { ...identity, key: issuer.key });
}

/** A certificate that its own key signs: a root, or a server's own. */
export function issueSelfSigned(ports: IssuingPorts, template: Omit<CertificateTemplate, 'publicKey'>, key: PrivateKey): Der {
  const publicKey = key.spki;
  return sign(ports, { ...template, publicKey }, { name: name(template.subject), spki: publicKey, key });
}

interface IssuerIdentity {
  name: Uint8Array;
  spki: Der;
}

function sign(ports: IssuingPorts, template: CertificateTemplate, issuer: IssuerIdentity & { key: PrivateKey }): Der {
  const { algorithm, identifier } = signatureOf(issuer.spki);
  const tbs = sequence(
    der(context(0), unsigned(Uint8Array.of(2))),
    der(Tag.integer, serialNumber(ports.entropy)),
    identifier,
    issuer.name,
    sequence(time(template.from), time(template.until)),
    name(template.subject),
    template.publicKey,
    der(context(3), sequence(...extensions(ports.crypto, template, issuer.spki))),
  );
  return sequence(tbs, identifier, bitString(ports.crypto.sign(algorithm, issuer.key, tbs)));
}

/** 16 octets of which the first is 0x01 to 0x7f: positive, never shorter (ours, so that sizes do not vary). */
function serialNumber(entropy: Entropy): Uint8Array {
  const serial = new Uint8Array(16);
  entropy.fill(serial);
  serial[0] = 1 + (serial[0]! % 0x7f);
  return serial;
}

function extensions(crypto: Pick<Crypto, 'digest'>, template: CertificateTemplate, issuerSpki: Der): Uint8Array[] {
  const { authority, purposes, names } = template;
  const rsa = readPublicKey(template.publicKey).type === 'rsa';
  const usage = authority ? [5, 6] : rsa ? [0, 2] : [0];
  const pathLength = authority?.pathLength === undefined ? [] : [unsigned(Uint8Array.of(authority.pathLength))];
  const basic = authority ? sequence(der(Tag.boolean, Uint8Array.of(0xff)), ...pathLength) : sequence();
  return [
    extension(Extension.basicConstraints, true, basic),
    extension(Extension.keyUsage, true, namedBits(usage)),
    ...(purposes ? [extension(Extension.extKeyUsage, false, sequence(...purposes.map((purpose) => oid(Purpose[purpose]))))] : []),
    ...(names ? [extension(Extension.subjectAltName, false, sequence(...names.map(generalName)))] : []),
    extension(Extension.subjectKeyIdentifier, false, der(Tag.octetString, keyIdentifier(crypto, template.publicKey))),
    extension(Extension.authorityKeyIdentifier, false, sequence(der(context(0, false), keyIdentifier(crypto, issuerSpki)))),
  ];
}

const extension = (id: string, critical: boolean, value: Uint8Array): Uint8Array =>
  sequence(oid(id), ...(critical ? [der(Tag.boolean, Uint8Array.of(0xff))] : []), der(Tag.octetString, value));

const ALT_NAME_TAG = { email: 1, dns: 2, uri: 6, ip: 7 } as const;

function generalName({ type, value }: AltName): Uint8Array {
  const octets = type === 'ip' ? addressOctets(value) : fromLatin1(value);
  invariant(octets !== undefined, `${value} is not an IP address`);
  return der(context(ALT_NAME_TAG[type], false), octets);
}

function name({ commonName, organization }: DistinguishedName): Uint8Array {
  const attribute = (id: string, value: string): Uint8Array => der(Tag.set, sequence(oid(id), der(Tag.utf8String, utf8(value))));
  return sequence(...(organization ? [attribute(ORGANIZATION, organization)] : []), attribute(COMMON_NAME, commonName));
}

/** SHA-1 of the key's bits (RFC 5280 part 4.2.1.2, method 1): a name for the key, not a protection. */
function keyIdentifier(crypto: Pick<Crypto, 'digest'>, spki: Der): Uint8Array {
  const bits = readDer(spki, (top) => {
    const info = top.enter();
    info.value(Tag.sequence);
    return info.value(Tag.bitString).content.subarray(1);
  });
  invariant(bits.ok, 'a public key is a SubjectPublicKeyInfo');
  return crypto.digest('sha1', bits.value);
}

/** Subject and key of an issuer's certificate, as it holds them. */
function issuerIdentity(certificate: Der): IssuerIdentity {
  const identity = readDer(certificate, (top) => {
    const tbs = top.enter().enter();
    tbs.value(context(0));
    tbs.value(Tag.integer);
    for (let skipped = 0; skipped < 3; skipped++) tbs.value(Tag.sequence);
    const subject = tbs.value(Tag.sequence).der;
    return { name: subject, spki: tbs.value(Tag.sequence).der };
  });
  invariant(identity.ok, 'an issuer has an X.509 v3 certificate');
  return identity.value;
}

/** The algorithm that an issuer's key calls for. */
function signatureOf(spki: Der): { algorithm: SignatureAlgorithm; identifier: Uint8Array } {
  const key = readPublicKey(spki);
  if (key.type === 'rsa') {
    return {
      algorithm: { type: 'rsa-pkcs1', hash: 'sha256' },
      identifier: sequence(oid(Algorithm.sha256WithRsa), der(Tag.null)),
    };
  }
  invariant(key.type === 'ec' && key.curve !== undefined, 'certificates are signed with RSA or EC keys');
  const hash = ({ 'P-256': 'sha256', 'P-384': 'sha384', 'P-521': 'sha512' } as const)[key.curve];
  const id = { sha256: Algorithm.ecdsaWithSha256, sha384: Algorithm.ecdsaWithSha384, sha512: Algorithm.ecdsaWithSha512 }[hash];
  return { algorithm: { type: 'ecdsa', hash }, identifier: sequence(oid(id)) };
}
