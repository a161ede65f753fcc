/** Files with certificates as people upload them: PEM in any order, DER or BER, PKCS#7. */
import { equal } from '../../hal/base/bytes.js';
import { err, ok } from '../../hal/base/result.js';
import type { Crypto, Der, Result, TlsIdentity, TrustRule } from '../../hal/hal.js';
import { context, DerCursor, derFromBer, oidText, readDer, Tag } from './asn1.js';
import { type Certificate, readCertificate } from './certificate.codec.js';
import { sameName } from './name.codec.js';
import { SIGNED_DATA } from './oids.js';
import { isPem, type PemBlock, readPem } from './pem.codec.js';
import { isPrivateKey, pkcs8Of } from './private-key.codec.js';

/** Why a file is not taken. */
export interface FileFault {
  rule?: TrustRule;
  subject?: string;
  detail: string;
}

/** Ours: an upload is refused before it is read. */
const MAX_FILE_OCTETS = 1024 * 1024;

/** The certificates of a file for `certs/trusted`: at least one, and no private key. */
export function readTrusted(file: Uint8Array): Result<Certificate[], FileFault> {
  const blocks = blocksOf(file);
  if (!blocks.ok) return blocks;
  if (blocks.value.some(isPrivateKey)) {
    return err({ detail: 'holds a private key: a certificate with its key belongs in certs/sipclient.pem or certs/httpd.pem' });
  }
  const certificates = certificatesOf(blocks.value);
  if (certificates.ok && certificates.value.length === 0) return err({ detail: 'holds no certificate' });
  return certificates;
}

/** The identity of a file for `certs/sipclient.pem` or `certs/httpd.pem`: a private key, its certificate, and others that lead from it to its authority. */
export function readIdentity(file: Uint8Array, crypto: Pick<Crypto, 'importKey'>): Result<TlsIdentity & { leaf: Certificate }, FileFault> {
  const blocks = blocksOf(file);
  if (!blocks.ok) return blocks;
  const certificates = certificatesOf(blocks.value);
  if (!certificates.ok) return certificates;
  const keys = blocks.value.filter(isPrivateKey);
  const subject = certificates.value[0]?.subject.text;
  if (subject === undefined) return err({ detail: 'holds no certificate' });
  if (keys.length !== 1) return err({ subject, detail: keys.length === 0 ? 'holds no private key' : 'holds more than one private key' });
  const pkcs8 = pkcs8Of(keys[0]!);
  if (!pkcs8.ok) return err({ subject, detail: pkcs8.error });
  const key = crypto.importKey(pkcs8.value);
  if (!key.ok) return err({ subject, detail: `the private key cannot be used: ${key.error.detail}` });
  const leaf = certificates.value.find((certificate) => equal(certificate.spki, key.value.spki));
  if (!leaf) return err({ subject, rule: 'malformed', detail: 'the private key belongs to none of the certificates in the file' });
  if (leaf.extensions.basicConstraints?.authority) {
    return err({ subject: leaf.subject.text, detail: 'is the certificate of an authority: it belongs in certs/trusted, without its key' });
  }
  return ok({ chain: chainFrom(leaf, certificates.value), key: key.value, leaf });
}

/** The leaf, then each certificate's issuer as far as the file has it. */
function chainFrom(leaf: Certificate, all: readonly Certificate[]): Der[] {
  const chain = [leaf];
  const left = new Set(all.filter((certificate) => certificate !== leaf));
  for (let issuer: Certificate | undefined = leaf; issuer; ) {
    const { issuer: wanted }: Certificate = issuer;
    issuer = [...left].find((candidate) => sameName(candidate.subject, wanted));
    if (!issuer) break;
    left.delete(issuer);
    chain.push(issuer);
  }
  return chain.map((certificate) => certificate.der);
}

function blocksOf(file: Uint8Array): Result<PemBlock[], FileFault> {
  if (file.length > MAX_FILE_OCTETS) return err({ detail: `is larger than ${MAX_FILE_OCTETS} octets` });
  if (isPem(file)) {
    const blocks = readPem(file);
    return blocks.ok ? blocks : err({ rule: 'malformed', detail: `line ${blocks.error.line}: ${blocks.error.detail}` });
  }
  const octets = derFromBer(file);
  if (!octets) return err({ rule: 'malformed', detail: 'is neither PEM nor DER' });
  return ok([{ label: signedCertificates(octets) ? 'PKCS7' : 'CERTIFICATE', octets, headers: false }]);
}

function certificatesOf(blocks: readonly PemBlock[]): Result<Certificate[], FileFault> {
  const ders = blocks.flatMap(({ label, octets }) => {
    if (label === 'CERTIFICATE' || label === 'X509 CERTIFICATE' || label === 'TRUSTED CERTIFICATE') return [octets];
    return label === 'PKCS7' || label === 'CMS' ? (signedCertificates(derFromBer(octets) ?? octets) ?? []) : [];
  });
  const certificates: Certificate[] = [];
  for (const [index, octets] of ders.entries()) {
    const read = readCertificate(octets);
    if (!read.ok) {
      return err({ rule: 'malformed', detail: `certificate ${index + 1}: ${read.error.detail} (at octet ${read.error.offset})` });
    }
    certificates.push(read.value);
  }
  return ok(certificates);
}

/** The certificates of a PKCS#7 bundle (RFC 5652 part 5.1); undefined where the octets are none. */
function signedCertificates(octets: Uint8Array): Der[] | undefined {
  const bundle = readDer(octets, (top) => {
    const info = top.enter();
    if (oidText(info.value(Tag.oid)) !== SIGNED_DATA) return info.fail('not signed data');
    const signed = info.enter(context(0)).enter();
    signed.value(Tag.integer);
    signed.value(Tag.set);
    signed.value(Tag.sequence);
    const certificates = signed.optional(context(0));
    return certificates ? DerCursor.within(certificates).each((cursor) => cursor.value().der) : [];
  });
  return bundle.ok ? bundle.value : undefined;
}
