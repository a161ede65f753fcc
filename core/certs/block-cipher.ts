/**
 * Deciphering of stored keys and of PKCS#12 files: CBC with the padding of PKCS#7 (RFC 5652 part 6.3). The ciphers are node-forge's, which
 * are plain arithmetic; nothing here enciphers, and no traffic comes this way.
 */
import aes, { type ForgeCipher } from 'node-forge/lib/aes.js';
import des from 'node-forge/lib/des.js';
import rc2 from 'node-forge/lib/rc2.js';
import util from 'node-forge/lib/util.js';
import { fromLatin1, latin1 } from '../../hal/base/bytes.js';

/** A cipher and the length of its key, in octets. */
export type BlockCipher = { type: 'aes'; key: 16 | 24 | 32 } | { type: '3des'; key: 24 } | { type: 'rc2'; key: 5 | 16 };

/** Octets of a block, which are those of an initialization vector too. */
const blockSize = ({ type }: BlockCipher): 8 | 16 => (type === 'aes' ? 16 : 8);

/** The plain octets; undefined where the padding is none, as with nearly every wrong key, or where the sizes do not fit. */
export function decipher(cipher: BlockCipher, key: Uint8Array, iv: Uint8Array, octets: Uint8Array): Uint8Array | undefined {
  const block = blockSize(cipher);
  if (key.length !== cipher.key || iv.length !== block || octets.length === 0 || octets.length % block !== 0) return undefined;
  const machine = machineFor(cipher, latin1(key));
  machine.start(latin1(iv));
  machine.update(util.createBuffer(latin1(octets)));
  // forge looks at the last octet of the padding only: the whole of it is judged below.
  machine.finish(() => true);
  return withoutPadding(fromLatin1(machine.output.getBytes()), block);
}

function machineFor(cipher: BlockCipher, key: string): ForgeCipher {
  if (cipher.type === 'rc2') return rc2.createDecryptionCipher(key, cipher.key * 8);
  return (cipher.type === 'aes' ? aes : des).createDecryptionCipher(key, 'CBC');
}

function withoutPadding(octets: Uint8Array, block: number): Uint8Array | undefined {
  const count = octets.at(-1) ?? 0;
  const whole = count > 0 && count <= block && octets.subarray(-count).every((octet) => octet === count);
  return whole ? octets.subarray(0, -count) : undefined;
}
