/** Which TLS versions are spoken, whether a peer is judged, and the verdict on it: every decision about trust in one place. */

import type { Crypto, Der, TlsVersion, UnixMillis, Verdict } from '../../hal/hal.js';
import { type Certificate, readCertificate } from '../certs/certificate.codec.js';
import { type Fault, fault } from '../certs/fault.js';
import { commonName } from '../certs/name.codec.js';
import { type NameRule, nameFault } from '../certs/names.policy.js';
import { type Anchor, type AnchorIndex, verifyPath } from '../certs/path.policy.js';
import type { Features } from '../device/features.js';
import type { TlsService } from '../kernel/events.js';
import { suitesOf } from './suites.policy.js';
import { isProof, momentOf, type PeerUse, timeFault, type Wall } from './time-trust.policy.js';

/** What the settings and the firmware say at present. */
export interface TlsPolicy {
  versions: { min: TlsVersion; max: TlsVersion };
  /** As the HAL takes them (`suites.policy.ts`). */
  suites: string;
  /** "Validate Server Certificate" (`seed`): `prov.download.cert` and `sip.tls.cert`. */
  validate: Readonly<Record<'provisioning' | 'sip', boolean>>;
  /** Whether `*.example.com` may stand for a SIP server: RFC 5922 part 7.2 forbids it, and some providers have nothing else. */
  sipWildcards: boolean;
}

export interface TlsSettings extends Pick<TlsPolicy, 'validate' | 'sipWildcards'> {
  /** "Force secure TLS Version", `sip.tls.force`; nothing where the firmware has no such option. */
  forceSecure: boolean;
  /** `net.weaktls.use`: suites of older peers too. */
  weak: boolean;
}

/** Undefined where the board or its firmware has no TLS. */
export function tlsPolicy(features: Pick<Features, 'tlsVersions' | 'forceSecureTls'>, settings: TlsSettings): TlsPolicy | undefined {
  const { tlsVersions: versions, forceSecureTls } = features;
  if (!versions) return undefined;
  // seed p. 8: "may be used to require TLS connections to use TLSv1.2".
  const forced = forceSecureTls && settings.forceSecure;
  const { validate, sipWildcards, weak } = settings;
  return {
    versions: forced ? { min: '1.2', max: versions.max } : versions,
    suites: suitesOf(versions, weak),
    validate,
    sipWildcards,
  };
}

const VERSIONS: readonly TlsVersion[] = ['1.0', '1.1', '1.2', '1.3'];

/** The part of a range that an engine has; undefined where it has none of it. */
export function versionsOf(range: TlsPolicy['versions'], engine: readonly TlsVersion[]): TlsPolicy['versions'] | undefined {
  const from = VERSIONS.indexOf(range.min);
  const common = VERSIONS.filter((version, i) => i >= from && i <= VERSIONS.indexOf(range.max) && engine.includes(version));
  return common.length > 0 ? { min: common[0]!, max: common.at(-1)! } : undefined;
}

/** A client that shows a certificate is judged by it, whether or not it had to show one; and a date is taken from nobody unseen. */
export const isValidated = (service: TlsService, use: PeerUse, { validate }: Pick<TlsPolicy, 'validate'>): boolean =>
  (service !== 'provisioning' && service !== 'sip') || use === 'date' || validate[service];

export interface PeerQuestion {
  service: TlsService;
  chain: readonly Der[];
  /** What the configuration asked for; absent where the peer is a client. */
  name?: string;
  use: PeerUse;
  validate: boolean;
  sipWildcards: boolean;
  wall: Wall;
  anchors: AnchorIndex;
  crypto: Pick<Crypto, 'verify'>;
}

/** The peer's own certificate as far as it can be read, and whether it is trusted. */
export interface Judgement {
  verdict: Verdict;
  subject?: string;
  commonName?: string;
  /** What validation would say against a server that is taken without: what an administrator has to mend before switching it on. */
  doubt?: Fault;
  /** The first day of the youngest certificate on a path that was verified: it is then or later, for certain. */
  begun?: UnixMillis;
}

export function judgePeer(question: PeerQuestion): Judgement {
  const leaf = question.chain[0] && readCertificate(question.chain[0]);
  const cn = leaf?.ok ? commonName(leaf.value.subject) : undefined;
  const about = leaf?.ok ? { subject: leaf.value.subject.text, ...(cn === undefined ? {} : { commonName: cn }) } : {};
  const judgement = validated(question);
  const { verdict } = judgement;
  if (question.validate) return { ...about, ...judgement };
  return { ...about, verdict: { ok: true, verified: false }, ...(verdict.ok ? {} : { doubt: verdict }) };
}

function validated(question: PeerQuestion): Pick<Judgement, 'verdict' | 'begun'> {
  const { service, chain, wall, use, anchors, crypto } = question;
  const refuse = (wrong: Fault): { verdict: Verdict } => ({ verdict: { ok: false, ...wrong, clock: wall.at } });
  const purpose = isServer(question) ? 'serverAuth' : 'clientAuth';
  const sip = service === 'sip' || service === 'sip-server';
  const result = verifyPath({ chain, anchors, purpose, sip, crypto, ...momentOf(wall) });
  if (!result.ok) return refuse(result.fault);
  const { path, anchor } = result;
  const wrong = nameFaultOf(question, path[0]!, anchor.origin) ?? timeFault(wall, use, path[0]!);
  if (wrong) return refuse(wrong);
  const verified = isProof(wall);
  const begun = verified ? { begun: Math.max(...path.map(({ notBefore }) => notBefore)) } : {};
  return { verdict: { ok: true, verified, anchor: anchor.certificate.subject.text }, ...begun };
}

const isServer = ({ service }: PeerQuestion): boolean => service === 'provisioning' || service === 'sip';

function nameFaultOf(question: PeerQuestion, leaf: Certificate, origin: Anchor['origin']): Fault | undefined {
  const { service, name, sipWildcards } = question;
  if (name === undefined || !isServer(question)) return undefined;
  const sip = service === 'sip';
  const rule: NameRule = { scheme: sip ? 'sip' : 'https', wildcards: !sip || sipWildcards, commonName: origin === 'uploaded' };
  const other = nameFault(leaf, name, rule);
  return other === undefined ? undefined : fault('name', leaf, other);
}
