/**
 * Which files belong into `certs/`, and in what form they are kept: one form for all, PEM with its key in PKCS#8, so that what was judged is
 * what is read at every boot (`seed`, "Uploading Public CA Certificates", "Algo Device Certificates"; the checks are ours).
 */
import { equal, utf8 } from '../../hal/base/bytes.js';
import { err, ok } from '../../hal/base/result.js';
import type { ClockTrust, Crypto, Der, Result, TlsIdentity, UnixMillis } from '../../hal/hal.js';
import { type Certificate, isSelfIssued } from './certificate.codec.js';
import { type CertificateFile, type FileFault, type FileKey, readCertificateFile } from './certificate-file.codec.js';
import { KeyUsage } from './extensions.codec.js';
import { sameName } from './name.codec.js';
import { Purpose } from './oids.js';
import { dateFault, keyFault } from './path-rules.policy.js';
import { writePem } from './pem.codec.js';

/** Any file name below it: certificates of authorities. */
export const TRUSTED = 'certs/trusted/';
/** What the device shows to servers instead of its factory certificate. */
export const CLIENT_IDENTITY = 'certs/sipclient.pem';
/** What the device's own web server shows to browsers. */
export const WEB_IDENTITY = 'certs/httpd.pem';

export type IdentityPath = typeof CLIENT_IDENTITY | typeof WEB_IDENTITY;
export const isIdentityPath = (path: string): path is IdentityPath => path === CLIENT_IDENTITY || path === WEB_IDENTITY;

/** A private key with its certificate and what leads from it to its authority. */
export interface Identity extends TlsIdentity {
  certificates: readonly [leaf: Certificate, ...others: Certificate[]];
  pkcs8: Der;
}

type IdentityKey = FileKey & { crypto: Pick<Crypto, 'importKey'> };

/** The certificates of a file for `certs/trusted`: at least one, and no private key. */
export function readTrusted(file: Uint8Array, key: FileKey): Result<readonly Certificate[], FileFault> {
  const read = readCertificateFile(file, key);
  if (!read.ok) return read;
  const { certificates, keys } = read.value;
  if (keys.length > 0) return err({ ...about(certificates[0]), detail: `holds a private key: ${keyBelongs(certificates)}` });
  return certificates.length > 0 ? ok(certificates) : err({ detail: 'holds no certificate' });
}

const keyBelongs = (certificates: readonly Certificate[]): string =>
  certificates.length > 0 && certificates.every(isAuthority)
    ? 'put the certificate of the authority here without it, and keep the key off the device'
    : `a certificate with its key belongs in ${CLIENT_IDENTITY} or ${WEB_IDENTITY}`;

/** The identity of a file for `certs/sipclient.pem` or `certs/httpd.pem`. */
export function readIdentity(path: IdentityPath, file: Uint8Array, key: IdentityKey): Result<Identity, FileFault> {
  const read = readCertificateFile(file, key);
  if (!read.ok) return read;
  const { certificates, keys } = read.value;
  const [first] = certificates;
  if (!first) return err({ detail: 'holds no certificate' });
  if (keys.length === 0 && certificates.every(isAuthority)) return err(belongsInTrusted(first));
  if (keys.length === 0) return err({ ...about(first), detail: 'holds no private key: the file needs the certificate and its key' });
  if (keys.length > 1) return err({ ...about(first), detail: 'holds more than one private key' });
  return paired(path, read.value, key.crypto);
}

function paired(path: IdentityPath, file: CertificateFile, crypto: Pick<Crypto, 'importKey'>): Result<Identity, FileFault> {
  const { certificates, keys } = file;
  const pkcs8 = keys[0]!();
  if (!pkcs8.ok) return err({ ...about(certificates[0]), ...pkcs8.error });
  const key = crypto.importKey(pkcs8.value);
  if (!key.ok) return err({ ...about(certificates[0]), detail: `the private key cannot be used: ${key.error.detail}` });
  const leaf = certificates.find((certificate) => equal(certificate.spki, key.value.spki));
  if (!leaf) {
    return err({ ...about(certificates[0]), rule: 'malformed', detail: 'the private key belongs to none of the certificates in the file' });
  }
  if (isAuthority(leaf) && !(path === WEB_IDENTITY && isSelfMade(leaf))) return err(belongsInTrusted(leaf));
  const chain = chainFrom(leaf, certificates);
  return ok({ certificates: chain, chain: chain.map(({ der }) => der), key: key.value, pkcs8: pkcs8.value });
}

const about = (certificate: Certificate | undefined): { subject?: string } => (certificate ? { subject: certificate.subject.text } : {});

const isAuthority = ({ extensions }: Certificate): boolean => extensions.basicConstraints?.authority === true;

/** `openssl req -x509` calls what it makes an authority unless told not to, and it is how people make a certificate for their web page. */
const isSelfMade = (certificate: Certificate): boolean => isSelfIssued(certificate) && certificate.extensions.keyUsage === undefined;

const belongsInTrusted = ({ subject }: Certificate): FileFault => ({
  subject: subject.text,
  detail: `is the certificate of an authority: it belongs in ${TRUSTED.slice(0, -1)}, without its key`,
});

/** The leaf, then each certificate's issuer as far as the file has it. */
function chainFrom(leaf: Certificate, all: readonly Certificate[]): [Certificate, ...Certificate[]] {
  const chain: [Certificate, ...Certificate[]] = [leaf];
  const left = new Set(all.filter((certificate) => certificate !== leaf));
  for (let issuer: Certificate | undefined = leaf; issuer; ) {
    const { issuer: wanted }: Certificate = issuer;
    issuer = [...left].find((candidate) => sameName(candidate.subject, wanted));
    if (!issuer) break;
    left.delete(issuer);
    chain.push(issuer);
  }
  return chain;
}

