/** The rules that every certificate of a path has to keep (RFC 5280 part 6.1), and the profile that public authorities keep besides. */

import { iso8601, MILLISECOND, SECOND } from '../../hal/base/time.js';
import type { Crypto, UnixMillis } from '../../hal/hal.js';
import { type Certificate, isSelfIssued } from './certificate.codec.js';
import { KeyUsage } from './extensions.codec.js';
import { type Fault, fault } from './fault.js';
import { constraintsFault } from './name-constraints.policy.js';
import { Purpose as PurposeId } from './oids.js';
import type { Anchor } from './path.policy.js';
import { profileFault } from './profile.policy.js';

export type Purpose = 'serverAuth' | 'clientAuth';

export interface PathQuestion {
  /** The peer's certificate first, the anchor last. Every signature on it holds. */
  path: readonly Certificate[];
  anchor: Anchor;
  purpose: Purpose;
  /** The peer speaks SIP: a certificate for a SIP domain serves either purpose (RFC 5924 part 4). */
  sip?: boolean;
  at: UnixMillis;
  /** `at` is a floor: it is then or later. The path then has to be good at some such time, and what has ended by the floor has ended for certain. */
  floor?: boolean;
}

/** Whether `issuer`'s key made the signature of `certificate`, with an algorithm that can still be trusted. */
export function signatureFault(certificate: Certificate, issuer: Certificate, crypto: Pick<Crypto, 'verify'>): Fault | undefined {
  const { algorithm, octets, id } = certificate.signature;
  if (!algorithm) return fault('signature', certificate, `its signature algorithm ${id} is not known here`);
  if ('hash' in algorithm && (algorithm.hash === 'md5' || algorithm.hash === 'sha1')) {
    return fault('weak-signature', certificate, `it is signed with ${algorithm.hash === 'md5' ? 'MD5' : 'SHA-1'}`);
  }
  // What a peer sends decides what a signature costs: keys beyond these bounds are refused before the arithmetic.
  const size = sizeFault(issuer);
  if (size) return size;
  if (crypto.verify(algorithm, issuer.spki, certificate.tbs, octets)) return undefined;
  return fault('signature', certificate, `the key of "${issuer.subject.text}" did not sign it`);
}

/** The first rule that the path breaks, from the peer's certificate up. */
export function pathFault(question: PathQuestion): Fault | undefined {
  const { path, at, floor = false, anchor } = question;
  for (const [depth, certificate] of path.entries()) {
    const wrong =
      dateFault(certificate, at, floor) ??
      keyFault(certificate) ??
      criticalFault(certificate) ??
      (depth === 0 ? leafUsageFault(certificate) : authorityFault(path, depth, anchor)) ??
      purposeFault(certificate, question);
    if (wrong) return wrong;
  }
  return (
    (floor ? neverFault(path) : undefined) ?? constraintsFault(path) ?? (anchor.origin === 'preinstalled' ? profileFault(path) : undefined)
  );
}

/** Certificates count in whole seconds, both ends included (RFC 5280 part 4.1.2.5). */
export function dateFault(certificate: Certificate, at: UnixMillis, floor: boolean): Fault | undefined {
  const second = SECOND / MILLISECOND;
  const now = Math.floor(at / second) * second;
  if (now < certificate.notBefore && !floor) return fault('not-yet-valid', certificate, `it begins at ${iso8601(certificate.notBefore)}`);
  if (now > certificate.notAfter) return fault('expired', certificate, `it ended at ${iso8601(certificate.notAfter)}`);
  return undefined;
}

/** A path of which one certificate ended before another began was good at no time. */
function neverFault(path: readonly Certificate[]): Fault | undefined {
  const last = path.reduce((a, b) => (b.notBefore > a.notBefore ? b : a));
  const first = path.reduce((a, b) => (b.notAfter < a.notAfter ? b : a));
  if (last.notBefore <= first.notAfter) return undefined;
  return fault('expired', first, `it ended at ${iso8601(first.notAfter)}, before "${last.subject.text}" began`);
}

