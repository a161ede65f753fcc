import tls from 'node:tls';
import { describe, expect, it } from 'vitest';
import { readCertificate } from '../../core/certs/certificate.codec.js';
import { readPem } from '../../core/certs/pem.codec.js';
import { utf8 } from '../../hal/base/bytes.js';
import { expectOk } from '../../hal/base/result.js';
import { nodeCrypto } from './support.js';

const roots = tls.rootCertificates.map((pem) => expectOk(readPem(utf8(pem)), 'pem')[0]!.octets);

describe('the public authorities that Node carries', () => {
  it('are all read, and each verifies itself', () => {
    const wrong = roots.filter((der) => {
      const read = readCertificate(der);
      if (!read.ok) return true;
      const { signature, spki, tbs } = read.value;
      return !signature.algorithm || !nodeCrypto.verify(signature.algorithm, spki, tbs, signature.octets);
    });
    console.log(`${roots.length - wrong.length} of ${roots.length} roots read and self-verified`);
    expect(wrong).toHaveLength(0);
  });
});
