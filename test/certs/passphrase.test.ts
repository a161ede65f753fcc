import { createCipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type BlockCipher, decipher } from '../../core/certs/block-cipher.js';
import { readCertificateFile } from '../../core/certs/certificate-file.codec.js';
import { HashWork, pbkdf2 } from '../../core/certs/passphrase.codec.js';
import { writePem } from '../../core/certs/pem.codec.js';
import { hex, utf8 } from '../../hal/base/bytes.js';
import { expectOk } from '../../hal/base/result.js';
import type { HashName } from '../../hal/hal.js';
import { describeSuite, readSharedJson } from '../support/shared.js';
import { openssl } from './openssl.js';
import { nodeCrypto, testKey } from './support.js';

const rsa = testKey('rsa-2048', 0).pkcs8;
const ec = testKey('ec-p256', 0).pkcs8;
const pkcs8 = (key: Uint8Array): string => writePem('PRIVATE KEY', key);

/** The PKCS#8 key of a file, or why there is none. */
function opened(file: Uint8Array | string, passphrase?: string): string {
  const bytes = typeof file === 'string' ? utf8(file) : file;
  const read = readCertificateFile(bytes, { crypto: nodeCrypto, ...(passphrase === undefined ? {} : { passphrase }) });
  if (!read.ok) return read.error.detail;
  const key = read.value.keys[0]!();
  if (!key.ok) return key.error.detail;
  const imported = nodeCrypto.importKey(key.value);
  return imported.ok ? hex(imported.value.spki) : imported.error.detail;
}
const isRsa = hex(testKey('rsa-2048', 0).key.spki);
const isEc = hex(testKey('ec-p256', 0).key.spki);

const encrypted = (key: Uint8Array, ...how: string[]): Buffer =>
  openssl(['pkcs8', '-topk8', '-in', 'key', '-passout', 'pass:pälz 12', ...how], { key: pkcs8(key) });

describe('an encrypted private key, as openssl writes it', () => {
  it.each([
    [],
    ['-v2', 'aes-128-cbc'],
    ['-v2', 'aes-192-cbc', '-v2prf', 'hmacWithSHA384'],
    ['-v2', 'aes-256-cbc', '-v2prf', 'hmacWithSHA1'],
    ['-v2', 'aes-256-cbc', '-v2prf', 'hmacWithSHA512'],
    ['-v2', 'des3'],
    ['-v2', 'aes-256-cbc', '-iter', '10000'],
    ['-v1', 'PBE-SHA1-3DES'],
    ['-v1', 'PBE-SHA1-RC2-40', '-provider', 'legacy', '-provider', 'default'],
    ['-v1', 'PBE-SHA1-RC2-128', '-provider', 'legacy', '-provider', 'default'],
  ])('opens: %s %s %s %s', (...how) => {
    for (const [key, name] of [
      [rsa, isRsa],
      [ec, isEc],
    ] as const) {
      const file = encrypted(key, ...how.filter((word) => word !== undefined));
      expect(opened(file, 'pälz 12')).toBe(name);
      expect(opened(file, 'pälz 13')).toBe('the private key does not open with this passphrase');
      expect(opened(file)).toBe('the private key is encrypted: give its passphrase');
    }
  });

  it.each([
    ['rsa', '-aes128'],
    ['rsa', '-aes192'],
    ['rsa', '-aes256'],
    ['rsa', '-des3'],
    ['ec', '-aes256'],
  ])('opens, in the form from before PKCS#8: %s %s', (type, cipher) => {
    const traditional = type === 'rsa' ? ['-traditional'] : [];
    const file = openssl([type, '-in', 'key', ...traditional, cipher, '-passout', 'pass:abc'], { key: pkcs8(type === 'rsa' ? rsa : ec) });
    expect(file.toString()).toContain('Proc-Type: 4,ENCRYPTED');
    expect(opened(file, 'abc')).toBe(type === 'rsa' ? isRsa : isEc);
    expect(opened(file, 'abd')).toBe('the private key does not open with this passphrase');
    expect(opened(file)).toBe('the private key is encrypted: give its passphrase');
  });

  it.each<[string[], RegExp]>([
    [['-scrypt'], /encrypted with scrypt, which is not known here/],
    [['-v1', 'PBE-MD5-DES', '-provider', 'legacy', '-provider', 'default'], /encrypted with PBE with MD5 and DES, which is not known/],
    [['-v2', 'aes-256-cbc', '-iter', '500000'], /500000 rounds of hashing, more than this device does/],
  ])('is refused by its name: %s', (how, detail) => expect(opened(encrypted(ec, ...how), 'pälz 12')).toMatch(detail));

  it('that a wrong passphrase seems to open is not taken for one', () => {
    // The padding fits once in 256 times: among these it does.
    const file = openssl(['rsa', '-in', 'key', '-traditional', '-aes128', '-passout', 'pass:abc'], { key: pkcs8(rsa) });
    const answers = new Set(Array.from({ length: 2000 }, (_, i) => opened(file, `wrong ${i}`)));
    expect([...answers]).toEqual(['the private key does not open with this passphrase']);
  });

  it('and one that says nothing of its cipher', () => {
    const block = writePem('RSA PRIVATE KEY', rsa).replace('-----\n', '-----\nProc-Type: 4,ENCRYPTED\n');
    expect(opened(block, 'abc')).toMatch(/a cipher that it does not name/);
  });
});

