/** What a device reads from its flash at boot: the identity from manufacture, the settings, the certificates. */
import { ok } from '../../hal/base/result.js';
import type { Done, Flash } from '../../hal/hal.js';
import type { Emit } from '../kernel/events.js';
import type { FactoryContent } from '../storage/factory.codec.js';
import { readFactory } from '../storage/factory.js';
import { type FileStore, mountFileStore } from '../storage/file-store.js';
import { finishReset, isResetting } from './factory-reset.js';

export interface DeviceStorage {
  factory: FactoryContent;
  /** Settings, by layer. */
  config: FileStore;
  /** `certs/trusted/…`, `certs/sipclient.pem`, `certs/httpd.pem`. */
  certs: FileStore;
}

/** Files of the `config` partition, one a layer of settings. */
export const PROVISIONED_SETTINGS = 'settings/provisioned.conf';
export const LOCAL_SETTINGS = 'settings/local.conf';

/** The store that a path belongs to: the folder `certs` has a partition of its own. */
export const storeOf = (storage: Pick<DeviceStorage, 'config' | 'certs'>, path: string): FileStore =>
  path.startsWith('certs/') ? storage.certs : storage.config;

/** Fails as the part that could not be read does; a device without its factory record has no identity and does not boot. */
export function mountDevice(flash: Flash, emit: Emit, done: Done<DeviceStorage>): void {
  readFactory(flash, (factory, at) => {
    if (!factory.ok) return done(factory, at);
    // Both hold secrets: content that is replaced leaves the chip.
    mountFileStore({ flash, partition: 'config', scrub: true, emit }, (config, atConfig) => {
      if (!config.ok) return done(config, atConfig);
      mountFileStore({ flash, partition: 'certs', scrub: true, emit }, (certs, atCerts) => {
        if (!certs.ok) return done(certs, atCerts);
        const storage: DeviceStorage = { factory: factory.value, config: config.value, certs: certs.value };
        if (!isResetting(storage)) return done(ok(storage), atCerts);
        finishReset(storage, (reset, atEnd) => {
          if (!reset.ok) return done(reset, atEnd);
          emit('device.reset', { erased: reset.value });
          done(ok(storage), atEnd);
        });
      });
    });
  });
}
