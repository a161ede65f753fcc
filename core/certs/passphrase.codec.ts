/**
 * Encryption by passphrase: PBES2 (RFC 8018), and the older schemes of PKCS#12 (RFC 7292 appendices B and C), which Windows and OpenSSL
 * before version 3 still write.
 */
import { concat, utf8 } from '../../hal/base/bytes.js';
import { err, ok } from '../../hal/base/result.js';
import type { Crypto, HashName, Result } from '../../hal/hal.js';
import { type DerCursor, oidText, smallInteger, Tag } from './asn1.js';
import { type BlockCipher, decipher } from './block-cipher.js';
import { HMAC_HASHES, PBES2, PBKDF2 } from './oids.js';

/** What opening one file takes. */
export interface Unlock {
  /** Absent where none was given; files without one are made with an empty one. */
  passphrase?: string;
  crypto: Pick<Crypto, 'digest' | 'hmac'>;
  /** Shared by all that the file asks for. */
  work: HashWork;
}

/**
 * Ours: hash operations that one file may cost. OpenSSL and Windows ask for some 10,000, Java for 350,000; a small board does 100,000 in
 * about a second, and nothing else meanwhile.
 */
const MAX_HASHES = 400_000;

export class HashWork {
  #left = MAX_HASHES;

  /** False where that many are not left. */
  spend(hashes: number): boolean {
    if (hashes > this.#left) return false;
    this.#left -= hashes;
    return true;
  }
}

/** How octets are encrypted, as far as Belfry knows it. */
export type Encryption =
  | { scheme: 'pbes2'; derivation: Derivation; cipher: BlockCipher; iv: Uint8Array }
  | { scheme: 'pkcs12'; salt: Uint8Array; iterations: number; cipher: BlockCipher }
  | { scheme: 'unknown'; name: string };

/** PBKDF2 with HMAC. */
export interface Derivation {
  hash: HashName;
  salt: Uint8Array;
  iterations: number;
}

const PBES2_CIPHERS: Readonly<Record<string, BlockCipher>> = {
  '2.16.840.1.101.3.4.1.2': { type: 'aes', key: 16 },
  '2.16.840.1.101.3.4.1.22': { type: 'aes', key: 24 },
  '2.16.840.1.101.3.4.1.42': { type: 'aes', key: 32 },
  '1.2.840.113549.3.7': { type: '3des', key: 24 },
};
const PKCS12_CIPHERS: Readonly<Record<string, BlockCipher>> = {
  '1.2.840.113549.1.12.1.3': { type: '3des', key: 24 },
  '1.2.840.113549.1.12.1.5': { type: 'rc2', key: 16 },
  '1.2.840.113549.1.12.1.6': { type: 'rc2', key: 5 },
};
/** What is met in old files, and refused by its name. */
const UNKNOWN: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.5.3': 'PBE with MD5 and DES',
  '1.2.840.113549.1.5.10': 'PBE with SHA-1 and DES',
  '1.2.840.113549.1.12.1.1': 'RC4',
  '1.2.840.113549.1.12.1.2': 'RC4',
  '1.2.840.113549.3.2': 'RC2 by PBES2',
  '1.3.14.3.2.7': 'DES',
  '1.3.6.1.4.1.11591.4.11': 'scrypt',
};

/** Reads the AlgorithmIdentifier of an encryption at a cursor. */
export function readEncryption(at: DerCursor): Encryption {
  const algorithm = at.enter();
  const id = oidText(algorithm.value(Tag.oid));
  if (id === PBES2) return readPbes2(algorithm.enter());
  const cipher = PKCS12_CIPHERS[id];
  if (!cipher) return unknown(id);
  const parameters = algorithm.enter();
  const salt = parameters.value(Tag.octetString).content;
  const iterations = smallInteger(parameters.value(Tag.integer));
  parameters.end();
  return { scheme: 'pkcs12', salt, iterations, cipher };
}

const unknown = (id: string): Encryption & { scheme: 'unknown' } => ({ scheme: 'unknown', name: UNKNOWN[id] ?? id });