describe('deciphering', () => {
  const [secret, iv] = [new Uint8Array(16).fill(7), new Uint8Array(16).fill(9)];
  const enciphered = (...last: number[]): Uint8Array => {
    const cipher = createCipheriv('aes-128-cbc', secret, iv).setAutoPadding(false);
    return new Uint8Array(
      Buffer.concat([cipher.update(Uint8Array.from([...new Array(16 - last.length).fill(65), ...last])), cipher.final()]),
    );
  };
  const lengthOf = (octets: Uint8Array): number | undefined => decipher({ type: 'aes', key: 16 }, secret, iv, octets)?.length;

  it('takes padding that is whole, and no other', () => {
    expect([lengthOf(enciphered(1)), lengthOf(enciphered(3, 3, 3)), lengthOf(enciphered(...new Array<number>(16).fill(16)))]).toEqual([
      15, 13, 0,
    ]);
    for (const last of [[0], [2], [1, 2], [17], [3, 2, 3]]) expect(lengthOf(enciphered(...last)), String(last)).toBeUndefined();
  });

  it('needs whole blocks, and keys and vectors of the right size', () => {
    const whole = enciphered(1);
    expect([lengthOf(new Uint8Array(0)), lengthOf(whole.slice(1))]).toEqual([undefined, undefined]);
    expect(decipher({ type: 'aes', key: 32 }, secret, iv, whole)).toBeUndefined();
    expect(decipher({ type: 'aes', key: 16 }, secret, iv.slice(8), whole)).toBeUndefined();
  });
});

interface PbeCase {
  tcId: number;
  password: string;
  salt: string;
  iterationCount: number;
  iv: string;
  msg: string;
  ct: string;
  result: string;
}

const octets = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

describeSuite('wycheproof', () => {
  it.each<[string, HashName, BlockCipher & { type: 'aes' }]>([
    ['pbes2_hmacsha1_aes_128', 'sha1', { type: 'aes', key: 16 }],
    ['pbes2_hmacsha256_aes_256', 'sha256', { type: 'aes', key: 32 }],
  ])('%s', (file, hash, cipher) => {
    const suite = readSharedJson<{ testGroups: { tests: PbeCase[] }[] }>(`suites/wycheproof/${file}_test.json`);
    const cases = suite.testGroups.flatMap(({ tests }) => tests);
    for (const test of cases) {
      const derivation = { hash, salt: octets(test.salt), iterations: test.iterationCount };
      const unlock = { crypto: nodeCrypto, work: new HashWork() };
      const key = expectOk(pbkdf2(derivation, octets(test.password), cipher.key, unlock), 'key');
      const plain = decipher(cipher, key, octets(test.iv), octets(test.ct));
      expect(plain && hex(plain), `case ${test.tcId}`).toBe(test.result === 'valid' ? test.msg : undefined);
    }
    expect(cases.length).toBeGreaterThan(80);
  });
});
