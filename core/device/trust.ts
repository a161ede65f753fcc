/** Whom the device trusts and who it is: its certificates, and the secure streams that go by them and by its settings. */
import type { Hal } from '../../hal/hal.js';
import { readCertificate } from '../certs/certificate.codec.js';
import { commonName } from '../certs/name.codec.js';
import { type CertificateStore, createCertificateStore } from '../certs/store.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Settings } from '../settings/settings.js';
import { createSecureStreams } from '../tls/create-secure-streams.js';
import type { SecureStreams } from '../tls/secure-streams.js';
import { tlsPolicyOf } from './configuration.js';
import type { DeviceStorage } from './device-storage.js';

export interface TrustOptions {
  kernel: Kernel;
  hal: Pick<Hal, 'net' | 'crypto' | 'tls'>;
  storage: DeviceStorage;
  /** The present ones: asked for each connection. */
  settings(): Settings;
  onSecret?(line: string): void;
}

export interface Trust {
  certificates: CertificateStore;
  secure: SecureStreams;
}

export function createTrust({ kernel, hal, storage, settings, onSecret }: TrustOptions): Trust {
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
    ...(tls ? { tls } : {}),
    ...(onSecret ? { onSecret } : {}),
  });
  return { certificates, secure };
}

/** CN of the certificate shown to provisioning servers; blank where there is none. */
export function identityName(certificates: CertificateStore): string {
  const leaf = certificates.identity('provisioning')?.chain[0];
  const read = leaf && readCertificate(leaf);
  return read?.ok ? (commonName(read.value.subject) ?? read.value.subject.text) : '';
}
