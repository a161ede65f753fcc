import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issueDeviceCertificate, issueServerCertificate, makeAuthorities, yearsAfter } from '../../core/certs/authority.js';
import type { Authority } from '../../core/certs/issue.js';
import { writePem } from '../../core/certs/pem.codec.js';
import { fromIso8601, iso8601 } from '../../hal/base/time.js';
import { type KeyKind, testKey, testPorts } from './support.js';

const MADE = fromIso8601('2026-01-01')!;
const MAC = '0022EE0A0001';

describe.each<KeyKind>(['rsa-2048', 'ec-p256'])('certificates of %s keys, read by OpenSSL', (kind) => {
  let folder: string;
  const openssl = (...args: string[]): string => execFileSync('openssl', args, { cwd: folder, encoding: 'utf8' });
  const file = (name: string, ...certificates: Uint8Array[]): string => {
    writeFileSync(join(folder, name), certificates.map((certificate) => writePem('CERTIFICATE', certificate)).join(''));
    return name;
  };
  const keys = { root: testKey(kind, 0).key, intermediate: testKey(kind, 1).key, issuing: testKey(kind, 2).key };
  const { root, intermediate, issuing } = makeAuthorities(testPorts(), { keys, made: MADE, organization: 'Belfry' });
  const publicKey = testKey(kind, 3).key.spki;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'belfry-authority-'));
    file('root.crt', root.certificate);
    file('chain.pem', issuing.certificate, intermediate.certificate);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const verify = (name: string, purpose: string): string =>
    openssl('verify', '-x509_strict', '-no-CApath', '-CAfile', 'root.crt', '-untrusted', 'chain.pem', '-purpose', purpose, name);

  it('a device certificate verifies as a client for thirty years, with the MAC as CN', () => {
    const device = issueDeviceCertificate(testPorts(), { mac: MAC, made: MADE, publicKey, issuer: issuing });
    expect(verify(file('device.crt', device), 'sslclient')).toContain('device.crt: OK');
    expect(() => verify('device.crt', 'sslserver')).toThrow();
    const text = openssl('x509', '-in', 'device.crt', '-noout', '-subject', '-issuer', '-dates', '-serial');
    expect(text).toContain(`subject=CN = ${MAC}`);
    expect(text).toContain('issuer=O = Belfry, CN = Belfry Issuing CA');
    expect(text).toContain('notAfter=Jan  1 00:00:00 2056 GMT');
    expect(text).toMatch(/serial=[0-7][0-9A-F]{31}\n/);
  });

  it('a server certificate verifies for each of its names', () => {
    const server = issueServerCertificate(testPorts(), {
      names: [
        { type: 'dns', value: 'prov.example.test' },
        { type: 'ip', value: '2001:db8::1' },
        { type: 'ip', value: '192.0.2.7' },
        { type: 'uri', value: 'sip:example.test' },
      ],
      from: MADE,
      until: yearsAfter(MADE, 1),
      publicKey,
      issuer: issuing,
    });
    expect(verify(file('server.crt', server), 'sslserver')).toContain('OK');
    const names = openssl('x509', '-in', 'server.crt', '-noout', '-ext', 'subjectAltName');
    expect(names).toContain('DNS:prov.example.test, IP Address:2001:DB8:0:0:0:0:0:1, IP Address:192.0.2.7, URI:sip:example.test');
  });

  it('an issuing authority may issue no further authority', () => {
    const further: Authority = makeAuthorities(testPorts(), { keys, made: MADE, organization: 'Belfry' }).issuing;
    expect(openssl('x509', '-in', file('ca.crt', further.certificate), '-noout', '-ext', 'basicConstraints')).toContain(
      'CA:TRUE, pathlen:0',
    );
  });
});

describe('yearsAfter', () => {
  it('keeps the calendar date, and ends a leap day on the 28th', () => {
    expect(iso8601(yearsAfter(fromIso8601('2026-03-31')!, 30))).toBe('2056-03-31T00:00:00.000Z');
    expect(iso8601(yearsAfter(fromIso8601('2024-02-29')!, 30))).toBe('2054-02-28T00:00:00.000Z');
  });
});