/** NIST SP 800-57 part 1: 112 bits of strength or more. */
const MIN_RSA_BITS = 2048;
/** Ours: twice what any public authority has. */
const MAX_RSA_BITS = 8192;
/** Everybody's is 65537. A longer one makes a verification as slow as a signature; OpenSSL's bound for large keys is the same. */
const MAX_EXPONENT_BITS = 64;

function sizeFault(certificate: Certificate): Fault | undefined {
  const { key } = certificate;
  if (key.type !== 'rsa' || (key.bits <= MAX_RSA_BITS && key.exponentBits <= MAX_EXPONENT_BITS)) return undefined;
  const detail = `its RSA key has ${key.bits} bits and an exponent of ${key.exponentBits}, more than this device computes with`;
  return fault('weak-key', certificate, detail, `have it issued again for an RSA key of ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits`);
}

export function keyFault(certificate: Certificate): Fault | undefined {
  const { key } = certificate;
  switch (key.type) {
    case 'rsa':
      return key.bits >= MIN_RSA_BITS ? sizeFault(certificate) : fault('weak-key', certificate, `its RSA key has ${key.bits} bits`);
    case 'ec':
      return key.curve ? undefined : fault('weak-key', certificate, 'its key is on a curve other than P-256, P-384 and P-521');
    case 'ed25519':
      return undefined;
    case 'other':
      return fault('weak-key', certificate, `its key is of a kind (${key.algorithm}) that is not used for TLS`);
  }
}

function criticalFault(certificate: Certificate): Fault | undefined {
  const [unknown] = certificate.extensions.unknownCritical;
  return unknown === undefined
    ? undefined
    : fault('critical-extension', certificate, `it has the critical extension ${unknown}, which is not known here`);
}

/** A key that may do nothing that TLS does (RFC 5246 part 7.4.2, RFC 8446 part 4.4.2.2). */
function leafUsageFault(certificate: Certificate): Fault | undefined {
  const { keyUsage } = certificate.extensions;
  const fit = !keyUsage || [KeyUsage.digitalSignature, KeyUsage.keyEncipherment, KeyUsage.keyAgreement].some((bit) => keyUsage.has(bit));
  return fit ? undefined : fault('key-usage', certificate, 'its key may neither sign nor agree on keys');
}

/** RFC 5280 part 6.1.4 (k) to (n). */
function authorityFault(path: readonly Certificate[], depth: number, anchor: Anchor): Fault | undefined {
  const certificate = path[depth]!;
  const { basicConstraints, keyUsage } = certificate.extensions;
  // A root of version 1 has no place to say so; who trusts it did (6.1.4 k, "out-of-band means"). The profile refuses a public one.
  const byHand = certificate.version === 1 && certificate === anchor.certificate;
  if (!basicConstraints?.authority && !byHand) return fault('not-a-ca', certificate, 'it is not the certificate of an authority');
  if (keyUsage && !keyUsage.has(KeyUsage.keyCertSign)) return fault('key-usage', certificate, 'its key may not sign certificates');
  const below = path.slice(1, depth).filter((between) => !isSelfIssued(between)).length;
  const limit = basicConstraints?.pathLength;
  if (limit === undefined || below <= limit) return undefined;
  return fault('path-length', certificate, `it allows ${limit} further authorities, and ${below} follow`);
}

/** RFC 5280 part 4.2.1.12; an authority's extended key usage limits what it issues, as everybody reads it. */
function purposeFault(certificate: Certificate, { purpose, sip = false }: PathQuestion): Fault | undefined {
  const purposes = certificate.extensions.extKeyUsage?.purposes;
  const fit: readonly string[] = [PurposeId[purpose], PurposeId.any, ...(sip ? [PurposeId.sipDomain] : [])];
  if (!purposes || purposes.some((one) => fit.includes(one))) return undefined;
  return fault('purpose', certificate, `it is not for use as a TLS ${purpose === 'serverAuth' ? 'server' : 'client'}`);
}
