/** Files with certificates and keys as people have them: PEM in any order, DER or BER, PKCS#7, PKCS#12. */
import { err, ok } from '../../hal/base/result.js';
import type { Crypto, Der, Result, TrustRule } from '../../hal/hal.js';
import { context, DerCursor, derFromBer, oidText, readDer, Tag } from './asn1.js';
import { type Certificate, readCertificate } from './certificate.codec.js';
import { Content } from './oids.js';
import { HashWork, type Unlock } from './passphrase.codec.js';
import { isPem, type PemBlock, readPem } from './pem.codec.js';
import { isPkcs12, readPkcs12 } from './pkcs12.codec.js';
import { isPrivateKey, pkcs8Of } from './private-key.codec.js';

/** Why a file is not taken; `detail` is a predicate of the file, or of the certificate of that subject. */
export interface FileFault {
  rule?: TrustRule;
  subject?: string;
  detail: string;
}

/** What reading a file may take. */
export interface FileKey {
  crypto: Pick<Crypto, 'digest' | 'hmac'>;
  passphrase?: string;
}

/** What a file holds. A key stays as it is stored until it is asked for: a file with one may be refused for that alone. */
export interface CertificateFile {
  certificates: readonly Certificate[];
  keys: readonly (() => Result<Der, FileFault>)[];
}

/** Ours: no board has room for more (half of its `certs` partition), and a set of all public authorities has 200 kB. */
const MAX_FILE_OCTETS = 256 * 1024;

export function readCertificateFile(file: Uint8Array, key: FileKey): Result<CertificateFile, FileFault> {
  const unlock: Unlock = { ...key, work: new HashWork() };
  const blocks = blocksOf(file, unlock);
  if (!blocks.ok) return blocks;
  const certificates = certificatesOf(blocks.value);
  if (!certificates.ok) return certificates;
  const keys = blocks.value.filter(isPrivateKey).map((block) => () => {
    const pkcs8 = pkcs8Of(block, unlock);
    return pkcs8.ok ? pkcs8 : err({ detail: `the private key ${pkcs8.error}` });
  });
  return ok({ certificates: certificates.value, keys });
}

function blocksOf(file: Uint8Array, unlock: Unlock): Result<PemBlock[], FileFault> {
  if (file.length > MAX_FILE_OCTETS) return err({ detail: `is larger than ${MAX_FILE_OCTETS} octets` });
  if (isPem(file)) {
    const blocks = readPem(file);
    return blocks.ok ? blocks : err({ rule: 'malformed', detail: `line ${blocks.error.line}: ${blocks.error.detail}` });
  }
  const octets = derFromBer(file);
  if (!octets) return err({ rule: 'malformed', detail: 'is neither PEM nor DER' });
  if (isPkcs12(octets)) {
    const blocks = readPkcs12(octets, unlock);
    return blocks.ok ? blocks : err({ detail: blocks.error });
  }
  return ok([{ label: signedCertificates(octets) ? 'PKCS7' : 'CERTIFICATE', octets, headers: {} }]);
}

function certificatesOf(blocks: readonly PemBlock[]): Result<Certificate[], FileFault> {
  const ders = blocks.flatMap(({ label, octets }) => {
    if (label === 'CERTIFICATE' || label === 'X509 CERTIFICATE') return [octets];
    if (label === 'TRUSTED CERTIFICATE') return [withoutTrust(octets)];
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

/** OpenSSL's TRUSTED CERTIFICATE is a certificate, and after it what it may be trusted for; whoever puts a file here says so himself. */
function withoutTrust(octets: Uint8Array): Uint8Array {
  const cursor = readDer(octets, (top) => {
    const certificate = top.value(Tag.sequence).der;
    top.optional(Tag.sequence);
    return certificate;
  });
  return cursor.ok ? cursor.value : octets;
}

/** The certificates of a PKCS#7 bundle (RFC 5652 part 5.1); undefined where the octets are none. */
function signedCertificates(octets: Uint8Array): Der[] | undefined {
  const bundle = readDer(octets, (top) => {
    const info = top.enter();
    if (oidText(info.value(Tag.oid)) !== Content.signed) return info.fail('not signed data');
    const signed = info.enter(context(0)).enter();
    signed.value(Tag.integer);
    signed.value(Tag.set);
    signed.value(Tag.sequence);
    const certificates = signed.optional(context(0));
    return certificates ? DerCursor.within(certificates).each((cursor) => cursor.value().der) : [];
  });
  return bundle.ok ? bundle.value : undefined;
}
