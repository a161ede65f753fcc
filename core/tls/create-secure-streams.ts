/** Makes `SecureStreams` over the TLS engine: which identity and versions, who is asked for a verdict, and how many strangers at once. */
import { err, fail, ok } from '../../hal/base/result.js';
import type {
  ByteStream,
  Crypto,
  Der,
  HalError,
  Net,
  Result,
  SocketAddress,
  TlsEngine,
  TlsIdentity,
  TlsStream,
  UnixMillis,
  Verdict,
} from '../../hal/hal.js';
import { type Certificate, readCertificate } from '../certs/certificate.codec.js';
import type { CertificateStore } from '../certs/store.js';
import type { TlsService } from '../kernel/events.js';
import type { Kernel } from '../kernel/kernel.js';
import { peerText, SecureStream } from './secure-stream.js';
import type { SecureAcceptOptions, SecureConnectOptions, SecureStreams } from './secure-streams.js';
import { isValidated, judgePeer, type PeerQuestion, type TlsPolicy, versionsOf } from './tls.policy.js';

export interface SecureStreamsOptions {
  kernel: Kernel;
  net: Pick<Net, 'connect'>;
  /** Absent where the board has no TLS. */
  tls?: TlsEngine;
  crypto: Pick<Crypto, 'verify'>;
  store: CertificateStore;
  /** Asked for each connection, so that a changed setting holds for the next; undefined where the firmware has no TLS. */
  policy(): TlsPolicy | undefined;
  /** A peer's certificates are good in every respect, and the youngest begins at `at`: it is then or later. */
  onProven?(at: UnixMillis): void;
  /** Lines of an NSS key log, for captures. */
  onSecret?(line: string): void;
}

/** Ours: handshakes of strangers at our ports at one time; each holds memory, and has cost a private-key operation. */
const MAX_ACCEPTING = 16;

/** Ours: a site has a handful of authorities, and each name costs some 100 octets of every CertificateRequest. */
const MAX_ISSUERS = 32;

type PeerIdentity = Pick<PeerQuestion, 'service' | 'chain' | 'name' | 'use'>;

export function createSecureStreams(options: SecureStreamsOptions): SecureStreams {
  const { kernel, store, crypto } = options;
  const onSecret = options.onSecret ? { onSecret: options.onSecret } : {};
  /** The oldest first. */
  const accepting = new Set<SecureStream>();

  /** What is decided about a peer, and who else learns of it. */
  const judge = (stream: SecureStream, peer: PeerIdentity, policy: TlsPolicy): Verdict => {
    const wall = kernel.wall();
    const means = { validate: isValidated(peer.service, peer.use, policy), sipWildcards: policy.sipWildcards };
    const judgement = judgePeer({ ...peer, ...means, wall, anchors: store.anchors, crypto });
    const { verdict, begun } = judgement;
    if (begun !== undefined) options.onProven?.(begun);
    if (!verdict.ok) {
      const { rule, subject, detail, mend } = verdict;
      store.refusedPeers.record(peer.chain, { service: peer.service, peer: stream.peer, rule, subject, detail, mend, at: wall.at });
    }
    return stream.judged(judgement);
  };

  const connect = ({ service, use = 'talk', to, name }: SecureConnectOptions): TlsStream => {
    const means = meansOf(options);
    const identity = store.identity(service);
    const own = identity && leafOf(identity);
    const stream = new SecureStream(kernel, { service, side: 'client', peer: peerText(name, to.port), ...(own ? { own } : {}) });
    if (!means.ok) return stream.fail(means.error);
    const { engine, versions, policy } = means.value;
    const verify = ({ chain }: { chain: readonly Der[] }) => judge(stream, { service, chain, name, use }, policy);
    const secure = { versions, suites: policy.suites, serverName: name, verify, ...onSecret, ...(identity ? { identity } : {}) };
    return stream.over(engine.client(options.net.connect(to), secure));
  };

  /** One more at the door. Whoever stands there longest gives way: a handshake takes a fraction of a second, unless somebody only holds the place. */
  const admit = (stream: SecureStream): void => {
    accepting.add(stream);
    const [oldest] = accepting;
    if (accepting.size > MAX_ACCEPTING) oldest!.fail({ kind: 'full', detail: `more than ${MAX_ACCEPTING} TLS handshakes at once` });
  };

  const accept = (under: ByteStream, { service, client, peer }: SecureAcceptOptions): TlsStream => {
    const means = serverMeansOf(options, service);
    const about = { service, side: 'server', peer: 'a client' } as const;
    if (!means.ok) {
      under.abort();
      return new SecureStream(kernel, about).fail(means.error);
    }
    const { engine, versions, policy, identity } = means.value;
    const stream: SecureStream = new SecureStream(kernel, { ...about, onSettled: () => accepting.delete(stream) });
    admit(stream);
    if (peer) stream.from(peer);
    const watched = watchOpen(under, (address) => stream.from(address));
    const verify = ({ chain }: { chain: readonly Der[] }) => judge(stream, { service, chain, use: 'talk' }, policy);
    // A client with several certificates chooses by the names of authorities; one that has another kind of certificate is told here.
    const issuers = client === 'no' ? {} : { issuers: store.issuers().slice(0, MAX_ISSUERS) };
    return stream.over(engine.server(watched, { versions, suites: policy.suites, identity, client, verify, ...issuers, ...onSecret }));
  };
  return { connect, accept };
}

/** What this board, this firmware and these settings give a connection. */
interface Means {
  engine: TlsEngine;
  policy: TlsPolicy;
  versions: TlsPolicy['versions'];
}

function meansOf(options: SecureStreamsOptions): Result<Means, HalError> {
  const { tls: engine } = options;
  const policy = options.policy();
  if (!engine || !policy) return fail('unsupported', 'this board, or its firmware, has no TLS');
  const versions = versionsOf(policy.versions, engine.versions);
  if (!versions) return fail('unsupported', `the TLS engine has none of the versions ${policy.versions.min} to ${policy.versions.max}`);
  return ok({ engine, policy, versions });
}

function serverMeansOf(options: SecureStreamsOptions, service: TlsService): Result<Means & { identity: TlsIdentity }, HalError> {
  const means = meansOf(options);
  const identity = options.store.identity(service);
  if (!means.ok) return err(means.error);
  return identity ? ok({ ...means.value, identity }) : fail('unsupported', `there is no certificate for the service ${service}`);
}

/** The same stream; `onOpen` is told who is at the other end. */
function watchOpen(stream: ByteStream, onOpen: (peer: SocketAddress) => void): ByteStream {
  return {
    onEvent: (listener) =>
      stream.onEvent((event) => {
        if (event.type === 'open') onOpen(event.peer);
        listener(event);
      }),
    write: (bytes) => stream.write(bytes),
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    end: () => stream.end(),
    abort: () => stream.abort(),
  };
}

function leafOf({ chain }: TlsIdentity): Certificate | undefined {
  const leaf = chain[0] && readCertificate(chain[0]);
  return leaf?.ok ? leaf.value : undefined;
}
