/** Keys, entropy and crypto for tests of certificates. */
import { createHash } from 'node:crypto';
import { type Certificate, readCertificate } from '../../core/certs/certificate.codec.js';
import type { CertificateTemplate } from '../../core/certs/issue.js';
import { expectOk } from '../../hal/base/result.js';
import { fromIso8601 } from '../../hal/base/time.js';
import type { Crypto, Der, Entropy, PrivateKey, UnixMillis } from '../../hal/hal.js';
import { createNodeCrypto, exported, makeKey } from '../../hal/node/crypto.js';

export type KeyKind = 'rsa-2048' | 'ec-p256';

export const nodeCrypto: Crypto = createNodeCrypto({ clock: { now: () => 0 }, keysOn: 'turn' });

const pool = new Map<string, { key: PrivateKey; pkcs8: Der }>();

/** The same key for the same kind and index, within a process. */
export function testKey(kind: KeyKind, index: number): { key: PrivateKey; pkcs8: Der } {
  const id = `${kind} ${index}`;
  const made = pool.get(id) ?? exported(makeKey(kind));
  pool.set(id, made);
  return made;
}

/** A stream of octets that is the same in every run. */
export function testEntropy(seed = 1): Entropy {
  let counter = 0;
  return {
    fill(out) {
      for (let at = 0; at < out.length; at += 32) {
        const block = createHash('sha256').update(`${seed} ${counter++}`).digest();
        out.set(block.subarray(0, out.length - at), at);
      }
    },
  };
}

export const testPorts = (seed?: number): { crypto: Crypto; entropy: Entropy } => ({ crypto: nodeCrypto, entropy: testEntropy(seed) });

export const date = (text: string): UnixMillis => fromIso8601(text)!;

export const parsed = (der: Der): Certificate => expectOk(readCertificate(der), 'certificate');

/** A template that lasts from 2025 to 2035, for a P-256 key. */
export const template = (commonName: string, keyIndex: number, more: Partial<CertificateTemplate> = {}): CertificateTemplate => ({
  subject: { commonName, organization: 'Test' },
  from: date('2025-01-01'),
  until: date('2035-01-01'),
  publicKey: testKey('ec-p256', keyIndex).key.spki,
  ...more,
});
