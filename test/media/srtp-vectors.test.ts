import { expect, it } from 'vitest';
import { aesCounterXor, expandAesKey } from '../../core/media/aes.js';
import { SrtpReceiver, SrtpSender } from '../../core/media/srtp.engine.js';
import { deriveSrtpKey } from '../../core/media/srtp-cipher.js';
import { srtpSuiteNamed } from '../../core/media/srtp-suites.js';
import { concat, fromHex, hex, u32 } from '../../hal/base/bytes.js';
import { describeSuite, readSharedJson } from '../support/shared.js';

interface Vectors {
  vectors: { suite: string; name: string; kind: string; master_key: string; master_salt: string; plaintext: string; protected: string }[];
  rfc3711_appendix_b: {
    keystream: { session_key: string; counter_block: string; blocks: Record<string, string> };
    key_derivation: { master_key: string; master_salt: string; cipher_key: string; cipher_salt: string; auth_key: string };
  };
  rfc6188: { aes256: { master_key: string; master_salt: string; cipher_key: string; cipher_salt: string; auth_key: string } };
}

const bytes = (text: string): Uint8Array => fromHex(text)!;

describeSuite('srtp', () => {
  const suite = readSharedJson<Vectors>('suites/srtp/srtp-vectors.json');

  it('makes the key stream of RFC 3711 B.2', () => {
    const { session_key, counter_block, blocks } = suite.rfc3711_appendix_b.keystream;
    const schedule = expandAesKey(bytes(session_key));
    const counter = bytes(counter_block);
    for (const [number, expected] of Object.entries(blocks)) {
      const block = new Uint8Array(16);
      aesCounterXor(schedule, u32(counter, 0), u32(counter, 4), u32(counter, 8), u32(counter, 12) + Number(number), block, 0, 16);
      expect(hex(block)).toBe(expected.toLowerCase());
    }
  });

  it.each([
    ['RFC 3711 B.3', suite.rfc3711_appendix_b.key_derivation],
    ['RFC 6188 7.2', suite.rfc6188.aes256],
  ])('derives the session keys of %s', (_source, v) => {
    for (const [label, expected] of [v.cipher_key, v.auth_key, v.cipher_salt].entries()) {
      const derived = deriveSrtpKey(bytes(v.master_key), bytes(v.master_salt), label, expected.length / 2);
      expect(hex(derived)).toBe(expected.toLowerCase());
    }
  });

  const packets = suite.vectors.filter(({ kind, suite: name }) => kind === 'rtp' && srtpSuiteNamed(name));
  it.each(packets.map((v) => [v.name, v] as const))('protects and opens: %s', (_name, v) => {
    const key = { suite: srtpSuiteNamed(v.suite)!, material: concat(bytes(v.master_key), bytes(v.master_salt)) };
    const plain = bytes(v.plaintext);
    const packet = concat(plain, new Uint8Array(16));
    const length = new SrtpSender(key).protect(packet, plain.length);
    expect(hex(packet.subarray(0, length))).toBe(v.protected);
    const opened = new SrtpReceiver(key).unprotect(packet, length);
    expect(hex(packet.subarray(0, opened))).toBe(v.plaintext);
  });
});
