/** Which TLS versions are spoken, whether a peer is judged, and the verdict on it: every decision about trust in one place. */

import type { ClockTrust, Crypto, Der, TlsVersion, UnixMillis, Verdict } from '../../hal/hal.js';
import { readCertificate } from '../certs/certificate.codec.js';
import { type Fault, fault } from '../certs/fault.js';
import { commonName } from '../certs/name.codec.js';
import { type NameRule, nameFault } from '../certs/names.policy.js';
import { type AnchorIndex, verifyPath } from '../certs/path.policy.js';
import type { Features } from '../device/features.js';
import type { TlsService } from '../kernel/events.js';

/** What the settings and the firmware say at present. */
export interface TlsPolicy {
  versions: { min: TlsVersion; max: TlsVersion };
  /** "Validate Server Certificate" (`seed`): `prov.download.cert` and `sip.tls.cert`. */
  validate: Readonly<Record<'provisioning' | 'sip', boolean>>;
}

export interface TlsSettings {
  validate: TlsPolicy['validate'];
  /** "Force secure TLS Version", `sip.tls.force`; nothing where the firmware has no such option. */
  forceSecure: boolean;
}

/** Undefined where the board or its firmware has no TLS. */
export function tlsPolicy(features: Pick<Features, 'tlsVersions' | 'forceSecureTls'>, settings: TlsSettings): TlsPolicy | undefined {
  const { tlsVersions: versions, forceSecureTls } = features;
  if (!versions) return undefined;
  // seed p. 8: "may be used to require TLS connections to use TLSv1.2".
  const forced = forceSecureTls && settings.forceSecure;
  return { versions: forced ? { min: '1.2', max: versions.max } : versions, validate: settings.validate };
}

const VERSIONS: readonly TlsVersion[] = ['1.0', '1.1', '1.2', '1.3'];

/** The part of a range that an engine has; undefined where it has none of it. */
export function versionsOf(range: TlsPolicy['versions'], engine: readonly TlsVersion[]): TlsPolicy['versions'] | undefined {
  const from = VERSIONS.indexOf(range.min);
  const common = VERSIONS.filter((version, i) => i >= from && i <= VERSIONS.indexOf(range.max) && engine.includes(version));
  return common.length > 0 ? { min: common[0]!, max: common.at(-1)! } : undefined;
}

/** How a server's name is checked. Wildcards are forbidden for SIP (RFC 5922 part 7.2). */
const NAME_RULES: Readonly<Record<'provisioning' | 'sip', Omit<NameRule, 'commonName'>>> = {
  provisioning: { scheme: 'https', wildcards: true },
  sip: { scheme: 'sip', wildcards: false },
};

export interface PeerQuestion {
  service: TlsService;
  chain: readonly Der[];
  /** What the configuration asked for; absent where the peer is a client. */
  name?: string;
  validate: boolean;
  wall: { at: UnixMillis; trust: ClockTrust };
  anchors: AnchorIndex;
  crypto: Pick<Crypto, 'verify'>;
}

/** The peer's own certificate as far as it can be read, and whether it is trusted. */
export interface Judgement {
  verdict: Verdict;
  subject?: string;
  commonName?: string;
}

export function judgePeer(question: PeerQuestion): Judgement {
  const leaf = question.chain[0] && readCertificate(question.chain[0]);
  const cn = leaf?.ok ? commonName(leaf.value.subject) : undefined;
  const about = leaf?.ok ? { subject: leaf.value.subject.text, ...(cn === undefined ? {} : { commonName: cn }) } : {};
  return { ...about, verdict: question.validate ? validated(question) : { ok: true, verified: false } };
}

function validated(question: PeerQuestion): Verdict {
  const { service, chain, name, wall, anchors, crypto } = question;
  const refuse = (wrong: Fault): Verdict => ({ ok: false, ...wrong, clock: wall.at });
  const early = timeFault(wall.trust);
  if (early) return refuse(early);
  const purpose = service === 'provisioning' || service === 'sip' ? 'serverAuth' : 'clientAuth';
  const result = verifyPath({ chain, anchors, purpose, at: wall.at, crypto });
  if (!result.ok) return refuse(result.fault);
  const { path, anchor } = result;
  if (name !== undefined && (service === 'provisioning' || service === 'sip')) {
    const other = nameFault(path[0]!, name, { ...NAME_RULES[service], commonName: anchor.origin === 'uploaded' });
    if (other) return refuse(fault('name', path[0], other));
  }
  return { ok: true, verified: true, anchor: anchor.certificate.subject.text };
}

/**
 * What may be decided before time is trusted: nothing. A date compared with a clock that nobody set says neither yes nor no, and a device
 * that guesses yes can be shown a certificate whose key was stolen years ago.
 */
function timeFault(trust: ClockTrust): Fault | undefined {
  return trust === 'none'
    ? fault('time-not-trusted', undefined, 'the clock was never set, so that no certificate can be dated')
    : undefined;
}
