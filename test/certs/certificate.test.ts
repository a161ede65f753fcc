import tls from 'node:tls';
import { describe, expect, it } from 'vitest';
import { readCertificate } from '../../core/certs/certificate.codec.js';
import { issueCertificate, issueSelfSigned } from '../../core/certs/issue.js';
import { readPem } from '../../core/certs/pem.codec.js';
import { profileFault } from '../../core/certs/profile.policy.js';
import { utf8 } from '../../hal/base/bytes.js';
import { expectOk } from '../../hal/base/result.js';
import { nodeCrypto, parsed, template, testKey, testPorts } from './support.js';

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

  it('keep the profile of public authorities, but for three that are older than it', () => {
    const { key } = testKey('ec-p256', 0);
    const issuer = { certificate: issueSelfSigned(testPorts(), template('CA', 0, { authority: {} }), key), key };
    const leaf = parsed(
      issueCertificate(testPorts(), template('leaf', 1, { names: [{ type: 'dns', value: 'leaf' }], purposes: ['serverAuth'] }), issuer),
    );
    // Under these a path is refused until the administrator uploads the root, which the mend says.
    const others = roots.map((der) => expectOk(readCertificate(der), 'root')).filter((root) => profileFault([leaf, root]));
    expect(others.map(({ subject }) => subject.text).sort()).toEqual([
      'CN=Certigna,O=Dhimyotis,C=FR',
      'CN=QuoVadis Root CA 2,O=QuoVadis Limited,C=BM',
      'CN=QuoVadis Root CA 3,O=QuoVadis Limited,C=BM',
    ]);
  });
});
