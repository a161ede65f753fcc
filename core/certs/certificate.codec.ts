/** X.509 certificates (RFC 5280 part 4.1), read over the octets that their signatures cover. */
import { equal, latin1 } from '../../hal/base/bytes.js';
import { err } from '../../hal/base/result.js';
import { utc } from '../../hal/base/time.js';
import type { Der, HashName, Result, SignatureAlgorithm, UnixMillis } from '../../hal/hal.js';
import { bits, context, DerCursor, type DerFault, type DerValue, integerOctets, oidText, readDer, smallInteger, Tag } from './asn1.js';
import { type Extensions, readExtensions } from './extensions.codec.js';
import { type Name, readName, sameName } from './name.codec.js';
import { Algorithm, HASHES } from './oids.js';
import { type PublicKeyInfo, publicKey } from './public-key.codec.js';

export interface Certificate {
  readonly der: Der;
  /** What the signature covers. */
  readonly tbs: Uint8Array;
  readonly version: 1 | 2 | 3;
  /** Two's complement, shortest form. */
  readonly serial: Uint8Array;
  readonly issuer: Name;
  readonly subject: Name;
  readonly notBefore: UnixMillis;
  readonly notAfter: UnixMillis;
  readonly spki: Der;
  readonly key: PublicKeyInfo;
  readonly signature: Signature;
  readonly extensions: Extensions;
}
interface Signature {
  /** Dotted object identifier, for an algorithm that is not known. */
  readonly id: string;
  readonly algorithm?: SignatureAlgorithm;
  readonly octets: Uint8Array;
}

/** Subject and issuer are the same, whoever's key signed. */
export const isSelfIssued = (certificate: Certificate): boolean => sameName(certificate.subject, certificate.issuer);

/** Ours: the largest that are met in the wild have some hundred names and 10 KiB. */
const MAX_CERTIFICATE_OCTETS = 32 * 1024;

/** Reads one certificate. Total. */
export function readCertificate(der: Der): Result<Certificate, DerFault> {
  if (der.length > MAX_CERTIFICATE_OCTETS) return err({ detail: `larger than ${MAX_CERTIFICATE_OCTETS} octets`, offset: 0 });
  return readDer(der, (top) => {
    const outer = top.enter();
    const tbs = outer.value(Tag.sequence);
    const identifier = outer.value(Tag.sequence);
    const signature = outer.value(Tag.bitString);
    outer.end();
    const { algorithmDer, ...fields } = readTbs(DerCursor.within(tbs));
    // RFC 5280 part 4.1.1.2: otherwise the algorithm that is checked is not the one that was signed.
    if (!equal(algorithmDer, identifier.der)) outer.fail('the signature algorithm differs inside and outside');
    return { der, tbs: tbs.der, ...fields, signature: { ...readAlgorithm(DerCursor.within(identifier)), octets: bits(signature).octets } };
  });
}

type TbsFields = Omit<Certificate, 'der' | 'tbs' | 'signature'> & { algorithmDer: Uint8Array };

function readTbs(tbs: DerCursor): TbsFields {
  const version = readVersion(tbs);
  const serial = integerOctets(tbs.value(Tag.integer));
  const algorithmDer = tbs.value(Tag.sequence).der;
  const issuer = readName(tbs);
  const validity = tbs.enter();
  const notBefore = readTime(validity.value());
  const notAfter = readTime(validity.value());
  validity.end();
  const subject = readName(tbs);
  const spki = tbs.value(Tag.sequence);
  const key = publicKey(DerCursor.within(spki));
  const extensions = readTail(tbs, version);
  return { version, serial, algorithmDer, issuer, notBefore, notAfter, subject, spki: spki.der, key, extensions };
}

function readVersion(tbs: DerCursor): 1 | 2 | 3 {
  const explicit = tbs.optional(context(0));
  if (!explicit) return 1;
  const inside = DerCursor.within(explicit);
  const version = smallInteger(inside.value(Tag.integer)) + 1;
  inside.end();
  return version === 2 || version === 3 ? version : tbs.fail(`version ${version}`);
}

