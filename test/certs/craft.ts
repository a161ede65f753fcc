/** Certificates that `issue.ts` would not make: each part can be wrong. */
import { bitString, context, der, namedBits, oid, sequence, Tag, time, unsigned } from '../../core/certs/asn1.js';
import { Algorithm, COMMON_NAME, Extension } from '../../core/certs/oids.js';
import { fromLatin1, utf8 } from '../../hal/base/bytes.js';
import type { Der, HashName, PrivateKey, UnixMillis } from '../../hal/hal.js';
import { date, nodeCrypto, testKey } from './support.js';

export interface Craft {
  subject: string;
  issuer: string;
  /** Whose key signs. */
  signer: PrivateKey;
  publicKey?: Der;
  version?: number;
  hash?: HashName;
  /** What the outside says instead of `hash`. */
  claimedHash?: HashName;
  from?: UnixMillis;
  until?: UnixMillis;
  extensions?: readonly Uint8Array[];
}

const ECDSA: Partial<Record<HashName, string>> = { sha1: Algorithm.ecdsaWithSha1, sha256: Algorithm.ecdsaWithSha256 };

export function craft({ subject, issuer, signer, extensions = [], ...more }: Craft): Der {
  const { version = 3, hash = 'sha256', claimedHash = hash, publicKey = testKey('ec-p256', 9).key.spki } = more;
  const { from = date('2025-01-01'), until = date('2035-01-01') } = more;
  const identifier = sequence(oid(ECDSA[hash]!));
  const tbs = sequence(
    ...(version > 1 ? [der(context(0), unsigned(Uint8Array.of(version - 1)))] : []),
    unsigned(Uint8Array.of(1, 2, 3)),
    identifier,
    name(issuer),
    sequence(time(from), time(until)),
    name(subject),
    publicKey,
    ...(extensions.length > 0 ? [der(context(3), sequence(...extensions))] : []),
  );
  return sequence(tbs, sequence(oid(ECDSA[claimedHash]!)), bitString(nodeCrypto.sign({ type: 'ecdsa', hash }, signer, tbs)));
}

const name = (cn: string): Uint8Array =>
  cn === '' ? sequence() : sequence(der(Tag.set, sequence(oid(COMMON_NAME), der(Tag.utf8String, utf8(cn)))));

export const extension = (id: string, critical: boolean, value: Uint8Array): Uint8Array =>
  sequence(oid(id), ...(critical ? [der(Tag.boolean, Uint8Array.of(0xff))] : []), der(Tag.octetString, value));

export const ca = (pathLength?: number): Uint8Array =>
  extension(
    Extension.basicConstraints,
    true,
    sequence(der(Tag.boolean, Uint8Array.of(0xff)), ...(pathLength === undefined ? [] : [unsigned(Uint8Array.of(pathLength))])),
  );

export const usage = (...bits: number[]): Uint8Array => extension(Extension.keyUsage, true, namedBits(bits));

export const dnsNames = (...names: string[]): Uint8Array =>
  extension(Extension.subjectAltName, false, sequence(...names.map((dns) => der(context(2, false), fromLatin1(dns)))));

export const permittedDns = (...names: string[]): Uint8Array =>
  extension(
    Extension.nameConstraints,
    true,
    sequence(der(context(0), ...names.map((dns) => sequence(der(context(2, false), fromLatin1(dns)))))),
  );
