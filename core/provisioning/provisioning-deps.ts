/** What the provisioning machine needs, made of the device's parts: one call wires it. */
import { err, invariant, ok } from '../../hal/base/result.js';
import type { Done, Entropy, HalError, Lease } from '../../hal/hal.js';
import { encodeConf } from '../settings/conf.codec.js';
import type { Settings } from '../settings/settings.js';
import { type DownloadPorts, type DownloadRequest, download } from './download.js';
import type { ProvisioningFailure } from './failure.js';
import { planFiles } from './file-plan.js';
import type { ProvisioningDeps, ProvisioningNotice } from './provisioning.machine.js';
import { chooseServer, serverText } from './server.policy.js';
import { stageFiles } from './stage.policy.js';

export interface ProvisioningOptions extends DownloadPorts {
  settings(): Settings;
  lease(): Lease | undefined;
  /** `--provision URL`: takes the place of DHCP option 66. */
  override?: string;
  /** Name of the certificate that this device shows when a server asks for one; blank where it has none. */
  clientCertificate(): string;
  /** Makes the provisioned layer durable: the octets of a settings file. */
  save(provisioned: Uint8Array, done: Done<void>): void;
  /** Called when they are durable, before the notice of the change. */
  apply(settings: Settings): void;
  notify(notice: ProvisioningNotice): void;
}

export function provisioningDeps(options: ProvisioningOptions): ProvisioningDeps {
  const { kernel } = options;
  return {
    chooseServer: () =>
      chooseServer({
        settings: options.settings(),
        options: options.lease()?.options ?? new Map(),
        ...(options.override === undefined ? {} : { override: options.override }),
      }),
    reportStarted: (choice) => {
      if (choice.type === 'server') kernel.emit('provisioning.started', { server: serverText(choice), method: choice.from });
    },
    download: (choice, attempt, done) => {
      invariant(choice.type === 'server', 'a download has a server');
      const settings = options.settings();
      const { board, mac } = settings.owner;
      const [user, password] = [settings.text('prov.auth.user'), settings.text('prov.auth.pwd')];
      const request: DownloadRequest = {
        folder: choice.url,
        plan: planFiles(board, mac, settings.get('prov.i')),
        attempt,
        pause: 0,
        md5: settings.get('prov.md5'),
        known: new Map(),
        ...(user === '' ? {} : { credentials: { user, password } }),
      };
      return download(options, request, (result) => done(result.ok ? ok(result.value.files) : result));
    },
    stage: (files) => stageFiles(options.settings(), files),
    commit: (settings, done) =>
      options.save(encodeConf(settings.layers.provisioned), (result) =>
        done(result.ok ? ok(undefined) : err(storageFailure(result.error))),
      ),
    apply: (choice, { settings, changed }, files) => {
      options.apply(settings);
      const secure = choice.type === 'server' && choice.url.scheme === 'https';
      kernel.emit('provisioning.applied', {
        server: serverText(choice),
        files: files.map(({ name }) => name),
        changed,
        clientCertificate: secure ? options.clientCertificate() : '',
      });
    },
    reportUnchanged: (choice) => kernel.emit('provisioning.unchanged', { server: serverText(choice) }),
    reportFailed: (choice, staged, failure) => {
      const refusals = choice.type === 'refused' ? [choice.refusal] : staged?.type === 'refused' ? staged.refusals : [];
      for (const refusal of refusals) kernel.emit('settings.refused', refusal);
      const { stage, kind, detail, mend } = failure;
      kernel.emit('provisioning.failed', { server: serverText(choice), stage, kind, detail, mend });
    },
    random: () => randomFraction(options.entropy),
    notify: (notice) => options.notify(notice),
  };
}

const storageFailure = (error: HalError): ProvisioningFailure => ({
  stage: 'storage',
  ...error,
  mend: error.kind === 'full' ? 'shorten the settings files: they do not fit the flash' : 'replace the unit if its flash fails again',
});

/** 24 bits of chance are enough to spread a fleet. */
function randomFraction(entropy: Entropy): number {
  const bytes = new Uint8Array(3);
  entropy.fill(bytes);
  return ((bytes[0]! << 16) | (bytes[1]! << 8) | bytes[2]!) / 0x1000000;
}
