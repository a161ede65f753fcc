/**
 * Builds certificate paths from a peer's certificate to an anchor, and accepts the first that keeps every rule (RFC 5280 part 6).
 *
 * Alternatives are tried, so that an expired cross-signed certificate does not hide a path that is good. A peer chooses what it sends, so
 * the work is bounded: path length, paths and signatures each have a limit.
 */
import { equal } from '../../hal/base/bytes.js';
import type { Crypto, Der, UnixMillis } from '../../hal/hal.js';
import { type Certificate, isSelfIssued, readCertificate } from './certificate.codec.js';
import { type Fault, fault } from './fault.js';
import { type Name, sameName } from './name.codec.js';
import { type Purpose, pathFault, signatureFault } from './path-rules.policy.js';

/** A certificate that is trusted for itself, and who says so: the vendor's set of public authorities, or the administrator. */
export interface Anchor {
  readonly certificate: Certificate;
  readonly origin: 'preinstalled' | 'uploaded';
}
export interface AnchorIndex {
  bySubject(name: Name): readonly Anchor[];
}

export interface PathRequest {
  /** As the peer sent it: its own certificate first, the others in any order. */
  chain: readonly Der[];
  anchors: AnchorIndex;
  purpose: Purpose;
  /** The peer speaks SIP: a certificate for a SIP domain serves either purpose (RFC 5924 part 4). */
  sip?: boolean;
  at: UnixMillis;
  /** What time it is is not known, only that it is `at` or later: a path is accepted that is good at some such time. */
  floor?: boolean;
  crypto: Pick<Crypto, 'verify'>;
  /** Authorities between the peer's certificate and the anchor, self-issued ones not counted. */
  maxIntermediates?: number;
}
/** `path` is the peer's certificate first, the anchor last. */
export type PathVerdict = { ok: true; path: readonly Certificate[]; anchor: Anchor } | { ok: false; fault: Fault };

/** Ours. Public paths have one to three intermediates; OpenSSL's own limit is 100, and each costs a signature. */
const MAX_INTERMEDIATES = 8;
/** Ours: certificates that a peer may send. */
const MAX_SENT = 32;
/** Ours: complete paths that are judged before giving up. */
const MAX_PATHS = 64;
/** Ours: a public-key operation is 20 µs to 20 ms by board, so that the worst chain costs about a second on the smallest. */
const MAX_SIGNATURES = 64;

export function verifyPath(request: PathRequest): PathVerdict {
  const { chain, anchors } = request;
  const [first, ...others] = chain;
  if (!first) return { ok: false, fault: fault('no-certificate', undefined, 'the peer sent no certificate') };
  if (chain.length > MAX_SENT) return { ok: false, fault: fault('too-long', undefined, `the peer sent ${chain.length} certificates`) };
  const read = readCertificate(first);
  if (!read.ok) return { ok: false, fault: fault('malformed', undefined, `${read.error.detail} (at octet ${read.error.offset})`) };
  const leaf = read.value;
  // What cannot be read cannot be on a path; a peer may send certificates that matter to others.
  const sent = others.map(readCertificate).flatMap((other) => (other.ok ? [other.value] : []));
  const pinned = anchors.bySubject(leaf.subject).find((anchor) => anchor.origin === 'uploaded' && equal(anchor.certificate.der, first));
  if (pinned) {
    const wrong = pathFault({ ...request, path: [leaf], anchor: pinned });
    return wrong ? { ok: false, fault: wrong } : { ok: true, path: [leaf], anchor: pinned };
  }
  return new Search(request, sent).from(leaf);
}

class Search {
  #signatures = 0;
  #paths = 0;
  #found: { path: readonly Certificate[]; anchor: Anchor } | undefined;
  #best: { fault: Fault; rank: number } | undefined;

  constructor(
    readonly request: PathRequest,
    readonly sent: readonly Certificate[],
  ) {}

  from(leaf: Certificate): PathVerdict {
    this.#extend([leaf]);
    if (this.#found) return { ok: true, ...this.#found };
    return { ok: false, fault: this.#best?.fault ?? unknownIssuer(leaf) };
  }

  /** Tries each issuer of the last certificate; true ends the search. */
  #extend(path: readonly Certificate[]): boolean {
    const last = path.at(-1)!;
    for (const anchor of byHint(last, this.request.anchors.bySubject(last.issuer), (candidate) => candidate.certificate)) {
      if (this.#step(path, anchor.certificate) && this.#judge([...path, anchor.certificate], anchor)) return true;
      if (this.#spent()) return true;
    }
    const issuers = this.sent.filter((candidate) => sameName(candidate.subject, last.issuer) && !onPath(path, candidate));
    for (const issuer of byHint(last, issuers, (candidate) => candidate)) {
      const longer = [...path, issuer];
      const intermediates = longer.slice(1).filter((certificate) => !isSelfIssued(certificate)).length;
      if (intermediates > (this.request.maxIntermediates ?? MAX_INTERMEDIATES)) {
        this.#note(1, fault('too-long', last, `more than ${this.request.maxIntermediates ?? MAX_INTERMEDIATES} authorities in its path`));
        continue;
      }
      if (this.#step(path, issuer) && this.#extend(longer)) return true;
      if (this.#spent()) return true;
    }
    this.#note(0, unknownIssuer(last));
    return false;
  }

  /** Whether `issuer` signed the end of `path`. */
  #step(path: readonly Certificate[], issuer: Certificate): boolean {
    this.#signatures++;
    const wrong = signatureFault(path.at(-1)!, issuer, this.request.crypto);
    if (wrong) this.#note(2, wrong);
    return !wrong;
  }

  #judge(path: readonly Certificate[], anchor: Anchor): boolean {
    this.#paths++;
    const wrong = pathFault({ ...this.request, path, anchor });
    if (wrong) this.#note(3, wrong);
    else this.#found = { path, anchor };
    return !wrong;
  }

  #spent(): boolean {
    const spent = this.#signatures >= MAX_SIGNATURES || this.#paths >= MAX_PATHS;
    if (spent) this.#note(1, fault('too-long', undefined, `no path found within ${MAX_SIGNATURES} signatures`));
    return spent;
  }

  /** The fault that is reported is the first of those that came closest: a whole path that breaks a rule tells most. */
  #note(rank: number, wrong: Fault): void {
    if (!this.#best || rank > this.#best.rank) this.#best = { fault: wrong, rank };
  }
}

/** A certificate, or another of the same authority's key, may stand on a path once. */
const onPath = (path: readonly Certificate[], candidate: Certificate): boolean =>
  path.some((certificate) => sameName(certificate.subject, candidate.subject) && equal(certificate.spki, candidate.spki));

/** Those whose key identifier is the one that the certificate names come first; the identifier is a hint and decides nothing. */
function byHint<T>(certificate: Certificate, candidates: readonly T[], of: (candidate: T) => Certificate): T[] {
  const wanted = certificate.extensions.authorityKeyIdentifier?.id;
  const named = (candidate: T): boolean => {
    const id = of(candidate).extensions.subjectKeyIdentifier?.id;
    return wanted !== undefined && id !== undefined && equal(wanted, id);
  };
  return [...candidates.filter(named), ...candidates.filter((candidate) => !named(candidate))];
}

const unknownIssuer = (certificate: Certificate): Fault =>
  isSelfIssued(certificate)
    ? fault('unknown-issuer', certificate, 'it is signed by itself, and is not among the trusted certificates')
    : fault('unknown-issuer', certificate, `its issuer "${certificate.issuer.text}" is neither trusted nor was it sent along`);
