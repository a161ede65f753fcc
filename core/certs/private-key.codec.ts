/** Private keys as people store them: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017) and SEC 1 (RFC 5915), encrypted or not; all handed on as PKCS#8. */
import { concat, fromHex, utf8 } from '../../hal/base/bytes.js';
import { err, ok } from '../../hal/base/result.js';
import type { Crypto, Der, Result } from '../../hal/hal.js';
import { context, der, oid, readDer, sequence, Tag, unsigned } from './asn1.js';
import { type BlockCipher, decipher } from './block-cipher.js';
import { Algorithm } from './oids.js';
import { decrypt, lockedDetail, readEncryption, type Unlock } from './passphrase.codec.js';
import type { PemBlock } from './pem.codec.js';

/** Whether a PEM block holds a private key, in whatever form. */
export const isPrivateKey = (block: PemBlock): boolean => block.label.endsWith('PRIVATE KEY');

/** PKCS#8 of a PEM block with a private key, not encrypted any more; the error is a predicate of the key. */
export function pkcs8Of(block: PemBlock, unlock: Unlock): Result<Der, string> {
  const opened = isEncrypted(block) ? opensslKey(block, unlock) : ok(block.octets);
  if (!opened.ok) return opened;
  const key = inPkcs8(block.label, opened.value, unlock);
  // A wrong key leaves octets that look like padding once in 256 times.
  return key.ok || !isEncrypted(block) ? key : err(lockedDetail(unlock));
}

function inPkcs8(label: string, octets: Uint8Array, unlock: Unlock): Result<Der, string> {
  switch (label) {
    case 'PRIVATE KEY':
      return ok(octets);
    case 'ENCRYPTED PRIVATE KEY':
      return ofEncrypted(octets, unlock);
    case 'RSA PRIVATE KEY':
      return ofPkcs1(octets);
    case 'EC PRIVATE KEY':
      return ofSec1(octets);
    default:
      return err(`is a ${label}, a kind of key that is not known here`);
  }
}

const wrapped = (algorithm: Uint8Array, key: Uint8Array): Der => sequence(unsigned(Uint8Array.of(0)), algorithm, der(Tag.octetString, key));

function ofPkcs1(octets: Uint8Array): Result<Der, string> {
  const whole = readDer(octets, (top) => top.value(Tag.sequence).der);
  return whole.ok ? ok(wrapped(sequence(oid(Algorithm.rsa), der(Tag.null)), octets)) : err(`is damaged: ${whole.error.detail}`);
}

/** SEC 1 names its curve inside, PKCS#8 outside. */
function ofSec1(octets: Uint8Array): Result<Der, string> {
  const curve = readDer(octets, (top) => {
    const key = top.enter();
    key.value(Tag.integer);
    key.value(Tag.octetString);
    return key.enter(context(0)).value(Tag.oid).der;
  });
  return curve.ok ? ok(wrapped(sequence(oid(Algorithm.ec), curve.value), octets)) : err(`is damaged: ${curve.error.detail}`);
}

/** EncryptedPrivateKeyInfo (RFC 5958 part 3). */
function ofEncrypted(octets: Uint8Array, unlock: Unlock): Result<Der, string> {
  const info = readDer(octets, (top) => {
    const inside = top.enter();
    return { encryption: readEncryption(inside), data: inside.value(Tag.octetString).content };
  });
  if (!info.ok) return err(`is damaged: ${info.error.detail}`);
  const plain = decrypt(info.value.encryption, info.value.data, unlock);
  if (!plain.ok) return plain;
  return readDer(plain.value, (top) => top.enter().value(Tag.integer)).ok ? plain : err(lockedDetail(unlock));
}

const isEncrypted = ({ headers }: PemBlock): boolean => headers['DEK-Info'] !== undefined || headers['Proc-Type'] !== undefined;

/** As DEK-Info names them. */
const DEK_CIPHERS: Readonly<Record<string, BlockCipher>> = {
  'AES-128-CBC': { type: 'aes', key: 16 },
  'AES-192-CBC': { type: 'aes', key: 24 },
  'AES-256-CBC': { type: 'aes', key: 32 },
  'DES-EDE3-CBC': { type: '3des', key: 24 },
};

/** OpenSSL's own encryption of PEM (RFC 1421 headers), from before PKCS#8: the key is MD5 of passphrase and salt, one round. */
function opensslKey({ headers, octets }: PemBlock, unlock: Unlock): Result<Uint8Array, string> {
  const [name = '', initial = ''] = (headers['DEK-Info'] ?? '').split(',').map((part) => part.trim());
  const cipher = DEK_CIPHERS[name.toUpperCase()];
  const iv = fromHex(initial);
  if (!cipher || !iv) return err(`is encrypted with ${name || 'a cipher that it does not name'}, which is not known here`);
  const key = opensslDerived(unlock.crypto, utf8(unlock.passphrase ?? ''), iv.subarray(0, 8), cipher.key);
  const plain = decipher(cipher, key, iv, octets);
  return plain ? ok(plain) : err(lockedDetail(unlock));
}

/** EVP_BytesToKey of OpenSSL's manual, with MD5 and a count of 1. */
function opensslDerived(crypto: Pick<Crypto, 'digest'>, passphrase: Uint8Array, salt: Uint8Array, length: number): Uint8Array {
  let derived: Uint8Array = new Uint8Array(0);
  let last: Uint8Array = new Uint8Array(0);
  while (derived.length < length) {
    last = crypto.digest('md5', last, passphrase, salt);
    derived = concat(derived, last);
  }
  return derived.subarray(0, length);
}
