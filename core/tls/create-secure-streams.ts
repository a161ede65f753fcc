/** Makes `SecureStreams` over the TLS engine: which identity and versions, who is asked for a verdict, and how many strangers at once. */
import { err, fail, ok } from '../../hal/base/result.js';
import type { ByteStream, Crypto, Der, HalError, Net, Result, SocketAddress, TlsEngine, TlsIdentity, TlsStream } from '../../hal/hal.js';
import { type Certificate, readCertificate } from '../certs/certificate.codec.js';
import type { CertificateStore } from '../certs/store.js';
import type { TlsService } from '../kernel/events.js';
import type { Kernel } from '../kernel/kernel.js';
import { peerText, SecureStream } from './secure-stream.js';
import type { SecureAcceptOptions, SecureConnectOptions, SecureStreams } from './secure-streams.js';
import { type Judgement, judgePeer, type TlsPolicy, versionsOf } from './tls.policy.js';

export interface SecureStreamsOptions {
  kernel: Kernel;
  net: Pick<Net, 'connect'>;
  /** Absent where the board has no TLS. */
  tls?: TlsEngine;
  crypto: Pick<Crypto, 'verify'>;
  store: CertificateStore;
  /** Asked for each connection, so that a changed setting holds for the next; undefined where the firmware has no TLS. */
  policy(): TlsPolicy | undefined;
  /** Lines of an NSS key log, for captures. */
  onSecret?(line: string): void;
}

/** Ours: handshakes of strangers at our ports at one time; each costs a private-key operation. */
const MAX_ACCEPTING = 16;

export function createSecureStreams(options: SecureStreamsOptions): SecureStreams {
  const { kernel, store, crypto } = options;
  const onSecret = options.onSecret ? { onSecret: options.onSecret } : {};
  let accepting = 0;

  const judge = (service: TlsService, chain: readonly Der[], validate: boolean, name?: string): Judgement =>
    judgePeer({ service, chain, validate, wall: kernel.wall(), anchors: store.anchors, crypto, ...(name === undefined ? {} : { name }) });

  const connect = ({ service, to, name }: SecureConnectOptions): TlsStream => {
    const means = meansOf(options);
    const identity = store.identity(service);
    const own = identity && leafOf(identity);
    const stream = new SecureStream(kernel, { service, side: 'client', peer: peerText(name, to.port), ...(own ? { own } : {}) });
    if (!means.ok) return stream.fail(means.error);
    const { engine, versions, policy } = means.value;
    const verify = ({ chain }: { chain: readonly Der[] }) => stream.judged(judge(service, chain, policy.validate[service], name));
    const secure = { versions, serverName: name, verify, ...onSecret, ...(identity ? { identity } : {}) };
    return stream.over(engine.client(options.net.connect(to), secure));
  };

  const accept = (under: ByteStream, { service, client, peer }: SecureAcceptOptions): TlsStream => {
    const means = accepting < MAX_ACCEPTING ? serverMeansOf(options, service) : fail('full', `${MAX_ACCEPTING} TLS handshakes at once`);
    const about = { service, side: 'server', peer: 'a client' } as const;
    if (!means.ok) {
      under.abort();
      return new SecureStream(kernel, about).fail(means.error);
    }
    const { engine, versions, identity } = means.value;
    accepting++;
    const stream = new SecureStream(kernel, { ...about, onSettled: () => accepting-- });
    if (peer) stream.from(peer);
    const watched = watchOpen(under, (address) => stream.from(address));
    // A client that shows a certificate is judged by it, whether or not it had to show one.
    const verify = ({ chain }: { chain: readonly Der[] }) => stream.judged(judge(service, chain, true));
    return stream.over(engine.server(watched, { versions, identity, client, verify, ...onSecret }));
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
