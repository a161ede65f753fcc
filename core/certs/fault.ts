/** Why a certificate is refused, and what the administrator can do about it. */
import { iso8601 } from '../../hal/base/time.js';
import type { TrustRule } from '../../hal/hal.js';
import type { Certificate } from './certificate.codec.js';

export interface Fault {
  rule: TrustRule;
  /** Subject of the certificate that breaks the rule, which need not be the peer's own; empty where there is none. */
  subject: string;
  detail: string;
  mend: string;
}

/** A fault of `certificate`; undefined where the peer's could not even be read. */
export const fault = (rule: TrustRule, certificate: Certificate | undefined, detail: string, mend?: string): Fault => ({
  rule,
  subject: certificate?.subject.text ?? '',
  detail,
  mend: mend ?? MENDS[rule](certificate),
});

type Mend = (certificate: Certificate | undefined) => string;

const reissue: Mend = (certificate) => `have the certificate${of(certificate)} issued again by its authority`;
const of = (certificate: Certificate | undefined): string => (certificate ? ` of "${certificate.subject.text}"` : '');
const day = (certificate: Certificate | undefined, end: 'notBefore' | 'notAfter'): string =>
  certificate ? iso8601(certificate[end]).slice(0, 10) : 'its date';

const MENDS: Readonly<Record<TrustRule, Mend>> = {
  'no-certificate': () => 'give the peer a certificate and its key',
  malformed: reissue,
  'unknown-issuer': (certificate) =>
    `upload the CA certificate of "${certificate?.issuer.text ?? 'its issuer'}" to certs/trusted, or let the server send its whole chain`,
  signature: (certificate) =>
    `upload the CA certificate that really signed${of(certificate)} to certs/trusted; one of the same name with another key is in the way`,
  expired: (certificate) =>
    `renew the certificate${of(certificate)}, which ended on ${day(certificate, 'notAfter')}, or set the clock if it is wrong`,
  'not-yet-valid': (certificate) => `set the clock (NTP): the certificate${of(certificate)} begins on ${day(certificate, 'notBefore')}`,
  'time-not-trusted': () =>
    'let the device reach a time server (UDP port 123; DHCP option 42 or net.time1), or a provisioning server by https, whose date counts too',
  name: (certificate) => `configure a name that the certificate${of(certificate)} holds, or have it issued for the configured name`,
  'not-a-ca': (certificate) => `issue the server's certificate from an authority: "${certificate?.subject.text ?? ''}" is none`,
  'path-length': (certificate) =>
    `issue from an authority nearer to the root: "${certificate?.subject.text ?? ''}" allows no further authorities`,
  'key-usage': reissue,
  purpose: (certificate) => `have the certificate${of(certificate)} issued for TLS (extended key usage)`,
  'name-constraints': (certificate) => `use names that the authority may issue for; the certificate${of(certificate)} has others`,
  'critical-extension': reissue,
  'weak-signature': (certificate) => `have the certificate${of(certificate)} signed with SHA-256 or better`,
  'weak-key': (certificate) =>
    `have the certificate${of(certificate)} issued for an RSA key of 2048 bits or more, or P-256, P-384 or P-521`,
  revoked: reissue,
  'too-long': () => 'let the server send its own certificate and the few that lead to its root, no others',
  version: () => 'let the server offer a TLS version that this firmware has',
  'refused-by-peer': () => "install the chain of this device's certificate at the server, or look at the server's log",
};
