/** Name constraints (RFC 5280 part 4.2.1.10): which names an authority may issue for. */
import { type Certificate, isSelfIssued } from './certificate.codec.js';
import type { GeneralName } from './extensions.codec.js';
import { type Fault, fault } from './fault.js';
import { commonName, nameWithin } from './name.codec.js';
import { EMAIL_ADDRESS } from './oids.js';

/** Ours: a certificate of 32 KiB holds a thousand names and another as many constraints; real ones make a few hundred comparisons. */
const MAX_COMPARISONS = 65_536;

/** The first name on the path that an authority above it may not issue for. */
export function constraintsFault(path: readonly Certificate[]): Fault | undefined {
  let comparisons = 0;
  for (const [depth, authority] of path.entries()) {
    const constraints = authority.extensions.nameConstraints;
    if (!constraints) continue;
    if (depth === 0) return fault('name-constraints', authority, 'it constrains names, and is not the certificate of an authority');
    const malformed = [...constraints.permitted, ...constraints.excluded].find((base) => !isConstraint(base));
    if (malformed) return fault('name-constraints', authority, `it constrains names by something that is no ${malformed.type} name`);
    for (const [below, certificate] of path.slice(0, depth).entries()) {
      if (below > 0 && isSelfIssued(certificate)) continue;
      const names = namesOf(certificate);
      comparisons += names.length * (constraints.permitted.length + constraints.excluded.length);
      if (comparisons > MAX_COMPARISONS) return fault('name-constraints', certificate, 'more names and constraints than can be compared');
      const outside = names.find((name) => !allowed(name, constraints));
      if (outside)
        return fault('name-constraints', certificate, `"${authority.subject.text}" may not issue for its name ${shown(outside)}`);
    }
  }
  return undefined;
}

/** All that a constraint may speak of: the subject, its e-mail address, the alternative names, and a CN that would be taken for a host name. */
function namesOf(certificate: Certificate): GeneralName[] {
  const { subject, extensions } = certificate;
  const alternative = extensions.subjectAltName?.names;
  const directory: GeneralName[] = subject.key.length > 0 ? [{ type: 'directory', name: subject }] : [];
  if (alternative) return [...directory, ...alternative];
  const cn = commonName(subject);
  const emails = subject.attributes.filter(({ type }) => type === EMAIL_ADDRESS).map(({ value }) => ({ type: 'email' as const, value }));
  const host: GeneralName[] = cn !== undefined && isHostName(cn) ? [{ type: 'dns', value: cn }] : [];
  return [...directory, ...emails, ...host];
}

const isHostName = (text: string): boolean => text.includes('.') && /^[A-Za-z0-9*_.-]+$/.test(text);

function allowed(
  name: GeneralName,
  { permitted, excluded }: { permitted: readonly GeneralName[]; excluded: readonly GeneralName[] },
): boolean {
  const ofType = (bases: readonly GeneralName[]): GeneralName[] => bases.filter((base) => sameType(base, name));
  if (ofType(excluded).some((base) => within(name, base, 'partly'))) return false;
  const limits = ofType(permitted);
  return limits.length === 0 || limits.some((base) => within(name, base, 'wholly'));
}

const sameType = (base: GeneralName, name: GeneralName): boolean =>
  base.type === name.type && (base.type !== 'other' || base.tag === (name as { tag: number }).tag);

/** Whether a name lies in a subtree; a wildcard stands for many names, which may lie there wholly or partly. */
function within(name: GeneralName, base: GeneralName, how: 'wholly' | 'partly'): boolean {
  if (name.type === 'dns' && base.type === 'dns') return dnsWithin(name.value.toLowerCase(), base.value.toLowerCase(), how);
  if (name.type === 'email' && base.type === 'email') return emailWithin(name.value, base.value, how);
  if (name.type === 'uri' && base.type === 'uri') return uriWithin(name.value, base.value.toLowerCase(), how);
  if (name.type === 'ip' && base.type === 'ip') return ipWithin(name.octets, base.octets);
  if (name.type === 'directory' && base.type === 'directory') return nameWithin(name.name, base.name);
  // A kind of name that is not known here cannot be shown to be permitted, nor not to be excluded.
  return how === 'partly';
}

function dnsWithin(name: string, base: string, how: 'wholly' | 'partly'): boolean {
  const below = base.startsWith('.') ? base.slice(1) : base;
  const inside = (host: string): boolean => host.endsWith(`.${below}`) || (host === below && below === base) || base === '';
  if (!name.startsWith('*.')) return inside(name);
  const parent = name.slice(2);
  // `*.example.com` is one label below `example.com`: all of it lies in a subtree of the parent, one host of it may lie in a child's.
  const wholly = inside(parent) || parent === below;
  return how === 'wholly' ? wholly : wholly || (below.endsWith(`.${parent}`) && !below.slice(0, -parent.length - 1).includes('.'));
}

/** RFC 5280 part 4.2.1.10: a mailbox, the mailboxes of a host, or with a leading period those of the hosts of a domain. */
function emailWithin(mailbox: string, base: string, how: 'wholly' | 'partly'): boolean {
  const [local, host, ...more] = mailbox.split('@');
  if (!local || !host || more.length > 0) return how === 'partly';
  const [baseLocal, baseHost] = base.includes('@') ? base.split('@') : [undefined, base];
  const at = host.toLowerCase();
  if (baseLocal !== undefined) return local === baseLocal && at === baseHost!.toLowerCase();
  return base.startsWith('.') ? at.endsWith(base.toLowerCase()) : at === base.toLowerCase();
}

/** A host, or with a leading period the hosts of a domain. A URI without a host name can be neither permitted nor cleared. */
function uriWithin(uri: string, base: string, how: 'wholly' | 'partly'): boolean {
  const host = uriHost(uri)?.toLowerCase();
  if (host === undefined || host.startsWith('[') || /^[\d.]+$/.test(host)) return how === 'partly';
  return base.startsWith('.') ? host.endsWith(base) : host === base;
}

/** Host of `scheme://user@host:port/…` and of `sip:user@host:port;…` alike. */
export function uriHost(uri: string): string | undefined {
  return /^[a-z][a-z0-9+.-]*:(?:\/\/)?(?:[^@/?#]*@)?(\[[^\]]*\]|[^:;/?#@]+)/i.exec(uri)?.[1];
}

function ipWithin(octets: Uint8Array, range: Uint8Array): boolean {
  if (range.length !== 2 * octets.length) return false;
  return octets.every((octet, i) => (octet & range[octets.length + i]!) === (range[i]! & range[octets.length + i]!));
}

/** Whether a base is what its type allows. */
function isConstraint(base: GeneralName): boolean {
  switch (base.type) {
    case 'dns':
      return base.value === '' || /^\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(base.value);
    case 'email':
      return base.value.split('@').length <= 2 && !base.value.startsWith('@') && !base.value.endsWith('@');
    case 'ip':
      return isMask(base.octets.subarray(base.octets.length / 2));
    default:
      return true;
  }
}

/** Ones, then zeros (RFC 4632). */
function isMask(octets: Uint8Array): boolean {
  const bits = [...octets].map((octet) => octet.toString(2).padStart(8, '0')).join('');
  return /^1*0*$/.test(bits);
}

function shown(name: GeneralName): string {
  if (name.type === 'directory') return `"${name.name.text}"`;
  if (name.type === 'ip') return `${name.octets.join('.')}`;
  return name.type === 'other' ? `of a kind that is not known here` : JSON.stringify(name.value.slice(0, 128));
}
