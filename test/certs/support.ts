/** Keys, entropy and crypto for tests of certificates. */
import crypto from 'node:crypto';
import type { Crypto, Der, Entropy, HashName, PrivateKey, SignatureAlgorithm } from '../../hal/hal.js';

export type KeyKind = 'rsa-2048' | 'ec-p256';
interface TestKey extends PrivateKey {
  readonly node: crypto.KeyObject;
}

const pool = new Map<string, { key: TestKey; pkcs8: Der }>();

/** The same key for the same kind and index, within a process. */
export function testKey(kind: KeyKind, index: number): { key: PrivateKey; pkcs8: Der } {
  const id = `${kind} ${index}`;
  const known = pool.get(id);
  if (known) return known;
  const pair =
    kind === 'rsa-2048'
      ? crypto.generateKeyPairSync('rsa', { modulusLength: 2048 })
      : crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = new Uint8Array(pair.publicKey.export({ type: 'spki', format: 'der' }));
  const made = { key: { spki, node: pair.privateKey }, pkcs8: new Uint8Array(pair.privateKey.export({ type: 'pkcs8', format: 'der' })) };
  pool.set(id, made);
  return made;
}

/** A stream of octets that is the same in every run. */
export function testEntropy(seed = 1): Entropy {
  let counter = 0;
  return {
    fill(out) {
      for (let at = 0; at < out.length; at += 32) {
        out.set(
          crypto
            .createHash('sha256')
            .update(`${seed} ${counter++}`)
            .digest()
            .subarray(0, out.length - at),
          at,
        );
      }
    },
  };
}

export function testPorts(seed?: number): { crypto: Crypto; entropy: Entropy } {
  return { crypto: nodeCrypto, entropy: testEntropy(seed) };
}

const nodeName = (hash: HashName): string => (hash === 'sha512-256' ? 'sha512-256' : hash);

function nodeOptions(algorithm: SignatureAlgorithm): { hash: string | null; options: object } {
  if (algorithm.type === 'ed25519') return { hash: null, options: {} };
  const hash = nodeName(algorithm.hash);
  if (algorithm.type !== 'rsa-pss') return { hash, options: {} };
  return { hash, options: { padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: algorithm.salt } };
}

export const nodeCrypto: Crypto = {
  digest: (algorithm, ...data) => {
    const hash = crypto.createHash(nodeName(algorithm));
    for (const part of data) hash.update(part);
    return new Uint8Array(hash.digest());
  },
  hmac: (algorithm, key, ...data) => {
    const hmac = crypto.createHmac(nodeName(algorithm), key);
    for (const part of data) hmac.update(part);
    return new Uint8Array(hmac.digest());
  },
  verify: (algorithm, spki, data, signature) => {
    try {
      const key = crypto.createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
      const { hash, options } = nodeOptions(algorithm);
      return crypto.verify(hash, data, { key, ...options }, signature);
    } catch {
      return false;
    }
  },
  sign: (algorithm, key, data) => {
    const { hash, options } = nodeOptions(algorithm);
    return new Uint8Array(crypto.sign(hash, data, { key: (key as TestKey).node, ...options }));
  },
  importKey: (pkcs8) => {
    try {
      const node = crypto.createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
      const spki = new Uint8Array(crypto.createPublicKey(node).export({ type: 'spki', format: 'der' }));
      return { ok: true, value: { spki, node } as PrivateKey };
    } catch (error) {
      return { ok: false, error: { kind: 'other', detail: String(error) } };
    }
  },
  generateKey: () => {
    throw new Error('tests make their keys with testKey');
  },
};