function readPbes2(parameters: DerCursor): Encryption {
  const derivation = readDerivation(parameters);
  const encryption = parameters.enter();
  parameters.end();
  const id = oidText(encryption.value(Tag.oid));
  const cipher = PBES2_CIPHERS[id];
  if ('scheme' in derivation) return derivation;
  if (!cipher) return unknown(id);
  const iv = encryption.value(Tag.octetString).content;
  encryption.end();
  return { scheme: 'pbes2', derivation, cipher, iv };
}

/** The AlgorithmIdentifier of PBKDF2 (RFC 8018 appendix A.2) at a cursor. */
function readDerivation(at: DerCursor): Derivation | (Encryption & { scheme: 'unknown' }) {
  const algorithm = at.enter();
  const id = oidText(algorithm.value(Tag.oid));
  if (id !== PBKDF2) return unknown(id);
  const parameters = algorithm.enter();
  algorithm.end();
  const salt = parameters.value(Tag.octetString).content;
  const iterations = smallInteger(parameters.value(Tag.integer));
  // The length that the cipher needs counts, and it is the only one that fits.
  parameters.optional(Tag.integer);
  const hash = parameters.more ? hmacNamed(parameters) : 'sha1';
  parameters.end();
  return typeof hash === 'string' ? { hash, salt, iterations } : hash;
}

function hmacNamed(at: DerCursor): HashName | (Encryption & { scheme: 'unknown' }) {
  const algorithm = at.enter();
  const id = oidText(algorithm.value(Tag.oid));
  return HMAC_HASHES[id] ?? unknown(id);
}

/** The plain octets, or a predicate of what holds them that says why not: "is encrypted, and …". */
export function decrypt(encryption: Encryption, octets: Uint8Array, unlock: Unlock): Result<Uint8Array, string> {
  const { scheme } = encryption;
  if (scheme === 'unknown') return err(`is encrypted with ${encryption.name}, which is not known here: ${WRITE_AGAIN}`);
  const passphrase = unlock.passphrase ?? '';
  const keys = scheme === 'pbes2' ? pbes2Keys(encryption, passphrase, unlock) : pkcs12Keys(encryption, passphrase, unlock);
  if (!keys.ok) return keys;
  const plain = decipher(encryption.cipher, keys.value.key, keys.value.iv, octets);
  return plain ? ok(plain) : err(lockedDetail(unlock));
}

/** Said also where an authentication code does not fit, or where what was deciphered makes no sense. */
export const lockedDetail = ({ passphrase }: Unlock): string =>
  passphrase === undefined ? 'is encrypted: give its passphrase' : 'does not open with this passphrase';

const WRITE_AGAIN = 'write it again with AES and PBKDF2, as OpenSSL 3 does';
const tooMuch = (iterations: number): string =>
  `asks for ${iterations} rounds of hashing, more than this device does for one file (${MAX_HASHES} in all): write it with fewer`;

interface Keys {
  key: Uint8Array;
  iv: Uint8Array;
}

function pbes2Keys({ derivation, cipher, iv }: Encryption & { scheme: 'pbes2' }, passphrase: string, unlock: Unlock): Result<Keys, string> {
  const key = pbkdf2(derivation, utf8(passphrase), cipher.key, unlock);
  return key.ok ? ok({ key: key.value, iv }) : key;
}

/** Octets of a hash, and of the blocks that it works on. */
const HASH_SIZES: Readonly<Record<HashName, { output: number; block: number }>> = {
  md5: { output: 16, block: 64 },
  sha1: { output: 20, block: 64 },
  sha256: { output: 32, block: 64 },
  sha384: { output: 48, block: 128 },
  sha512: { output: 64, block: 128 },
  'sha512-256': { output: 32, block: 128 },
};

