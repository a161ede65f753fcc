/**
 * What RFC 5280 and the CA/Browser Forum's Baseline Requirements (BR) demand of the authorities whose roots are preinstalled. A public
 * authority that breaks one of these has lost control of what it signs. Private authorities, made with a few lines of openssl, break many
 * and are none the worse for it, so that the profile does not apply under a certificate from `certs/trusted` (ours).
 */
import { equal } from '../../hal/base/bytes.js';
import { addressText } from './address.js';
import { type Certificate, isSelfIssued } from './certificate.codec.js';
import type { GeneralName } from './extensions.codec.js';
import { KeyUsage } from './extensions.codec.js';
import { type Fault, fault } from './fault.js';
import { commonName } from './name.codec.js';
import { Purpose } from './oids.js';

/** The first demand that a path to a preinstalled root does not meet. */
export function profileFault(path: readonly Certificate[]): Fault | undefined {
  for (const [depth, certificate] of path.entries()) {
    const anchor = depth === path.length - 1;
    const detail = formDetail(certificate) ?? (anchor ? rootDetail(certificate) : issuedDetail(certificate, depth));
    if (detail) return fault('malformed', certificate, detail, mendFor(path));
  }
  return undefined;
}

const mendFor = (path: readonly Certificate[]): string =>
  `have it issued again, or upload the CA certificate of "${path.at(-1)!.subject.text}" to certs/trusted to trust it as it is`;

function formDetail(certificate: Certificate): string | undefined {
  const { version, issuer, key, extensions } = certificate;
  const { authorityKeyIdentifier, subjectKeyIdentifier, policyConstraints, nameConstraints } = extensions;
  if (version !== 3) return `it is of version ${version} (BR 7.1.1)`;
  if (issuer.key.length === 0) return 'it names no issuer (RFC 5280 part 4.1.2.4)';
  if (key.type === 'rsa' && key.bits % 8 !== 0) return `its RSA key has ${key.bits} bits, no multiple of 8 (BR 6.1.6)`;
  if (authorityKeyIdentifier?.critical || subjectKeyIdentifier?.critical)
    return 'a key identifier is critical (RFC 5280 parts 4.2.1.1, 4.2.1.2)';
  if (policyConstraints && !policyConstraints.critical) return 'its policy constraints are not critical (RFC 5280 part 4.2.1.11)';
  const bases = [...(nameConstraints?.permitted ?? []), ...(nameConstraints?.excluded ?? [])];
  if (bases.some((base) => base.type === 'dns' && base.value.startsWith('.')))
    return 'a DNS constraint begins with a period (RFC 5280 part 4.2.1.10)';
  return undefined;
}

/** What is demanded of all but roots: among those, some in wide use have the serial number 0, or are older than the demand. */
function issuedDetail(certificate: Certificate, depth: number): string | undefined {
  const { serial, extensions } = certificate;
  const positive = serial[0]! < 0x80 && serial.some((octet) => octet !== 0);
  if (!positive || serial.length > 20) return 'its serial number is not positive, or longer than 20 octets (RFC 5280 part 4.1.2.2)';
  if (!extensions.authorityKeyIdentifier?.id) return 'it has no authority key identifier (RFC 5280 part 4.2.1.1)';
  if (depth === 0) return leafDetail(certificate);
  if (!extensions.subjectKeyIdentifier) return 'an authority without a subject key identifier (RFC 5280 part 4.2.1.2)';
  return extensions.basicConstraints?.critical ? undefined : 'its basic constraints are not critical (RFC 5280 part 4.2.1.9)';
}

/** BR 7.1.2.1: a root names itself as its authority or leaves it out, and is for any purpose. */
function rootDetail(certificate: Certificate): string | undefined {
  const { authorityKeyIdentifier: authority, subjectKeyIdentifier: own, extKeyUsage } = certificate.extensions;
  if (certificate.subject.key.length === 0) return 'an authority without a name (RFC 5280 part 4.1.2.6)';
  if (extKeyUsage) return 'a root with an extended key usage (BR 7.1.2.1.2)';
  if (!authority) return undefined;
  const { id, issuer, serial } = authority;
  if (!id || issuer || serial) return 'its authority key identifier is more or less than a key identifier (BR 7.1.2.1.3)';
  const differs = isSelfIssued(certificate) && own && !equal(id, own.id);
  return differs ? 'it is self-issued, and its two key identifiers differ (BR 7.1.2.1.3)' : undefined;
}

function leafDetail(certificate: Certificate): string | undefined {
  const { subject, extensions } = certificate;
  const { subjectAltName, basicConstraints, keyUsage, extKeyUsage } = extensions;
  const signs = keyUsage?.has(KeyUsage.keyCertSign) ?? false;
  if (keyUsage && signs !== (basicConstraints?.authority ?? false))
    return 'it may sign certificates and is no authority, or the reverse (RFC 5280 part 4.2.1.9)';
  if (!extKeyUsage) return 'it does not say what it is for: it has no extended key usage (BR 7.1.2.7.6)';
  if (extKeyUsage.critical) return 'its extended key usage is critical (BR 7.1.2.7.6)';
  if (extKeyUsage.purposes.includes(Purpose.any)) return 'it is for any purpose (BR 7.1.2.7.10)';
  if (!subjectAltName) return undefined;
  if (subjectAltName.critical !== (subject.key.length === 0))
    return 'its alternative names are critical just when its subject is not empty (RFC 5280 part 4.2.1.6)';
  const odd = subjectAltName.names.find((name) => !isName(name));
  if (odd) return `it has an alternative name that is no ${odd.type} name (RFC 5280 part 4.2.1.6)`;
  return commonNameDetail(certificate, subjectAltName.names);
}

/**
 * BR 7.1.4.3: a CN repeats an alternative name, character for character. A domain that holds one of the names passes too, and so does a CN
 * that is no host name: neither is ever taken for a name of the server.
 */
function commonNameDetail({ subject }: Certificate, names: readonly GeneralName[]): string | undefined {
  const cn = commonName(subject);
  if (cn === undefined) return undefined;
  const addresses = names.flatMap((name) => (name.type === 'ip' ? [addressText(name.octets)] : []));
  const hosts = names.flatMap((name) => (name.type === 'dns' ? [name.value] : []));
  const repeated = LIKE_AN_ADDRESS.test(cn)
    ? addresses.includes(cn)
    : !LIKE_A_HOST.test(cn) || hosts.length === 0 || hosts.some((host) => host === cn || host.endsWith(`.${cn}`));
  return repeated ? undefined : 'its CN is a host name or address that is none of its alternative names (BR 7.1.4.3)';
}

const LIKE_AN_ADDRESS = /^(0x[0-9a-f]+|[\d.]+|[0-9a-f]*:[0-9a-f:.]*)$/i;
const LIKE_A_HOST = /^[^\s@]+\.[^\s@]+$/;

/** RFC 5280 part 4.2.1.6: DNS names in the preferred syntax of RFC 1034, a wildcard as their first label at most. */
function isName(name: GeneralName): boolean {
  if (name.type === 'dns') return /^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(name.value);
  return name.type !== 'email' || /^[^@]+@[^@]+$/.test(name.value);
}
