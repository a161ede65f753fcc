/** `Crypto` over node:crypto. Private keys are opaque outside this folder: the KeyObject behind a handle is known to it and to tls.ts alone. */
import {
  constants,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  generateKeyPairSync,
  type KeyObject,
  type SignKeyObjectInput,
  sign,
  verify,
} from 'node:crypto';
import { expectOk, fail, invariant, ok } from '../base/result.js';
import type { Crypto, Der, HalError, Micros, PrivateKey, Result, SignatureAlgorithm } from '../hal.js';
import { plain } from './octets.js';

const keyObjects = new WeakMap<PrivateKey, KeyObject>();

/** The key behind a handle that this module made; undefined for a handle of another binding. */
export const keyObjectOf = (key: PrivateKey): KeyObject | undefined => keyObjects.get(key);

export interface NodeCryptoOptions {
  clock: { now(): Micros };
  /**
   * Where keys are made: on a `thread`, so that a page goes on playing, or in a `turn` of the event loop, where virtual time can see it
   * (a thread pool's work is invisible to the quiet probe).
   */
  keysOn: 'thread' | 'turn';
}

export function createNodeCrypto({ clock, keysOn }: NodeCryptoOptions): Crypto {
  return {
    digest: (algorithm, ...data) => {
      const hash = createHash(algorithm);
      for (const part of data) hash.update(part);
      return plain(hash.digest());
    },
    hmac: (algorithm, key, ...data) => {
      const mac = createHmac(algorithm, key);
      for (const part of data) mac.update(part);
      return plain(mac.digest());
    },
    verify: verifySignature,
    sign: (algorithm, key, data) => {
      const object = keyObjects.get(key);
      invariant(object !== undefined, 'sign with a key of another binding');
      invariant(fits(algorithm, object), `sign ${algorithm.type} with a key of type ${object.asymmetricKeyType}`);
      return plain(sign(hashOf(algorithm), data, padded(algorithm, object)));
    },
    importKey,
    generateKey: (type, done) => {
      const finish = (error: Error | null, key: KeyObject | undefined): void =>
        done(key ? ok(exported(key)) : fail('other', `key generation failed: ${error?.message ?? 'no reason given'}`), clock.now());
      if (keysOn === 'thread') makeOnThread(type, finish);
      else setImmediate(() => finish(null, makeKey(type)));
    },
  };
}

/** A PKCS#8 key as an opaque handle; `unsupported` for what OpenSSL does not read. */
function importKey(pkcs8: Der): Result<PrivateKey, HalError> {
  try {
    return ok(handleOf(createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' })));
  } catch {
    // OpenSSL's own words are left out: they may quote the input.
    return fail('unsupported', 'not an unencrypted PKCS#8 private key of a known type');
  }
}

/** RSA-2048 or P-256, made in this call: about 0.2 s for RSA. */
export const makeKey = (type: 'rsa-2048' | 'ec-p256'): KeyObject =>
  type === 'rsa-2048'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

export function exported(key: KeyObject): { key: PrivateKey; pkcs8: Der } {
  const pkcs8 = plain(key.export({ type: 'pkcs8', format: 'der' }));
  return { key: expectOk(importKey(pkcs8), 'import of a key just made'), pkcs8 };
}

function makeOnThread(type: 'rsa-2048' | 'ec-p256', finish: (error: Error | null, key: KeyObject | undefined) => void): void {
  if (type === 'rsa-2048') generateKeyPair('rsa', { modulusLength: 2048 }, (error, _public, key) => finish(error, key));
  else generateKeyPair('ec', { namedCurve: 'P-256' }, (error, _public, key) => finish(error, key));
}

function handleOf(key: KeyObject): PrivateKey {
  const handle: PrivateKey = Object.freeze({ spki: plain(createPublicKey(key).export({ type: 'spki', format: 'der' })) });
  keyObjects.set(handle, key);
  return handle;
}

function verifySignature(algorithm: SignatureAlgorithm, spki: Der, data: Uint8Array, signature: Uint8Array): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    return fits(algorithm, key) && verify(hashOf(algorithm), data, padded(algorithm, key), signature);
  } catch {
    return false; // Hostile keys and signatures are answers, not errors.
  }
}

const KEY_TYPES: Readonly<Record<SignatureAlgorithm['type'], readonly string[]>> = {
  'rsa-pkcs1': ['rsa'],
  'rsa-pss': ['rsa', 'rsa-pss'],
  ecdsa: ['ec'],
  ed25519: ['ed25519'],
};

/** OpenSSL would pick the algorithm by the key; the caller's word must hold instead. */
const fits = (algorithm: SignatureAlgorithm, key: KeyObject): boolean => KEY_TYPES[algorithm.type].includes(key.asymmetricKeyType ?? '');

const hashOf = (algorithm: SignatureAlgorithm): string | null => (algorithm.type === 'ed25519' ? null : algorithm.hash);

const padded = (algorithm: SignatureAlgorithm, key: KeyObject): SignKeyObjectInput =>
  algorithm.type === 'rsa-pss' ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: algorithm.salt } : { key };
