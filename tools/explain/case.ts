/** One connection and all that is known beside it: what the findings are drawn from. */
import { type Certificate, readCertificate } from '../../core/certs/certificate.codec.js';
import { type NameRule, nameFault } from '../../core/certs/names.policy.js';
import { type PathVerdict, verifyPath } from '../../core/certs/path.policy.js';
import type { Features } from '../../core/device/features.js';
import { MILLISECOND } from '../../hal/base/time.js';
import type { Crypto, UnixMillis } from '../../hal/hal.js';
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

export interface TlsCase {
  conversation: Conversation;
  view: TlsView;
  knowledge: Knowledge;
}

export interface ServerJudgement {
  leaf: Certificate | undefined;
  sent: readonly Certificate[];
  at: UnixMillis;
  path: PathVerdict;
  /** The name that was compared, and how it is known. */
  name: { text: string; from: 'hello' | 'told' | 'address'; fault: string | undefined };
}

/** By the rules of a device that validates, at the time of the capture; undefined where no certificate can be seen. */
export function judgeServer({ conversation, view, knowledge }: TlsCase): ServerJudgement | undefined {
  const sent = view.sides.server.certificates;
  if (!sent) return undefined;
  const { trusted, crypto } = knowledge;
  const at = knowledge.at ?? momentOf(sent);
  const path = verifyPath({ chain: sent.chain, anchors: trusted.anchors, purpose: 'serverAuth', at, crypto });
  const certificates = readChain(sent);
  const [leaf] = certificates;
  const hello = view.hellos[0]?.serverName;
  const text = hello ?? knowledge.name ?? conversation.server.address;
  const from = hello !== undefined ? 'hello' : knowledge.name !== undefined ? 'told' : 'address';
  const isPublic = path.ok && path.anchor.origin === 'preinstalled';
  const fault = leaf && nameFault(leaf, text, { ...nameRule(conversation, view), commonName: !isPublic });
  return { leaf, sent: certificates, at, path, name: { text, from, fault } };
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
