import { describe, expect, it } from 'vitest';
import { readAuthSchemes } from '../../core/auth/scheme.codec.js';
import { fromLatin1, latin1 } from '../../hal/base/bytes.js';
import { fuzz } from '../support/mutation.js';

const read = (text: string) => readAuthSchemes(text)?.map(({ scheme, params }) => [scheme, Object.fromEntries(params)]);

describe('challenges and credentials', () => {
  it.each<[string, ReturnType<typeof read>]>([
    ['Basic realm="a, \\"b\\""', [['basic', { realm: 'a, "b"' }]]],
    ['Digest realm=r , Nonce = "n",qop="auth,auth-int"', [['digest', { realm: 'r', nonce: 'n', qop: 'auth,auth-int' }]]],
    [
      'Digest nonce="1", algorithm=MD5, Basic realm="x"',
      [
        ['digest', { nonce: '1', algorithm: 'MD5' }],
        ['basic', { realm: 'x' }],
      ],
    ],
    [
      'Negotiate, Basic realm="x"',
      [
        ['negotiate', {}],
        ['basic', { realm: 'x' }],
      ],
    ],
    [
      'Negotiate YII=, NTLM,Basic realm=""',
      [
        ['negotiate', {}],
        ['ntlm', {}],
        ['basic', { realm: '' }],
      ],
    ],
    ['Basic dXNlcjpwYXNz', [['basic', {}]]],
    [', ,Basic realm="x",, ', [['basic', { realm: 'x' }]]],
    ['Digest uri=sip:a@b;c, response=', [['digest', { uri: 'sip:a@b;c', response: '' }]]],
    ['', []],
  ])('%s', (text, expected) => expect(read(text)).toEqual(expected));

  it.each([
    'Digest nonce="n',
    'Digest nonce="n" realm="r"',
    'Digest =x',
    '"x"',
    'Digest a=b c',
    'Basic="x"',
    'Digest a="b"c=d',
  ])('%j is malformed', (text) => expect(read(text)).toBeUndefined());

  it('never throws, and every name it reads is a token', () => {
    const samples = ['Digest realm="a\\"b", nonce="n", Basic realm="x", Negotiate YII==', 'Basic a=b, c'].map(fromLatin1);
    fuzz(samples, 20_000, (input) => {
      for (const { scheme, params } of readAuthSchemes(latin1(input)) ?? []) {
        expect(scheme).toMatch(/^[^\s,="]+$/);
        for (const name of params.keys()) expect(name).toMatch(/^[^\s,="]+$/);
      }
    });
  });
});
