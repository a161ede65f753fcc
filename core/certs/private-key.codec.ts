/** Private keys as people store them: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017) and SEC 1 (RFC 5915), all handed on as PKCS#8. */
import { err, ok } from '../../hal/base/result.js';
import type { Der, Result } from '../../hal/hal.js';
import { context, der, oid, readDer, sequence, Tag, unsigned } from './asn1.js';
import { Algorithm } from './oids.js';
import type { PemBlock } from './pem.codec.js';

/** Whether a PEM block holds a private key, in whatever form. */
export const isPrivateKey = (block: PemBlock): boolean => block.label.endsWith('PRIVATE KEY');

/** PKCS#8 of a PEM block with a private key; the error says why not. */
export function pkcs8Of(block: PemBlock): Result<Der, string> {
  if (block.headers || block.label === 'ENCRYPTED PRIVATE KEY') return err('the private key is encrypted: store it without a passphrase');
  switch (block.label) {
    case 'PRIVATE KEY':
      return ok(block.octets);
    case 'RSA PRIVATE KEY':
      return ok(wrapped(sequence(oid(Algorithm.rsa), der(Tag.null)), block.octets));
    case 'EC PRIVATE KEY':
      return ofSec1(block.octets);
    default:
      return err(`${block.label} is a kind of key that is not known here`);
  }
}

const wrapped = (algorithm: Uint8Array, key: Uint8Array): Der => sequence(unsigned(Uint8Array.of(0)), algorithm, der(Tag.octetString, key));

/** SEC 1 names its curve inside, PKCS#8 outside. */
function ofSec1(octets: Uint8Array): Result<Der, string> {
  const curve = readDer(octets, (top) => {
    const key = top.enter();
    key.value(Tag.integer);
    key.value(Tag.octetString);
    return key.enter(context(0)).value(Tag.oid).der;
  });
  return curve.ok ? ok(wrapped(sequence(oid(Algorithm.ec), curve.value), octets)) : err(`EC PRIVATE KEY: ${curve.error.detail}`);
}
