/** Whom the device trusts and who it is: its certificates, and the secure streams that go by them and by its settings. */
import type { Der, Hal, UnixMillis, Verdict } from '../../hal/hal.js';
import { readCertificate } from '../certs/certificate.codec.js';
import { ExpiryWatch } from '../certs/expiry-watch.js';
import { commonName } from '../certs/name.codec.js';
import { type CertificateStore, createCertificateStore } from '../certs/store.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Settings } from '../settings/settings.js';
import { createSecureStreams } from '../tls/create-secure-streams.js';
import type { SecureStreams } from '../tls/secure-streams.js';
import { judgePeer } from '../tls/tls.policy.js';
import { tlsPolicyOf } from './configuration.js';
import { createDeviceFiles, type DeviceFiles } from './device-files.js';
import type { DeviceStorage } from './device-storage.js';
import { lackOf } from './features.js';

export interface TrustOptions {
  kernel: Kernel;
  hal: Pick<Hal, 'net' | 'crypto' | 'tls'>;
  storage: DeviceStorage;
  /** The present ones: asked for each connection. */
  settings(): Settings;
  /** A peer's certificates show that it is `at` or later. */
  onProven(at: UnixMillis): void;
  onSecret?(line: string): void;
}

export interface Trust {
  certificates: CertificateStore;
  files: DeviceFiles;
  expiry: ExpiryWatch;
  secure: SecureStreams;
  /** Whether a provisioning server with this chain is to be trusted at that time, whatever the clock says now. */
  judgeAt(chain: readonly Der[], name: string, at: UnixMillis): Verdict;
}

export function createTrust({ kernel, hal, storage, settings, onProven, onSecret }: TrustOptions): Trust {
  const { net, crypto, tls } = hal;
  const certificates = createCertificateStore({
    files: storage.certs,
    factory: storage.factory,
    crypto,
    emit: kernel.emit,
    features: settings().owner.features,
  });
  const secure = createSecureStreams({
    kernel,
    net,
    crypto,
    store: certificates,
    policy: () => tlsPolicyOf(settings()),
    onProven,
    ...(tls ? { tls } : {}),
    ...(onSecret ? { onSecret } : {}),
  });
  const expiry = new ExpiryWatch(kernel, certificates);
  const { board, features } = settings().owner;
  const files = createDeviceFiles({
    kernel,
    storage,
    certificates,
    lack: (feature) => lackOf(board, features.firmware, feature),
    changed: () => expiry.look(),
  });
  const judgeAt: Trust['judgeAt'] = (chain, name, at) => {
    const peer = { service: 'provisioning', chain, name, use: 'date', validate: true, sipWildcards: false } as const;
    return judgePeer({ ...peer, wall: { at, trust: 'network' }, anchors: certificates.anchors, crypto }).verdict;
  };
  return { certificates, files, expiry, secure, judgeAt };
}

/** CN of the certificate shown to provisioning servers; blank where there is none. */
export function identityName(certificates: CertificateStore): string {
  const leaf = certificates.identity('provisioning')?.chain[0];
  const read = leaf && readCertificate(leaf);
  return read?.ok ? (commonName(read.value.subject) ?? read.value.subject.text) : '';
}
