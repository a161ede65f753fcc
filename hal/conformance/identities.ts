/**
 * Two self-signed P-256 identities, so that TLS can be tried where no certificate was ever made. Their keys are public: they secure nothing.
 * Valid for a hundred years; the cases judge them by their octets.
 */

import { fromBase64 } from '../base/bytes.js';
import { expectOk } from '../base/result.js';
import type { Crypto, Der, TlsIdentity } from '../hal.js';

const SERVER_CERTIFICATE =
  'MIIBsDCCAVagAwIBAgIUXxFyu5PflIIJO/MFc9dRrf5kENgwCgYIKoZIzj0EAwIwHTEbMBkGA1UEAwwSY29uZm9ybWFuY2Ugc2VydmVyMCAXDTI2MTEyMzE3' +
  'NDQ0MloYDzIxMjYxMDMwMTc0NDQyWjAdMRswGQYDVQQDDBJjb25mb3JtYW5jZSBzZXJ2ZXIwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATKrh2y+XZD43aQ' +
  'tSSjMWA9YEQLM3A9/8HZ/8LXTYgCQn1UsUyLxezGPMaV29uLTq750DG/W++XMX6PTXJ2bbBZo3IwcDAdBgNVHQ4EFgQUfZ5pPpDjGr25i9x/7p+q76cOpb4w' +
  'HwYDVR0jBBgwFoAUfZ5pPpDjGr25i9x/7p+q76cOpb4wDAYDVR0TAQH/BAIwADAgBgNVHREEGTAXghVzZXJ2ZXIuYmVsZnJ5LmludmFsaWQwCgYIKoZIzj0E' +
  'AwIDSAAwRQIhAMkS48wEvyJ0vEw0rfFbkeMS4XpjFcNyowg+JTsn+bGuAiBQ5R3cv8dGAUzpQi54YzaPMcV6J/YsW+RdFQzEPTLgdw==';
const SERVER_KEY =
  'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZRPbrp10tFsrVQHN6FWXPZHHWy4p9W+ygy8M0zUY+76hRANCAATKrh2y+XZD43aQtSSjMWA9' +
  'YEQLM3A9/8HZ/8LXTYgCQn1UsUyLxezGPMaV29uLTq750DG/W++XMX6PTXJ2bbBZ';

const CLIENT_CERTIFICATE =
  'MIIBsDCCAVagAwIBAgIUSoot8XLnSXhQ9lit+PVDSdj17qMwCgYIKoZIzj0EAwIwHTEbMBkGA1UEAwwSY29uZm9ybWFuY2UgY2xpZW50MCAXDTI2MTEyMzE3' +
  'NDQ0MloYDzIxMjYxMDMwMTc0NDQyWjAdMRswGQYDVQQDDBJjb25mb3JtYW5jZSBjbGllbnQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARmnWy/14zttz6i' +
  'yIqSjUF0MvZW1o45L8qhrqFwZeF+7R21wHgHTDQ17vV6JKWgEmfRVI5+dLTq1uTMX36Ap/U6o3IwcDAdBgNVHQ4EFgQUg861fW10VdfP4RrbLtfUmvV2Wwcw' +
  'HwYDVR0jBBgwFoAUg861fW10VdfP4RrbLtfUmvV2WwcwDAYDVR0TAQH/BAIwADAgBgNVHREEGTAXghVjbGllbnQuYmVsZnJ5LmludmFsaWQwCgYIKoZIzj0E' +
  'AwIDSAAwRQIgMMoPW2BEi8z0921+oimEPRBXTmxzutxWHKKhSUnDdFQCIQD0phxCCeAy8emefU/nz7lBIwejZsMu/uvgpWvZwcTn1w==';
const CLIENT_KEY =
  'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgGIeYeTo07trTOsPAdVuaqOE69+r0ahjZ9Eqm9kiCDL2hRANCAARmnWy/14zttz6iyIqSjUF0' +
  'MvZW1o45L8qhrqFwZeF+7R21wHgHTDQ17vV6JKWgEmfRVI5+dLTq1uTMX36Ap/U6';

const octets = (text: string): Der => fromBase64(text) ?? new Uint8Array(0);

export const conformanceIdentity = (crypto: Crypto, end: 'server' | 'client'): TlsIdentity => ({
  chain: [octets(end === 'server' ? SERVER_CERTIFICATE : CLIENT_CERTIFICATE)],
  key: expectOk(crypto.importKey(octets(end === 'server' ? SERVER_KEY : CLIENT_KEY)), 'import of the conformance key'),
});
