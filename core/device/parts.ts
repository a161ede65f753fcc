/** What a device is made of once its flash has been read: put together in one place, taken apart by nobody. */
import type { Hal } from '../../hal/hal.js';
import type { Kernel } from '../kernel/kernel.js';
import type { ProvisioningDeps, ProvisioningNotice } from '../provisioning/provisioning.machine.js';
import { provisioningDeps } from '../provisioning/provisioning-deps.js';
import { ProvisioningRecord } from '../provisioning/record.js';
import { type Serving, Trial } from '../provisioning/trial.js';
import { beginTime } from '../time/begin-time.js';
import type { DeviceClock } from '../time/device-clock.js';
import type { LastKnownTime } from '../time/last-known-time.js';
import { bootSettings } from './boot-settings.js';
import { userAgent } from './configuration.js';
import type { DeviceStorage } from './device-storage.js';
import type { EndpointOptions } from './endpoint.js';
import { PresentSettings } from './present-settings.js';
import { createTrust, identityName, type Trust } from './trust.js';

export interface PartsOptions {
  kernel: Kernel;
  /** Its callbacks are turns (`turnedHal`). */
  hal: Hal;
  clock: DeviceClock;
  endpoint: EndpointOptions;
  /** Undefined while nothing is served. */
  serving(): Serving | undefined;
}

export interface Parts extends Trust {
  storage: DeviceStorage;
  present: PresentSettings;
  time: LastKnownTime;
  record: ProvisioningRecord;
  trial: Trial;
}

export function createParts({ kernel, hal, clock, endpoint, serving }: PartsOptions, storage: DeviceStorage): Parts {
  const { board, firmware, built, onSecret } = endpoint;
  const time = beginTime({ kernel, clock, store: storage.config, ...(built === undefined ? {} : { built }) });
  const present = new PresentSettings(bootSettings(storage, board, firmware, kernel.emit), kernel.emit);
  const settings = () => present.settings;
  const trust = createTrust({
    ...{ kernel, hal, storage, settings, onProven: (at) => time.proven(at) },
    ...(onSecret ? { onSecret } : {}),
  });
  const record = new ProvisioningRecord(storage.config);
  const trial = new Trial({ kernel, crypto: hal.crypto, record, settings, serving, linkUp: () => hal.nic.link().up });
  return { storage, present, time, record, trial, ...trust };
}

export function partsProvisioning(
  { kernel, hal, endpoint }: PartsOptions,
  { present, certificates, secure, record, trial, time, judgeAt }: Parts,
  notify: (notice: ProvisioningNotice) => void,
): ProvisioningDeps {
  const { net, crypto, entropy, nic } = hal;
  return provisioningDeps({
    ...{ kernel, net, secure, crypto, entropy, record, trial, notify },
    userAgent: userAgent(present.settings),
    settings: () => present.settings,
    lease: () => nic.lease(),
    ...(endpoint.provision === undefined ? {} : { override: endpoint.provision }),
    clientCertificate: () => identityName(certificates),
    onDate: (name, chain, at) => time.heard(at, () => judgeAt(chain, name, at).ok),
    apply: (provisioned) => present.apply(provisioned),
  });
}
