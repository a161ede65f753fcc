/** What a SIP server says about the certificates of its clients. */
import { type Certificate, readCertificate } from '../../../core/certs/certificate.codec.js';
import { commonName, sameName } from '../../../core/certs/name.codec.js';
import { type AnchorIndex, verifyPath } from '../../../core/certs/path.policy.js';
import type { Der, TlsServerOptions, TlsStream, Verdict } from '../../../hal/hal.js';
import type { PeerHost } from '../peer-host.js';

/** A verdict on each client that presents a certificate: a path to one of `authorities`, valid now. */
export function clientVerifier(host: PeerHost, authorities: readonly Der[]): NonNullable<TlsServerOptions['verify']> {
  const anchors = anchorIndex(authorities);
  return ({ chain }): Verdict => {
    const { at } = host.clock.wall();
    const verdict = verifyPath({ chain, anchors, purpose: 'clientAuth', at, crypto: host.crypto });
    if (verdict.ok) return { ok: true, verified: true, anchor: verdict.anchor.certificate.subject.text };
    const { detail, subject, ...fault } = verdict.fault;
    return { ok: false, ...fault, subject, detail: `the client certificate ${subject}: ${detail}`, clock: at };
  };
}

function anchorIndex(authorities: readonly Der[]): AnchorIndex {
  const certificates = authorities.map(readCertificate).flatMap((read): Certificate[] => (read.ok ? [read.value] : []));
  return {
    bySubject: (name) =>
      certificates.filter(({ subject }) => sameName(subject, name)).map((certificate) => ({ certificate, origin: 'preinstalled' })),
  };
}

/** CN of what the peer of a connection presented; empty where it presented nothing. */
export function peerCommonName({ secured }: TlsStream): string {
  const [leaf] = secured?.peer ?? [];
  const certificate = leaf && readCertificate(leaf);
  return certificate?.ok ? (commonName(certificate.value.subject) ?? '') : '';
}