/** Unique identifiers and extensions; only version 3 has the latter. */
function readTail(tbs: DerCursor, version: number): Extensions {
  tbs.optional(context(1, false));
  tbs.optional(context(2, false));
  const explicit = tbs.optional(context(3));
  tbs.end();
  if (!explicit) return { unknownCritical: [] };
  const inside = DerCursor.within(explicit);
  if (version !== 3) return inside.fail(`extensions in version ${version}`);
  const extensions = readExtensions(inside);
  inside.end();
  return extensions;
}

const UTC_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const GENERALIZED_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/** RFC 5280 parts 4.1.2.5.1 and 4.1.2.5.2: in UTC, with seconds, without fractions; two-digit years are 1950 to 2049. */
function readTime(value: DerValue): UnixMillis {
  const text = latin1(value.content);
  const digits = (value.tag === Tag.utcTime ? UTC_TIME : value.tag === Tag.generalizedTime ? GENERALIZED_TIME : undefined)?.exec(text);
  const [year, month, day, hour, minute, second] = (digits ?? []).slice(1).map(Number);
  const full = value.tag === Tag.utcTime && year !== undefined ? year + (year < 50 ? 2000 : 1900) : year;
  const at = full === undefined ? undefined : utc(full, month!, day!, hour, minute, second);
  return at ?? DerCursor.within(value).fail('a date that is not in the form that certificates use');
}

const RSA: Readonly<Record<string, HashName>> = {
  [Algorithm.md5WithRsa]: 'md5',
  [Algorithm.sha1WithRsa]: 'sha1',
  [Algorithm.sha256WithRsa]: 'sha256',
  [Algorithm.sha384WithRsa]: 'sha384',
  [Algorithm.sha512WithRsa]: 'sha512',
};
const ECDSA: Readonly<Record<string, HashName>> = {
  [Algorithm.ecdsaWithSha1]: 'sha1',
  [Algorithm.ecdsaWithSha256]: 'sha256',
  [Algorithm.ecdsaWithSha384]: 'sha384',
  [Algorithm.ecdsaWithSha512]: 'sha512',
};
function readAlgorithm(inside: DerCursor): Omit<Signature, 'octets'> {
  const id = oidText(inside.value(Tag.oid));
  if (id === Algorithm.rsaPss) return { id, ...readPss(inside) };
  // RSA writes NULL, the others nothing (RFC 3279 part 2.2, RFC 5758, RFC 8410).
  inside.optional(Tag.null);
  const [rsa, ecdsa] = [RSA[id], ECDSA[id]];
  const algorithm: SignatureAlgorithm | undefined = rsa
    ? { type: 'rsa-pkcs1', hash: rsa }
    : ecdsa
      ? { type: 'ecdsa', hash: ecdsa }
      : id === Algorithm.ed25519
        ? { type: 'ed25519' }
        : undefined;
  if (algorithm) inside.end();
  return { id, ...(algorithm ? { algorithm } : {}) };
}

/** RFC 4055 part 3.1. Both hashes have to be the same, as everybody's are; else the algorithm counts as unknown. */
function readPss(at: DerCursor): { algorithm?: SignatureAlgorithm } {
  const parameters = at.enter();
  const hash = hashOf(parameters.optional(context(0)));
  const mask = parameters.optional(context(1));
  const saltLength = parameters.optional(context(2));
  const trailer = parameters.optional(context(3));
  parameters.end();
  const maskHash = mask ? maskHashOf(DerCursor.within(mask).enter()) : 'sha1';
  const salt = saltLength ? smallInteger(DerCursor.within(saltLength).value(Tag.integer)) : 20;
  if (!hash || hash !== maskHash || trailer) return {};
  return { algorithm: { type: 'rsa-pss', hash, salt } };
}

const hashOf = (explicit: DerValue | undefined): HashName | undefined =>
  explicit ? HASHES[oidText(DerCursor.within(explicit).enter().value(Tag.oid))] : 'sha1';

function maskHashOf(generator: DerCursor): HashName | undefined {
  const id = oidText(generator.value(Tag.oid));
  return id === Algorithm.mgf1 ? HASHES[oidText(generator.enter().value(Tag.oid))] : undefined;
}
