/** One connection and all that is known beside it: what the findings are drawn from. */
import { type Certificate, isSelfIssued, readCertificate } from '../../core/certs/certificate.codec.js';
import { sameName } from '../../core/certs/name.codec.js';
import { type NameRule, nameFault } from '../../core/certs/names.policy.js';
import { type PathVerdict, verifyPath } from '../../core/certs/path.policy.js';
import type { Features } from '../../core/device/features.js';
import { MILLISECOND } from '../../hal/base/time.js';
import type { Crypto, Der, UnixMillis } from '../../hal/hal.js';
import type { UnixMicros } from '../../hal/layers/pcapng.codec.js';
import type { Conversation } from './conversation.js';
import type { SentCertificates, TlsView } from './tls-view.js';
import type { Trusted } from './trusted.js';

export interface Knowledge {
  trusted: Trusted;
  crypto: Pick<Crypto, 'verify'>;
  /** In place of the capture's own time. */
  at: UnixMillis | undefined;
  /** The name that the device was told, where its hello has none. */
  name: string | undefined;
  /** Of the device. */
  features: Features | undefined;
}

/** The capture around a connection. */
export interface Surroundings {
  /** Authorities' certificates that it shows anywhere: what one server left out, another end may have sent. */
  authorities: readonly Certificate[];
  /** Of its last packet. */
  end: UnixMicros;
}

export interface TlsCase {
  conversation: Conversation;
  view: TlsView;
  knowledge: Knowledge;
  surroundings: Surroundings;
}

export interface ServerJudgement {
  leaf: Certificate | undefined;
  sent: readonly Certificate[];
  at: UnixMillis;
  path: PathVerdict;
  /** With these, which the server did not send, its path would be good; empty where that is not the trouble. */
  lacking: readonly Certificate[];
  /** The name that was compared, and how it is known. */
  name: { text: string; from: 'hello' | 'told' | 'address'; fault: string | undefined };
}

/** By the rules of a device that validates, at the time of the capture; undefined where no certificate can be seen. */
export function judgeServer({ conversation, view, knowledge, surroundings }: TlsCase): ServerJudgement | undefined {
  const sent = view.sides.server.certificates;
  if (!sent) return undefined;
  const { trusted, crypto } = knowledge;
  const at = knowledge.at ?? momentOf(sent);
  const judge = (chain: readonly Der[]): PathVerdict => verifyPath({ chain, anchors: trusted.anchors, purpose: 'serverAuth', at, crypto });
  const path = judge(sent.chain);
  const certificates = readChain(sent);
  const unsent = path.ok ? [] : issuersUnsent(certificates, surroundings.authorities);
  const lacking = unsent.length > 0 && judge([...sent.chain, ...unsent.map(({ der }) => der)]).ok ? unsent : [];
  const [leaf] = certificates;
  const hello = view.hellos[0]?.serverName;
  const text = hello ?? knowledge.name ?? conversation.server.address;
  const from = hello !== undefined ? 'hello' : knowledge.name !== undefined ? 'told' : 'address';
  const isPublic = path.ok && path.anchor.origin === 'preinstalled';
  const fault = leaf && nameFault(leaf, text, { ...nameRule(conversation, view), commonName: !isPublic });
  return { leaf, sent: certificates, at, path, lacking, name: { text, from, fault } };
}

/** Up from the end of what was sent, as far as the capture has it. */
function issuersUnsent(sent: readonly Certificate[], authorities: readonly Certificate[]): Certificate[] {
  const found: Certificate[] = [];
  for (let last = lastSent(sent); last && !isSelfIssued(last) && found.length < MOST_UNSENT; last = found.at(-1)) {
    const { issuer }: Certificate = last;
    const next = authorities.find(({ subject }) => sameName(subject, issuer));
    if (!next) break;
    found.push(next);
  }
  return found;
}
/** Ours: public paths have one to three intermediates. */
const MOST_UNSENT = 4;

/** Up the chain from the leaf, as far as it was sent. */
export function lastSent(sent: readonly Certificate[]): Certificate | undefined {
  let [last] = sent;
  for (let steps = 0; last && steps < sent.length && !isSelfIssued(last); steps++) {
    const { issuer }: Certificate = last;
    const next = sent.find(({ subject }) => sameName(subject, issuer));
    if (!next) break;
    last = next;
  }
  return last;
}

/** Those that can be read. */
export const readChain = (sent: SentCertificates): Certificate[] =>
  sent.chain.flatMap((der) => {
    const read = readCertificate(der);
    return read.ok ? [read.value] : [];
  });

export const momentOf = ({ at }: { at: number }): UnixMillis => Math.floor(at / MILLISECOND);

/** IANA's port for SIP over TLS, and those beside it where several are served. */
const SIP_PORTS = { from: 5060, to: 5099 } as const;

export const isSip = ({ server }: Conversation, view?: TlsView): boolean =>
  /^(\S+ \S+ )?SIP\/2\.0/.test(view?.sides.client.clear ?? '') || (server.port >= SIP_PORTS.from && server.port <= SIP_PORTS.to);

/** As the device compares: wildcards are not for SIP (RFC 5922 7.2). */
const nameRule = (conversation: Conversation, view: TlsView): Omit<NameRule, 'commonName'> =>
  isSip(conversation, view) ? { scheme: 'sip', wildcards: false } : { scheme: 'https', wildcards: true };
