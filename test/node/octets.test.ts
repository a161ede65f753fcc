import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { pem, plain } from '../../hal/node/octets.js';
import { namesAsCertificates } from '../../hal/node/tls-issuers.js';

describe('octets', () => {
  it('writes PEM without an empty line, whatever the length: OpenSSL reads no further than that', () => {
    for (let length = 0; length < 200; length++) {
      const text = pem('CERTIFICATE', new Uint8Array(length));
      expect(text).not.toContain('\n\n');
      expect(Buffer.from(text.split('\n').slice(1, -2).join(''), 'base64')).toHaveLength(length);
    }
  });

  it('hands on plain arrays, whose slice copies', () => {
    const array = plain(Buffer.from([1, 2, 3]));
    expect(Buffer.isBuffer(array)).toBe(false);
    array.slice(0, 1)[0] = 9;
    expect([...array]).toEqual([1, 2, 3]);
  });

  it('puts names of any length into certificates that OpenSSL reads', () => {
    for (const length of [1, 64, 126, 200, 300]) {
      const text = Buffer.alloc(length, 'a');
      const attribute = sequence(0x30, Buffer.of(6, 3, 0x55, 4, 3), sequence(0x0c, text));
      const name = sequence(0x30, sequence(0x31, attribute));
      const [certificate] = namesAsCertificates([name]);
      expect(new X509Certificate(certificate!).subject).toBe(`CN=${text}`);
    }
  });
});

function sequence(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const length = content.length < 128 ? [content.length] : [0x82, content.length >> 8, content.length & 255];
  return Buffer.concat([Buffer.of(tag, ...length), content]);
}
