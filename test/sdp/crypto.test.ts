import { describe, expect, it } from 'vitest';
import { parseCrypto, writeCrypto } from '../../core/sdp/crypto.codec.js';
import { chooseCrypto } from '../../core/sdp/srtp.policy.js';
import { base64, utf8 } from '../../hal/base/bytes.js';
import { expectOk } from '../../hal/base/result.js';
import { fuzz } from '../support/mutation.js';
import { describeSuite, readSharedJson } from '../support/shared.js';

const KEY = 'PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR';
const SUITE = 'AES_CM_128_HMAC_SHA1_80';
const read = (value: string) => parseCrypto(value);
const usable = (value: string): boolean => {
  const parsed = read(value);
  const settings = { mode: 'standard', suites: [SUITE, 'AES_256_CM_HMAC_SHA1_80', 'AEAD_AES_128_GCM'], insecure: 'warn' } as const;
  const crypto = parsed.ok ? [parsed.value] : [];
  return chooseCrypto(settings, { secureProfile: true, secureSignalling: true, crypto }).use === 'srtp';
};

describeSuite('sdes-vectors.json', () => {
  const { lines } = readSharedJson<{ lines: { source: string; line: string; expected: string }[] }>('suites/sdes-vectors.json');
  it.each(
    lines.map(({ source, line, expected }) => [source, line.slice('a=crypto:'.length), expected]),
  )('%s', (_source, value, expected) => {
    // The tag 0 fits the grammar of RFC 4568 9.1, so it is taken: ours.
    const want = expected!.startsWith('ok (') || expected === 'ok' || expected!.startsWith('see ');
    expect(read(value!).ok).toBe(expected !== 'reject-line');
    expect(usable(value!)).toBe(want);
  });
});

describe('a=crypto', () => {
  it('reads tag, suite, key, lifetime and MKI', () => {
    expect(expectOk(read(`7 ${SUITE} inline:${KEY}|2^20|1:4 WSH=64`), 'parse')).toMatchObject({
      tag: 7,
      name: SUITE,
      suite: SUITE,
      keys: [{ lifetime: 2 ** 20, mki: { value: '1', length: 4 } }],
      parameters: ['WSH=64'],
    });
    expect(expectOk(read(`1 ${SUITE} inline:${KEY}|1:4`), 'parse').keys[0]).toMatchObject({ mki: { value: '1', length: 4 } });
    expect(expectOk(read(`1 ${SUITE} inline:${KEY}|4096`), 'parse').keys[0]).toMatchObject({ lifetime: 4096 });
  });

  it('keeps the draft name, under which it is answered', () => {
    const key = base64(new Uint8Array(46));
    expect(expectOk(read(`1 AES_CM_256_HMAC_SHA1_80 inline:${key}`), 'parse')).toMatchObject({
      name: 'AES_CM_256_HMAC_SHA1_80',
      suite: 'AES_256_CM_HMAC_SHA1_80',
    });
  });

  it('takes keys with and without padding', () => {
    const key = base64(new Uint8Array(46).fill(9));
    expect(key.endsWith('==')).toBe(true);
    for (const text of [key, key.slice(0, -2)]) expect(usable(`1 AES_256_CM_HMAC_SHA1_80 inline:${text}`)).toBe(true);
  });

  it.each([
    ['a tag with a leading zero', `01 ${SUITE} inline:${KEY}`],
    ['a tag of ten digits', `1234567890 ${SUITE} inline:${KEY}`],
    ['no key', `1 ${SUITE}`],
    ['another key method', `1 ${SUITE} uri:https://example.test/key`],
    ['a key that is no base64', `1 ${SUITE} inline:${KEY.replace('P', '*')}`],
    ['a key one octet long', `1 ${SUITE} inline:${base64(new Uint8Array(31))}`],
    ['a lifetime of nothing', `1 ${SUITE} inline:${KEY}|0`],
    ['a lifetime beyond 2^48', `1 ${SUITE} inline:${KEY}|2^49`],
    ['an MKI of no length', `1 ${SUITE} inline:${KEY}|1:0`],
    ['an MKI of 129 octets', `1 ${SUITE} inline:${KEY}|1:129`],
    ['lifetime and MKI turned round', `1 ${SUITE} inline:${KEY}|1:4|2^20`],
    ['a field too many', `1 ${SUITE} inline:${KEY}|2^20|1:4|x`],
    ['seventeen keys', `1 ${SUITE} ${Array.from({ length: 17 }, () => `inline:${KEY}`).join(';')}`],
  ])('refuses %s, and does not repeat the key', (_what, value) => {
    const result = read(value);
    expect(result.ok).toBe(false);
    if (!result.ok) expect(result.error).not.toMatch(/PS1u|AAAA/);
  });

  it.each([
    'UNENCRYPTED_SRTP',
    'UNENCRYPTED_SRTCP',
    'UNAUTHENTICATED_SRTP',
    'KDR=24',
    'FEC_KEY=inline:x',
    'NEW_THING',
  ])('does not use a line with %s', (parameter) => expect(usable(`1 ${SUITE} inline:${KEY} ${parameter}`)).toBe(false));

  it('does not use a line with two keys, which only an MKI tells apart', () => {
    expect(usable(`1 ${SUITE} inline:${KEY}|2^20|1:4;inline:${KEY}|2^20|2:4`)).toBe(false);
  });

  it('writes what it reads', () => {
    const material = Uint8Array.from({ length: 30 }, (_, i) => 8 * i);
    const line = writeCrypto(3, SUITE, { suite: SUITE, material });
    expect(expectOk(read(line), 'parse')).toMatchObject({ tag: 3, name: SUITE, keys: [{ material }] });
  });

  it('is total: 50,000 mutated lines', () => {
    fuzz([utf8(`1 ${SUITE} inline:${KEY}|2^20|1:4 WSH=64`)], 50_000, (input) => void read(String.fromCharCode(...input)));
  });
});
