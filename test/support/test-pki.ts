/** Certificates for peers and devices in tests, from the platform's keys. */
import { issueDeviceCertificate, issueServerCertificate, makeAuthorities } from '../../core/certs/authority.js';
import type { Der, TlsIdentity, UnixMillis } from '../../hal/hal.js';
import type { Platform } from '../../hal/platform.js';
import { randomStream } from '../../sim/world/random.js';

export interface TestPki {
  root: Der;
  server: TlsIdentity;
  device: TlsIdentity;
  /** The private keys of both as PKCS#8, for servers of other make and for flash images. */
  pkcs8: { server: Der; device: Der };
  /** A device whose authority nobody knows. */
  stranger: TlsIdentity;
}

const YEAR = 366 * 86_400_000;

export function makeTestPki(platform: Platform, options: { mac: string; serverName: string; at: UnixMillis }): TestPki {
  const ports = { crypto: platform.crypto, entropy: randomStream(1, 'pki') };
  const key = (index: number) => platform.testKey(index).key;
  const { mac, serverName, at } = options;
  const chainOf = (organization: string, first: number) => {
    const keys = { root: key(first), intermediate: key(first + 1), issuing: key(first + 2) };
    return makeAuthorities(ports, { keys, made: at - YEAR, organization });
  };
  const known = chainOf('Belfry', 0);
  const unknown = chainOf('Another', 3);
  const identity = (authorities: typeof known, leaf: Der, index: number): TlsIdentity => ({
    chain: [leaf, authorities.issuing.certificate, authorities.intermediate.certificate],
    key: key(index),
  });
  const device = (authorities: typeof known, index: number): TlsIdentity => {
    const leaf = issueDeviceCertificate(ports, { mac, made: at - YEAR, publicKey: key(index).spki, issuer: authorities.issuing });
    return identity(authorities, leaf, index);
  };
  const serverLeaf = issueServerCertificate(ports, {
    names: [{ type: 'dns', value: serverName }],
    from: at - YEAR,
    until: at + YEAR,
    publicKey: key(6).spki,
    issuer: known.issuing,
  });
  return {
    root: known.root.certificate,
    server: identity(known, serverLeaf, 6),
    device: device(known, 7),
    pkcs8: { server: platform.testKey(6).pkcs8, device: platform.testKey(7).pkcs8 },
    stranger: device(unknown, 8),
  };
}
