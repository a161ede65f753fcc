import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../hal/base/bytes.js';
import { expectOk } from '../../hal/base/result.js';
import type { Crypto, Der, HalError, PrivateKey, Result, SignatureAlgorithm } from '../../hal/hal.js';
import { createNodeCrypto } from '../../hal/node/crypto.js';

const clock = { now: () => 42 };
const crypto = createNodeCrypto({ clock, keysOn: 'turn' });
const DATA = utf8('what is signed');

const make = (
  of: Crypto,
  type: 'rsa-2048' | 'ec-p256',
): Promise<{ result: Result<{ key: PrivateKey; pkcs8: Der }, HalError>; at: number }> =>
  new Promise((resolve) => of.generateKey(type, (result, at) => resolve({ result, at })));

describe('crypto of this machine', () => {
  it.each(['thread', 'turn'] as const)('makes keys on a %s, stamped with the time', async (keysOn) => {
    const { result, at } = await make(createNodeCrypto({ clock, keysOn }), 'rsa-2048');
    expect(at).toBe(42);
    const { key, pkcs8 } = expectOk(result, 'key');
    expect(expectOk(crypto.importKey(pkcs8), 'import').spki).toEqual(key.spki);
  });

  it('signs and verifies with RSA in both paddings, and keeps them apart', async () => {
    const { key } = expectOk((await make(crypto, 'rsa-2048')).result, 'key');
    const pkcs1: SignatureAlgorithm = { type: 'rsa-pkcs1', hash: 'sha256' };
    const pss: SignatureAlgorithm = { type: 'rsa-pss', hash: 'sha256', salt: 32 };
    for (const [algorithm, other] of [
      [pkcs1, pss],
      [pss, pkcs1],
    ] as const) {
      const signature = crypto.sign(algorithm, key, DATA);
      expect(crypto.verify(algorithm, key.spki, DATA, signature)).toBe(true);
      expect(crypto.verify(other, key.spki, DATA, signature)).toBe(false);
      expect(crypto.verify({ ...algorithm, hash: 'sha1' } as SignatureAlgorithm, key.spki, DATA, signature)).toBe(false);
    }
  });

  it('verifies ed25519', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
    const signature = sign(null, DATA, privateKey);
    expect(crypto.verify({ type: 'ed25519' }, spki, DATA, signature)).toBe(true);
    expect(crypto.verify({ type: 'ed25519' }, spki, utf8('other'), signature)).toBe(false);
    expect(crypto.verify({ type: 'ecdsa', hash: 'sha256' }, spki, DATA, signature)).toBe(false);
  });

  it('shows nothing of a private key', async () => {
    const { key } = expectOk((await make(crypto, 'ec-p256')).result, 'key');
    expect(Object.keys(key)).toEqual(['spki']);
    expect(() => crypto.sign({ type: 'ecdsa', hash: 'sha256' }, { spki: key.spki }, DATA)).toThrow('another binding');
    expect(() => crypto.sign({ type: 'rsa-pkcs1', hash: 'sha256' }, key, DATA)).toThrow('contract violation');
  });

  it('says nothing of what it could not import', () => {
    expect(crypto.importKey(utf8('-----BEGIN PRIVATE KEY----- hunter2'))).toEqual({
      ok: false,
      error: { kind: 'unsupported', detail: 'not an unencrypted PKCS#8 private key of a known type' },
    });
  });
});