/** A file as it will be stored, whose certificates it holds, and what its owner should know although it is taken. */
export interface AcceptedFile {
  bytes: Uint8Array;
  subjects: readonly string[];
  notes: readonly string[];
}

export interface Upload {
  path: string;
  file: Uint8Array;
  passphrase?: string;
  wall: { at: UnixMillis; trust: ClockTrust };
  crypto: IdentityKey['crypto'];
  /** Whether a peer has shown this certificate and was refused: who puts it into `certs/trusted` then means just this one. */
  wasRefused(certificate: Certificate): boolean;
}

/** Everything that can be said about a file before it is kept. */
export function judgeUpload(upload: Upload): Result<AcceptedFile, FileFault> {
  const { path } = upload;
  if (isIdentityPath(path)) return judgeIdentity(path, upload);
  if (path.startsWith(TRUSTED)) return judgeTrusted(upload);
  return err({ detail: `is in no folder for certificates: use ${TRUSTED}NAME, ${CLIENT_IDENTITY} or ${WEB_IDENTITY}` });
}

/** Those that could never help are left out; a file of which none is left is refused. */
function judgeTrusted(upload: Upload): Result<AcceptedFile, FileFault> {
  const { file, wall } = upload;
  const read = readTrusted(file, upload);
  if (!read.ok) return read;
  const judged = read.value.map((certificate) => ({ certificate, wrong: trustFault(certificate, upload) }));
  const good = judged.flatMap(({ certificate, wrong }) => (wrong ? [] : [certificate]));
  const faults = judged.flatMap(({ wrong }) => wrong ?? []);
  if (good.length === 0) return err(faults[0]!);
  const notes = [
    ...faults.map(({ subject, detail }) => `left out "${subject}": ${detail}`),
    ...good.flatMap((certificate) => (isAuthority(certificate) || isOld(certificate) ? [] : [pinNote(certificate)])),
    ...good.flatMap((certificate) => dateNotes(certificate, wall)),
  ];
  return ok({ bytes: utf8(good.map(pemOf).join('')), subjects: good.map(({ subject }) => subject.text), notes });
}

/** A root of version 1 has no place to say that it is an authority. */
const isOld = (certificate: Certificate): boolean => certificate.version === 1 && isSelfIssued(certificate);

const pinNote = ({ subject }: Certificate): string =>
  `"${subject.text}" is no authority: exactly this certificate is trusted, not the one that will take its place`;

const pemOf = ({ der }: Certificate): string => writePem('CERTIFICATE', der);

/** Why a certificate would never be the anchor of an accepted path. */
function trustFault(certificate: Certificate, { wall, wasRefused }: Upload): FileFault | undefined {
  const anchor = isAuthority(certificate) || isSelfIssued(certificate) || wasRefused(certificate);
  const { subject, issuer, extensions } = certificate;
  if (!anchor) {
    return {
      rule: 'not-a-ca',
      subject: subject.text,
      detail: `is no certificate of an authority: put the CA certificate of "${issuer.text}" here, which issued it`,
    };
  }
  if (isAuthority(certificate) && extensions.keyUsage && !extensions.keyUsage.has(KeyUsage.keyCertSign)) {
    return { rule: 'key-usage', subject: subject.text, detail: 'its key may not sign certificates' };
  }
  const wrong = keyFault(certificate) ?? dateFault(certificate, wall.at, wall.trust === 'none');
  return wrong && { rule: wrong.rule, subject: wrong.subject, detail: wrong.detail };
}

function judgeIdentity(path: IdentityPath, upload: Upload): Result<AcceptedFile, FileFault> {
  const { file, wall } = upload;
  const identity = readIdentity(path, file, upload);
  if (!identity.ok) return identity;
  const { certificates, pkcs8 } = identity.value;
  const [leaf, ...others] = certificates;
  const wrong = keyFault(leaf) ?? dateFault(leaf, wall.at, wall.trust === 'none');
  if (wrong) return err({ rule: wrong.rule, subject: wrong.subject, detail: wrong.detail });
  const notes = [
    ...purposeNotes(path, leaf),
    ...chainNotes(certificates),
    ...others.flatMap((certificate) => endedNote(certificate, wall.at)),
    ...dateNotes(leaf, wall),
  ];
  const bytes = utf8(certificates.map(pemOf).join('') + writePem('PRIVATE KEY', pkcs8));
  return ok({ bytes, subjects: certificates.map(({ subject }) => subject.text), notes });
}

/** The peer decides about purposes, so that a wrong one is no reason to refuse. */
function purposeNotes(path: IdentityPath, leaf: Certificate): string[] {
  const purposes = leaf.extensions.extKeyUsage?.purposes;
  const wanted = path === CLIENT_IDENTITY ? 'clientAuth' : 'serverAuth';
  if (!purposes || purposes.includes(Purpose[wanted]) || purposes.includes(Purpose.any)) return [];
  return [
    `"${leaf.subject.text}" is not for use as a TLS ${wanted === 'clientAuth' ? 'client: servers' : 'server: browsers'} may refuse it`,
  ];
}

function chainNotes(chain: Identity['certificates']): string[] {
  const last = chain.at(-1)!;
  return isSelfIssued(last) ? [] : [`"${last.issuer.text}" is not in the file: peers have to have its certificate`];
}

function endedNote(certificate: Certificate, at: UnixMillis): string[] {
  const ended = dateFault(certificate, at, true);
  return ended ? [`"${ended.subject}" is of no use: ${ended.detail}`] : [];
}

const dateNotes = (certificate: Certificate, { trust }: Upload['wall']): string[] =>
  trust === 'none' ? [`the dates of "${certificate.subject.text}" could not be checked: the clock is not set`] : [];
