/**
 * The vendor's authorities, and the certificates they issue at manufacture and for servers.
 *
 * Three levels, named by role (`seed`, "Algo Certificates Download": its links are labelled crosswise, so a chain is built by issuer and
 * subject and files are named by role): root, intermediate, issuing, device.
 */
import { calendar, utc } from '../../hal/base/time.js';
import type { Der, MacAddress, PrivateKey, UnixMillis } from '../../hal/hal.js';
import { type AltName, type Authority, type IssuingPorts, issueCertificate, issueSelfSigned } from './issue.js';

export interface Authorities {
  readonly root: Authority;
  readonly intermediate: Authority;
  readonly issuing: Authority;
}

/** `seed`, "Algo Device Certificates": valid for 30 years. */
const DEVICE_YEARS = 30;
/** Ours: a device made in an authority's thirtieth year still has a valid chain for all of its own thirty. */
const AUTHORITY_YEARS = 60;

/** Root, intermediate and issuing authority, all valid from `made`. `organization` begins their names: "Belfry Root CA". */
export function makeAuthorities(
  ports: IssuingPorts,
  options: { keys: Readonly<Record<keyof Authorities, PrivateKey>>; made: UnixMillis; organization: string },
): Authorities {
  const { keys, made, organization } = options;
  const template = (role: string, pathLength?: number) => ({
    subject: { organization, commonName: `${organization} ${role} CA` },
    from: made,
    until: yearsAfter(made, AUTHORITY_YEARS),
    authority: pathLength === undefined ? {} : { pathLength },
  });
  const root = { certificate: issueSelfSigned(ports, template('Root'), keys.root), key: keys.root };
  const under = (role: string, pathLength: number, key: PrivateKey, issuer: Authority): Authority => ({
    certificate: issueCertificate(ports, { ...template(role, pathLength), publicKey: key.spki }, issuer),
    key,
  });
  const intermediate = under('Intermediate', 1, keys.intermediate, root);
  return { root, intermediate, issuing: under('Issuing', 0, keys.issuing, intermediate) };
}

/** The factory identity: CN is the MAC, 12 upper-case hex digits; for use as a TLS client. */
export function issueDeviceCertificate(
  ports: IssuingPorts,
  options: { mac: MacAddress; made: UnixMillis; publicKey: Der; issuer: Authority },
): Der {
  const { mac, made, publicKey, issuer } = options;
  const until = yearsAfter(made, DEVICE_YEARS);
  return issueCertificate(ports, { subject: { commonName: mac }, from: made, until, publicKey, purposes: ['clientAuth'] }, issuer);
}

/** A server's certificate for these names, the first of which is its CN too. */
export function issueServerCertificate(
  ports: IssuingPorts,
  options: { names: readonly [AltName, ...AltName[]]; from: UnixMillis; until: UnixMillis; publicKey: Der; issuer: Authority },
): Der {
  const { names, issuer, ...rest } = options;
  return issueCertificate(ports, { ...rest, names, subject: { commonName: names[0].value }, purposes: ['serverAuth'] }, issuer);
}

/** The same calendar date; a 29th of February becomes a 28th where that year has none. */
export function yearsAfter(at: UnixMillis, years: number): UnixMillis {
  const { year, month, day, hour, minute, second } = calendar(at);
  return utc(year + years, month, day, hour, minute, second) ?? utc(year + years, month, 28, hour, minute, second)!;
}
