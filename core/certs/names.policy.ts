/**
 * Whether a certificate is for the name that the configuration asked for: RFC 6125 for HTTPS, RFC 5922 for SIP. Subject alternative names
 * decide. A CN counts only where there is no alternative name at all, and only under an authority that the administrator uploaded: public
 * authorities have put names nowhere else for many years, private ones still use it (ours).
 */
import { equal } from '../../hal/base/bytes.js';
import { addressOctets, addressText } from './address.js';
import type { Certificate } from './certificate.codec.js';
import { commonName } from './name.codec.js';
import { uriHost } from './name-constraints.policy.js';

export interface NameRule {
  scheme: 'https' | 'sip';
  /** RFC 5922 part 7.2 forbids wildcards for SIP; deployments use them, so that a policy may allow them. */
  wildcards: boolean;
  /** Whether the CN may stand in where there is no alternative name. */
  commonName: boolean;
}

/** Why the certificate is not for `reference`, a host name or an address literal; undefined where it is. */
export function nameFault(certificate: Certificate, reference: string, rule: NameRule): string | undefined {
  const presented = presentedNames(certificate, rule);
  const address = addressOctets(reference);
  const wanted = host(reference);
  const fits = address
    ? presented.addresses.some((octets) => equal(octets, address)) || presented.commonName === reference
    : presented.hosts.some((name) => hostMatches(host(name), wanted, rule.wildcards));
  if (fits) return undefined;
  const all = [...presented.hosts, ...presented.addresses.map((octets) => addressText(octets) ?? '?')];
  return `it is for ${all.length > 0 ? listed(all) : 'no name'}, not for ${reference}`;
}

interface Presented {
  hosts: readonly string[];
  addresses: readonly Uint8Array[];
  commonName?: string;
}

function presentedNames({ subject, extensions }: Certificate, rule: NameRule): Presented {
  const names = extensions.subjectAltName?.names;
  if (!names) {
    const cn = rule.commonName ? commonName(subject) : undefined;
    return cn === undefined ? { hosts: [], addresses: [] } : { hosts: [cn], addresses: [], commonName: cn };
  }
  const texts = (type: 'dns' | 'uri'): string[] => names.flatMap((name) => (name.type === type ? [name.value] : []));
  const addresses = names.flatMap((name) => (name.type === 'ip' ? [name.octets] : []));
  const domains = rule.scheme === 'sip' ? texts('uri').flatMap(sipDomain) : [];
  // RFC 5922 part 7.1: DNS names count if and only if no SIP URI names a domain.
  return { hosts: domains.length > 0 ? domains : texts('dns'), addresses };
}

/** The domain of a `sip:` URI without a user part (RFC 5922 part 7.1). */
function sipDomain(uri: string): string[] {
  if (!/^sip:[^@]*$/i.test(uri)) return [];
  return [uriHost(uri) ?? []].flat();
}

/** Case does not matter, nor does the period that ends an absolute name. */
const host = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/** RFC 6125 part 6.4: label by label; a wildcard is the whole left-most label, and stands above at least two others. */
function hostMatches(presented: string, wanted: string, wildcards: boolean): boolean {
  if (!isHost(wanted)) return false;
  if (!presented.startsWith('*.')) return presented === wanted;
  const parent = presented.slice(1);
  const label = wanted.slice(0, -parent.length);
  return wildcards && parent.split('.').length > 2 && wanted.endsWith(parent) && label !== '' && !label.includes('.');
}

/** Letters, digits, hyphens; underscores, which local names have; no octet that is not ASCII: names go out as A-labels. */
const isHost = (name: string): boolean => /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(name);

const LISTED_MAX = 4;
const listed = (names: readonly string[]): string =>
  names.length <= LISTED_MAX ? names.join(', ') : `${names.slice(0, LISTED_MAX).join(', ')} and ${names.length - LISTED_MAX} more`;
