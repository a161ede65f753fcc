/** Object identifiers by name; the comment says whose list each group is. */
import type { HashName } from '../../hal/hal.js';

/** RFC 3279, 4055, 5480, 5758, 8410: algorithms. */
export const Algorithm = {
  rsa: '1.2.840.113549.1.1.1',
  rsaPss: '1.2.840.113549.1.1.10',
  md5WithRsa: '1.2.840.113549.1.1.4',
  sha1WithRsa: '1.2.840.113549.1.1.5',
  sha256WithRsa: '1.2.840.113549.1.1.11',
  sha384WithRsa: '1.2.840.113549.1.1.12',
  sha512WithRsa: '1.2.840.113549.1.1.13',
  mgf1: '1.2.840.113549.1.1.8',
  ec: '1.2.840.10045.2.1',
  ecdsaWithSha1: '1.2.840.10045.4.1',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  ecdsaWithSha384: '1.2.840.10045.4.3.3',
  ecdsaWithSha512: '1.2.840.10045.4.3.4',
  ed25519: '1.3.101.112',
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
} as const;

/** RFC 5480 part 2.1.1.1. */
export const Curve = { p256: '1.2.840.10045.3.1.7', p384: '1.3.132.0.34', p521: '1.3.132.0.35' } as const;

/** RFC 5280 part 4.2. */
export const Extension = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  certificatePolicies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  authorityKeyIdentifier: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extKeyUsage: '2.5.29.37',
  inhibitAnyPolicy: '2.5.29.54',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
} as const;

/** RFC 5280 part 4.2.1.12, RFC 5924 part 4. */
export const Purpose = {
  any: '2.5.29.37.0',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  sipDomain: '1.3.6.1.5.5.7.3.20',
} as const;

/** RFC 4519, with the short names of RFC 4514 part 3. */
export const Attribute: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.97': 'organizationIdentifier',
  '0.9.2342.19200300.100.1.25': 'DC',
  '0.9.2342.19200300.100.1.1': 'UID',
  '1.2.840.113549.1.9.1': 'emailAddress',
};
export const COMMON_NAME = '2.5.4.3';
export const ORGANIZATION = '2.5.4.10';
export const EMAIL_ADDRESS = '1.2.840.113549.1.9.1';

/** RFC 5652: PKCS#7 containers. */
export const Content = { data: '1.2.840.113549.1.7.1', signed: '1.2.840.113549.1.7.2', encrypted: '1.2.840.113549.1.7.6' } as const;

/** RFC 7292 parts 4.2 and 4.2.3: what a PKCS#12 file holds, and the one kind of certificate that matters here. */
export const Bag = {
  key: '1.2.840.113549.1.12.10.1.1',
  shroudedKey: '1.2.840.113549.1.12.10.1.2',
  certificate: '1.2.840.113549.1.12.10.1.3',
} as const;
export const X509_CERTIFICATE = '1.2.840.113549.1.9.22.1';

/** RFC 8018 and RFC 9579: encryption and authentication by passphrase. */
export const PBES2 = '1.2.840.113549.1.5.13';
export const PBKDF2 = '1.2.840.113549.1.5.12';
export const PBMAC1 = '1.2.840.113549.1.5.14';

/** RFC 8017 appendix A.2.1. */
export const HASHES: Readonly<Record<string, HashName>> = {
  [Algorithm.sha1]: 'sha1',
  [Algorithm.sha256]: 'sha256',
  [Algorithm.sha384]: 'sha384',
  [Algorithm.sha512]: 'sha512',
};

/** RFC 8018 appendix B.1: HMAC by its hash. */
export const HMAC_HASHES: Readonly<Record<string, HashName>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};
