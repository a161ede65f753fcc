import { hex, utf8 } from '../../base/bytes.js';
import { expectOk } from '../../base/result.js';
import type { Der, Hal, HalError, HashName, PrivateKey, Result } from '../../hal.js';
import { type Bench, type ConformanceCase, check } from '../bench.js';
import { conformanceIdentity } from '../identities.js';

/** Of `abc`: RFC 1321 A.5, FIPS 180-4 examples. */
const DIGESTS: Readonly<Record<HashName, string>> = {
  md5: '900150983cd24fb0d6963f7d28e17f72',
  sha1: 'a9993e364706816aba3e25717850c26c9cd0d89d',
  sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  sha384: 'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
  sha512:
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  'sha512-256': '53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23',
};
/** RFC 2202 part 3 and RFC 4231 4.3: key `Jefe`, `what do ya want for nothing?`. */
const MACS: readonly (readonly [HashName, string])[] = [
  ['sha1', 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79'],
  ['sha256', '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'],
];
/** A key takes this long on a small processor. */
const KEY_TIME = 120_000_000;

export const cryptoCases: readonly ConformanceCase[] = [
  {
    id: 'crypto-known-answers',
    law: 9,
    title: 'digests and MACs are those of the standards, in parts too, and come at once',
    needs: [],
    run: ({ crypto }) => {
      for (const [name, wanted] of Object.entries(DIGESTS) as [HashName, string][]) {
        check(hex(crypto.digest(name, utf8('abc'))) === wanted, `${name} of abc`);
        check(hex(crypto.digest(name, utf8('a'), utf8(''), utf8('bc'))) === wanted, `${name} in parts`);
      }
      for (const [name, wanted] of MACS) {
        check(hex(crypto.hmac(name, utf8('Jefe'), utf8('what do ya want '), utf8('for nothing?'))) === wanted, `hmac ${name}`);
      }
    },
  },
  {
    id: 'crypto-sign-verify',
    law: 'contract',
    title: 'a signature is verified by the key that made it, over what it was made of, by its algorithm alone',
    needs: [],
    run: ({ crypto }) => {
      const { key } = conformanceIdentity(crypto, 'server');
      const other = conformanceIdentity(crypto, 'client').key;
      const algorithm = { type: 'ecdsa', hash: 'sha256' } as const;
      const data = utf8('what was signed');
      const signature = crypto.sign(algorithm, key, data);
      check(signature[0] === 0x30, 'an ECDSA signature is not DER');
      check(crypto.verify(algorithm, key.spki, data, signature), 'its own signature is refused');
      check(!crypto.verify(algorithm, other.spki, data, signature), "another key's signature is accepted");
      check(!crypto.verify(algorithm, key.spki, utf8('something else'), signature), 'another text is accepted');
      check(!crypto.verify({ type: 'rsa-pkcs1', hash: 'sha256' }, key.spki, data, signature), 'another algorithm is accepted');
      check(!crypto.verify({ type: 'ecdsa', hash: 'sha384' }, key.spki, data, signature), 'another hash is accepted');
    },
  },
  {
    id: 'crypto-hostile',
    law: 4,
    title: 'keys and signatures that are none are answers, not exceptions',
    needs: [],
    run: ({ crypto }) => {
      const { key } = conformanceIdentity(crypto, 'server');
      const junk: Der[] = [new Uint8Array(0), Uint8Array.of(0x30), Uint8Array.of(0x30, 0x84, 0xff, 0xff, 0xff, 0xff), new Uint8Array(300)];
      for (const octets of junk) {
        check(!crypto.verify({ type: 'ecdsa', hash: 'sha256' }, octets, octets, octets), 'junk was verified');
        check(!crypto.verify({ type: 'ed25519' }, key.spki, octets, octets), 'a junk signature was verified');
        check(!crypto.verify({ type: 'rsa-pss', hash: 'sha256', salt: -7 }, key.spki, octets, octets), 'a junk salt was verified');
        check(!crypto.importKey(octets).ok, 'junk was imported as a key');
      }
    },
  },
  {
    id: 'crypto-generate',
    law: 1,
    title: 'a key is made in a later turn, signs, and can be imported again',
    needs: [],
    run: async (hal, bench) => {
      const { key, pkcs8 } = expectOk(await generate(hal, bench), 'a new key');
      const algorithm = { type: 'ecdsa', hash: 'sha256' } as const;
      const again = expectOk(hal.crypto.importKey(pkcs8), 'its import');
      const signature = hal.crypto.sign(algorithm, again, utf8('x'));
      check(hal.crypto.verify(algorithm, key.spki, utf8('x'), signature), 'the imported key signs for another');
    },
  },
];

function generate(hal: Hal, bench: Bench): Promise<Result<{ key: PrivateKey; pkcs8: Der }, HalError>> {
  const made: Result<{ key: PrivateKey; pkcs8: Der }, HalError>[] = [];
  hal.crypto.generateKey('ec-p256', (result) => made.push(result));
  check(made.length === 0, 'it was made during the call');
  return bench.until('a key', () => made[0], KEY_TIME);
}
