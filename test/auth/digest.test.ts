import { describe, expect, it } from 'vitest';
import { type DigestAlgorithm, DigestClient, digestResponse, readChallenge, readDigestParams } from '../../core/auth/digest.js';
import { readAuthSchemes } from '../../core/auth/scheme.codec.js';
import { octetText } from '../../core/text/octet-text.js';
import { seededEntropy, testCrypto } from '../sip/rig.js';
import { describeSuite, readSharedJson } from '../support/shared.js';

interface Vector {
  source: string;
  algorithm: DigestAlgorithm;
  username: string;
  realm: string;
  password: string;
  method: string;
  uri: string;
  nonce: string;
  nc: string | null;
  cnonce: string | null;
  response: string;
  recomputed: boolean;
}

describeSuite('digest-vectors.json', () => {
  const { vectors } = readSharedJson<{ vectors: Vector[] }>('suites/digest-vectors.json');
  it.each(vectors.map((v) => [v.source, v.algorithm, v] as const))('%s %s', (_source, _algorithm, v) => {
    const response = digestResponse(testCrypto, {
      ...{ algorithm: v.algorithm, realm: v.realm, method: v.method, uri: v.uri, nonce: v.nonce },
      user: octetText(v.username),
      password: octetText(v.password),
      ...(v.nc !== null && v.cnonce !== null ? { counted: { nc: v.nc, cnonce: v.cnonce } } : {}),
    });
    // One line of RFC 7616 was made with another function than the SHA-512/256 of FIPS 180-4 (erratum 4897).
    if (v.recomputed) expect(response).toBe(v.response);
    else expect(response).not.toBe(v.response);
  });
});

const client = (refuseMd5 = false): DigestClient =>
  new DigestClient({ crypto: testCrypto, entropy: seededEntropy(1), credentials: { user: 'a"b', password: 'p' }, refuseMd5 });
const challenge = (algorithm: string, extra = ''): string =>
  `Digest realm="r", nonce="n", algorithm=${algorithm}, qop="auth,auth-int"${extra}`;

describe('challenges', () => {
  it('the topmost that is understood is answered (RFC 8760 2.4)', () => {
    const digest = client();
    expect(digest.challenged(401, [challenge('SHA-3'), 'Basic realm="r"', challenge('SHA-256'), challenge('MD5')], false)).toBe(true);
    const [name, value] = digest.authorize('REGISTER', 'sip:x')!;
    expect(name).toBe('authorization');
    const params = readDigestParams(value)!;
    expect(Object.fromEntries(params)).toMatchObject({ algorithm: 'SHA-256', qop: 'auth', nc: '00000001', username: 'a"b', uri: 'sip:x' });
  });

  it('MD5 can be refused', () => {
    expect(client(true).challenged(401, [challenge('MD5')], false)).toBe(false);
    expect(client(true).challenged(401, [challenge('MD5'), challenge('SHA-512-256')], false)).toBe(true);
  });

  it('a second challenge is answered only when it calls the nonce stale', () => {
    const digest = client();
    expect(digest.challenged(407, [challenge('MD5')], false)).toBe(true);
    expect(digest.challenged(407, [challenge('MD5', ', stale=true')], true)).toBe(false);
    expect(digest.challenged(407, ['Digest realm="r", nonce="n2"'], true)).toBe(false);
    expect(digest.challenged(407, ['Digest realm="r", nonce="n3", stale=TRUE'], true)).toBe(true);
    expect(digest.authorize('INVITE', 'sip:x')![0]).toBe('proxy-authorization');
  });

  it('without qop it is answered in the old form, without a count', () => {
    const digest = client();
    digest.challenged(401, ['Digest realm="r",nonce="n",opaque="o\\"p"'], false);
    const params = readDigestParams(digest.authorize('REGISTER', 'sip:x')![1])!;
    expect([params.has('qop'), params.has('nc'), params.has('cnonce'), params.get('opaque')]).toEqual([false, false, false, 'o"p']);
  });

  it.each([
    '',
    'Basic x',
    'Digest',
    'Digest realm="r"',
    'Digest nonce="n',
    'Digest nonce="n" realm="r"',
    'Digest nonce="n",qop="auth-int"',
    'Digest nonce=n,algorithm=X',
  ])('%j is none that we can answer', (text) => expect((readAuthSchemes(text) ?? []).map(readChallenge).filter(Boolean)).toEqual([]));
});
