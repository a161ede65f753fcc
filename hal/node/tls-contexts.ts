/** SecureContexts, made once an identity: 1 to 3 ms each, as much as a handshake. */
import { constants, createHash, type KeyObject } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions, type SecureVersion } from 'node:tls';
import { fail, ok } from '../base/result.js';
import type { Der, HalError, Result, TlsOptions, TlsVersion } from '../hal.js';
import { keyObjectOf } from './crypto.js';
import { pem } from './octets.js';
import { namesAsCertificates } from './tls-issuers.js';

/** Contexts kept: a fleet's devices handshake a few times each, servers all the time. The oldest goes first. */
const KEPT_CONTEXTS = 256;

export const NODE_VERSION: Readonly<Record<TlsVersion, SecureVersion>> = {
  '1.0': 'TLSv1',
  '1.1': 'TLSv1.1',
  '1.2': 'TLSv1.2',
  '1.3': 'TLSv1.3',
};

export type ContextOptions = Pick<TlsOptions, 'versions' | 'suites' | 'identity'> & { issuers?: readonly Der[] };

export class SecureContexts {
  readonly #kept = new Map<string, SecureContext>();

  /** `unsupported`: what we were given cannot be used: a key of another binding, an unknown suite, a certificate that OpenSSL refuses. */
  get(options: ContextOptions): Result<SecureContext, HalError> {
    const key = options.identity && keyObjectOf(options.identity.key);
    if (options.identity && !key) return fail('unsupported', 'the private key belongs to another binding');
    const name = nameOf(options);
    const known = this.#kept.get(name);
    if (known) {
      this.#kept.delete(name); // Put back below: the map's order is that of last use.
      this.#kept.set(name, known);
      return ok(known);
    }
    const made = makeContext(options, key);
    if (!made.ok) return made;
    if (this.#kept.size >= KEPT_CONTEXTS) this.#kept.delete(this.#kept.keys().next().value!);
    this.#kept.set(name, made.value);
    return made;
  }
}

function nameOf({ versions, suites = '', identity, issuers = [] }: ContextOptions): string {
  const hash = createHash('sha256');
  for (const der of [...(identity ? [identity.key.spki, ...identity.chain] : []), ...issuers]) hash.update(der);
  return `${versions.min}-${versions.max} ${suites} ${identity?.chain.length} ${issuers.length} ${hash.digest('base64')}`;
}

function makeContext({ versions, suites, identity, issuers = [] }: ContextOptions, key?: KeyObject): Result<SecureContext, HalError> {
  const ciphers = cipherString(versions.min, suites);
  const options: SecureContextOptions = {
    minVersion: NODE_VERSION[versions.min],
    maxVersion: NODE_VERSION[versions.max],
    // Named here, so that Node does not load its own roots: trust is the core's.
    ca: namesAsCertificates(issuers),
    // Flights of equal size in every run, and no resumption, whose peers show no certificate (ARCHITECTURE.md, "TLS").
    secureOptions: constants.SSL_OP_NO_TICKET,
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(identity && key
      ? { cert: identity.chain.map((der) => pem('CERTIFICATE', der)).join(''), key: key.export({ type: 'pkcs8', format: 'pem' }) as string }
      : {}),
  };
  try {
    return ok(createSecureContext(options));
  } catch (error) {
    const { message, reason = message } = error as Error & { reason?: string };
    return fail('unsupported', `own certificate, key or suites: ${reason}`);
  }
}

/** TLS 1.0 and 1.1 sign with SHA-1, which OpenSSL 3 allows at security level 0 alone. */
function cipherString(min: TlsVersion, suites: string | undefined): string | undefined {
  const old = min === '1.0' || min === '1.1';
  return old ? `${suites ?? 'DEFAULT'}:@SECLEVEL=0` : suites;
}
