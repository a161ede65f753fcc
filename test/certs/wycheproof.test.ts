import { expect, it } from 'vitest';
import type { SignatureAlgorithm } from '../../hal/hal.js';
import { describeSuite, readSharedJson } from '../support/shared.js';
import { nodeCrypto } from './support.js';

interface Suite {
  testGroups: { publicKeyDer: string; tests: { tcId: number; msg: string; sig: string; result: 'valid' | 'invalid' | 'acceptable' }[] }[];
}
const octets = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

// Signatures on certificates are verified by the platform: these show what ours lets through.
describeSuite('wycheproof', () => {
  it.each<[string, SignatureAlgorithm, number]>([
    ['rsa_signature_2048_sha256', { type: 'rsa-pkcs1', hash: 'sha256' }, 259],
    ['rsa_pss_2048_sha256_mgf1_32', { type: 'rsa-pss', hash: 'sha256', salt: 32 }, 108],
    ['ecdsa_secp256r1_sha256', { type: 'ecdsa', hash: 'sha256' }, 484],
    ['ecdsa_secp384r1_sha384', { type: 'ecdsa', hash: 'sha384' }, 504],
  ])('%s', (file, algorithm, count) => {
    const { testGroups } = readSharedJson<Suite>(`suites/wycheproof/${file}_test.json`);
    const wrong = testGroups.flatMap(({ publicKeyDer, tests }) =>
      tests
        .filter(({ msg, sig, result }) => {
          const verified = nodeCrypto.verify(algorithm, octets(publicKeyDer), octets(msg), octets(sig));
          return result !== 'acceptable' && verified !== (result === 'valid');
        })
        .map(({ tcId }) => tcId),
    );
    expect(wrong).toEqual([]);
    expect(testGroups.flatMap(({ tests }) => tests)).toHaveLength(count);
  });
});