/** RFC 8018 part 5.2. */
export function pbkdf2(
  { hash, salt, iterations }: Derivation,
  password: Uint8Array,
  length: number,
  { crypto, work }: Unlock,
): Result<Uint8Array, string> {
  const blocks = Math.ceil(length / HASH_SIZES[hash].output);
  if (iterations < 1) return err('is encrypted in no rounds at all');
  if (!work.spend(2 * blocks * iterations)) return err(tooMuch(iterations));
  const parts: Uint8Array[] = [];
  for (let index = 1; index <= blocks; index++) {
    let last = crypto.hmac(hash, password, salt, Uint8Array.of(0, 0, 0, index));
    const sum = last.slice();
    for (let round = 1; round < iterations; round++) {
      last = crypto.hmac(hash, password, last);
      for (let i = 0; i < sum.length; i++) sum[i]! ^= last[i]!;
    }
    parts.push(sum);
  }
  return ok(concat(...parts).subarray(0, length));
}

/** What a derived octet is for (RFC 7292 appendix B.3). */
const PURPOSE = { key: 1, iv: 2, mac: 3 } as const;

function pkcs12Keys(
  { salt, iterations, cipher }: Encryption & { scheme: 'pkcs12' },
  passphrase: string,
  unlock: Unlock,
): Result<Keys, string> {
  const derivation: Derivation = { hash: 'sha1', salt, iterations };
  const key = pkcs12Octets(derivation, 'key', passphrase, cipher.key, unlock);
  if (!key.ok) return key;
  const iv = pkcs12Octets(derivation, 'iv', passphrase, 8, unlock);
  return iv.ok ? ok({ key: key.value, iv: iv.value }) : iv;
}

/** The key of the authentication code of a PKCS#12 file. */
export const pkcs12MacKey = (derivation: Derivation, unlock: Unlock): Result<Uint8Array, string> =>
  pkcs12Octets(derivation, 'mac', unlock.passphrase ?? '', HASH_SIZES[derivation.hash].output, unlock);

/** RFC 7292 appendix B.2. */
function pkcs12Octets(
  { hash, salt, iterations }: Derivation,
  purpose: keyof typeof PURPOSE,
  passphrase: string,
  length: number,
  { crypto, work }: Unlock,
): Result<Uint8Array, string> {
  const { output, block } = HASH_SIZES[hash];
  const rounds = Math.ceil(length / output);
  if (iterations < 1) return err('is encrypted in no rounds at all');
  if (!work.spend(rounds * iterations)) return err(tooMuch(iterations));
  const diversifier = new Uint8Array(block).fill(PURPOSE[purpose]);
  const input = concat(repeated(salt, block), repeated(bmpString(passphrase), block));
  const parts: Uint8Array[] = [];
  for (let part = 0; part < rounds; part++) {
    let value = crypto.digest(hash, diversifier, input);
    for (let round = 1; round < iterations; round++) value = crypto.digest(hash, value);
    parts.push(value);
    const addend = filled(value, block);
    for (let at = 0; at < input.length; at += block) addOne(input.subarray(at, at + block), addend);
  }
  return ok(concat(...parts).subarray(0, length));
}

/** Appendix B.1: UTF-16, big-endian, with a terminating zero. */
function bmpString(text: string): Uint8Array {
  const octets = new Uint8Array(2 * text.length + 2);
  for (let i = 0; i < text.length; i++) octets.set([text.charCodeAt(i) >> 8, text.charCodeAt(i) & 0xff], 2 * i);
  return octets;
}

/** As many copies as fill whole blocks, the last cut short. */
const repeated = (octets: Uint8Array, block: number): Uint8Array => filled(octets, Math.ceil(octets.length / block) * block);

const filled = (octets: Uint8Array, length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => octets[i % octets.length]!);

/** Sum of two blocks and one, big-endian, without what runs over. */
function addOne(block: Uint8Array, addend: Uint8Array): void {
  let carry = 1;
  for (let i = block.length - 1; i >= 0; i--) {
    const sum = block[i]! + addend[i]! + carry;
    block[i] = sum & 0xff;
    carry = sum >> 8;
  }
}
