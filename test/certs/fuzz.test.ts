import tls from 'node:tls';
import { describe, expect, it } from 'vitest';
import { derFromBer } from '../../core/certs/asn1.js';
import { readCertificate } from '../../core/certs/certificate.codec.js';
import { issueSelfSigned } from '../../core/certs/issue.js';
import { nameFault } from '../../core/certs/names.policy.js';
import { verifyPath } from '../../core/certs/path.policy.js';
import { readPem, writePem } from '../../core/certs/pem.codec.js';
import { CLIENT_IDENTITY, readIdentity, readTrusted } from '../../core/certs/upload.policy.js';
import { utf8 } from '../../hal/base/bytes.js';
import { expectOk } from '../../hal/base/result.js';
import { fuzz } from '../support/mutation.js';
import { openssl } from './openssl.js';
import { date, nodeCrypto, template, testKey, testPorts } from './support.js';

const EXECUTIONS = 20_000;

const roots = tls.rootCertificates.filter((_, i) => i % 12 === 0).map((pem) => expectOk(readPem(utf8(pem)), 'pem')[0]!.octets);
const own = issueSelfSigned(
  testPorts(),
  template('host.example.test', 0, {
    names: [
      { type: 'dns', value: '*.example.test' },
      { type: 'ip', value: '2001:db8::1' },
      { type: 'uri', value: 'sip:example.test' },
    ],
    purposes: ['serverAuth'],
  }),
  testKey('ec-p256', 0).key,
);
const samples = [own, own, own, ...roots];
const anything: Parameters<typeof verifyPath>[0]['anchors'] = { bySubject: () => [] };

describe('readers of hostile octets never throw', () => {
  it('certificates, and what is asked of them', () => {
    let read = 0;
    fuzz(samples, EXECUTIONS, (input) => {
      const certificate = readCertificate(input);
      if (!certificate.ok) return;
      read++;
      nameFault(certificate.value, 'host.example.test', { scheme: 'sip', wildcards: true, commonName: true });
      const pinned = { bySubject: () => [{ certificate: certificate.value, origin: 'preinstalled' as const }] };
      verifyPath({
        chain: [input, own],
        anchors: read % 2 ? pinned : anything,
        purpose: 'serverAuth',
        at: date('2026-01-01'),
        crypto: nodeCrypto,
      });
    });
    // Mutations that are all refused at the first octet would prove little.
    expect(read).toBeGreaterThan(EXECUTIONS / 100);
  });

  it('BER', () => fuzz(samples, EXECUTIONS / 4, (input) => void derFromBer(input)));

  it('uploaded files', () => {
    const pem = utf8(`${writePem('CERTIFICATE', own)}${writePem('PRIVATE KEY', testKey('ec-p256', 0).pkcs8)}`);
    fuzz([pem, pem, ...samples], EXECUTIONS / 4, (input) => {
      readPem(input);
      readTrusted(input, { crypto: nodeCrypto });
      readIdentity(CLIENT_IDENTITY, input, { crypto: nodeCrypto });
    });
  });

  it('files under a passphrase', () => {
    const files = { key: writePem('PRIVATE KEY', testKey('ec-p256', 0).pkcs8), cert: writePem('CERTIFICATE', own) };
    const pkcs12 = ['pkcs12', '-export', '-inkey', 'key', '-in', 'cert', '-out', 'out', '-passout', 'pass:abc', '-iter', '1'];
    const protectedFiles = [
      openssl(pkcs12, files),
      openssl([...pkcs12, '-nomac'], files),
      openssl([...pkcs12, '-legacy', '-nomac'], files),
      openssl(['pkcs8', '-topk8', '-in', 'key', '-passout', 'pass:abc', '-iter', '1'], files),
      openssl(['ec', '-in', 'key', '-aes128', '-passout', 'pass:abc'], files),
    ].map((file) => (file.includes('PRIVATE KEY') ? utf8(files.cert + file.toString()) : new Uint8Array(file)));
    let opened = 0;
    fuzz(protectedFiles, EXECUTIONS / 4, (input) => {
      if (readIdentity(CLIENT_IDENTITY, input, { crypto: nodeCrypto, passphrase: 'abc' }).ok) opened++;
    });
    expect(opened).toBeGreaterThan(0);
  });
});
