/** What the provisioning machine needs, made of the device's parts: one call wires it. */
import { hex } from '../../hal/base/bytes.js';
import { fraction } from '../../hal/base/fraction.js';
import { err, invariant, ok } from '../../hal/base/result.js';
import type { HalError, Lease, Result } from '../../hal/hal.js';
import { type ConfValues, decodeConf, encodeConf } from '../settings/conf.codec.js';
import { changedKeys, type Settings } from '../settings/settings.js';
import { type DownloadPorts, type DownloadRequest, download } from './download.js';
import type { ProvisioningFailure } from './failure.js';
import { planFiles } from './file-plan.js';
import type { ProvisioningDeps, ProvisioningNotice, ProvisioningRun } from './provisioning.machine.js';
import type { ProvisioningRecord } from './record.js';
import { requestPause } from './retry.policy.js';
import { awaitSync } from './schedule.js';
import { syncWindow } from './schedule.policy.js';
import { chooseServer, serverText } from './server.policy.js';
import { REJECTED, stageFiles } from './stage.policy.js';
import type { Trial } from './trial.js';

export interface ProvisioningOptions extends DownloadPorts {
  record: ProvisioningRecord;
  trial: Trial;
  settings(): Settings;
  lease(): Lease | undefined;
  /** `--provision URL`: takes the place of DHCP option 66. */
  override?: string;
  /** Name of the certificate that this device shows when a server asks for one; blank where it has none. */
  clientCertificate(): string;
  /** Puts a provisioned layer that is durable in force; the keys whose effective value changed. */
  apply(provisioned: ConfValues): readonly string[];
  notify(notice: ProvisioningNotice): void;
}

export function provisioningDeps(options: ProvisioningOptions): ProvisioningDeps {
  const { kernel, entropy, record, trial, settings } = options;
  const choose = () =>
    chooseServer({
      settings: settings(),
      options: options.lease()?.options ?? new Map(),
      ...(options.override === undefined ? {} : { override: options.override }),
    });
  const random = () => fraction(entropy);
  return {
    resume: () => resume(options),
    chooseServer: choose,
    reportRequested: (by) => kernel.emit('provisioning.requested', { by }),
    reportStarted: (choice) => {
      if (choice.type === 'server') kernel.emit('provisioning.started', { server: serverText(choice), method: choice.from });
    },
    download: (choice, attempt, done) => {
      invariant(choice.type === 'server', 'a download has a server');
      const known = record.state.validators;
      return download(options, { ...requestOf(settings()), folder: choice.url, attempt, pause: requestPause(attempt), known }, done);
    },
    stage: (downloaded) => {
      const { rejected } = record.state;
      if (downloaded.unchanged) return rejected === undefined ? { type: 'unchanged' } : REJECTED;
      const isRejected = (values: ConfValues): boolean => digest(options, encodeConf(values)) === rejected;
      return stageFiles({ present: settings(), stored: decodeConf(record.stored).values, isRejected }, downloaded.files);
    },
    commit: (run, done) => commit(options, run, done),
    apply: (run) => apply(options, run),
    trial: () => record.state.unfinished?.within ?? 0,
    keep: ({ choice, downloaded }) => {
      const { unfinished, validators } = record.state;
      record.write({ validators: downloaded?.validators ?? validators, ...(unfinished ? { unfinished } : {}) }, undefined, () => undefined);
      kernel.emit('provisioning.unchanged', { server: serverText(choice) });
    },
    reportFailed: (choice, staged, failure) => {
      const refusals = choice.type === 'refused' ? [choice.refusal] : staged?.type === 'refused' ? staged.refusals : [];
      for (const refusal of refusals) kernel.emit('settings.refused', refusal);
      const { stage, kind, detail, mend } = failure;
      kernel.emit('provisioning.failed', { server: serverText(choice), stage, kind, detail, mend });
    },
    rollBack: (done) => rollBack(options, done),
    schedule: (due) => {
      const window = syncWindow(settings());
      return window ? awaitSync(kernel, window, random, due) : () => undefined;
    },
    random,
    now: () => kernel.now(),
    confirm: trial,
    notify: (notice) => options.notify(notice),
  };
}

type Committed = (result: Result<void, ProvisioningFailure>) => void;

function requestOf(settings: Settings): Pick<DownloadRequest, 'plan' | 'md5' | 'credentials'> {
  const { board, mac } = settings.owner;
  const [user, password] = [settings.text('prov.auth.user'), settings.text('prov.auth.pwd')];
  return {
    plan: planFiles(board, mac, settings.get('prov.i')),
    md5: settings.get('prov.md5'),
    ...(user === '' ? {} : { credentials: { user, password } }),
  };
}

/** Settings, what they came from, and what returns if they do not prove themselves: one transaction. */
function commit({ record, trial, settings }: ProvisioningOptions, { choice, downloaded, staged }: ProvisioningRun, done: Committed): void {
  invariant(downloaded !== undefined && staged?.type === 'changed', 'a commit has new settings');
  const { unfinished } = record.state;
  // While a configuration is on trial, the last good one is that from before it.
  const good = unfinished && unfinished.within > 0 ? unfinished.good : record.stored;
  const within = trial.timeFor(staged.settings, settings().withProvisioned(decodeConf(good).values));
  const next = { server: serverText(choice), files: downloaded.files.map(({ name }) => name), within, good };
  record.write({ validators: downloaded.validators, unfinished: next }, encodeConf(staged.settings.layers.provisioned), (result) =>
    done(result.ok ? ok(undefined) : err(storageFailure(result.error))),
  );
}

function apply(options: ProvisioningOptions, { staged }: ProvisioningRun): void {
  invariant(staged?.type === 'changed', 'new settings are applied');
  const keys = options.apply(staged.settings.layers.provisioned);
  reportApplied(options, keys);
  options.notify({ type: 'configuration.changed', keys });
}

/** Power failed after the commit and before the report, or within a trial: at this boot the configuration counts, and that is said. */
function resume(options: ProvisioningOptions): void {
  const { record, settings } = options;
  const { unfinished } = record.state;
  if (!unfinished) return;
  const good = settings().withProvisioned(decodeConf(unfinished.good).values);
  reportApplied(options, changedKeys(good, settings()));
}

function reportApplied({ kernel, record, clientCertificate }: ProvisioningOptions, changed: readonly string[]): void {
  const { unfinished } = record.state;
  invariant(unfinished !== undefined, 'what is applied is not final yet');
  const { server, files, within } = unfinished;
  kernel.emit('provisioning.applied', {
    server,
    files,
    changed,
    clientCertificate: server.startsWith('https:') ? clientCertificate() : '',
  });
  if (within === 0) record.finish();
}

function rollBack(options: ProvisioningOptions, done: Committed): void {
  const { kernel, record, trial } = options;
  const { unfinished, validators } = record.state;
  invariant(unfinished !== undefined, 'only what is on trial is rolled back');
  const { server, within, good } = unfinished;
  const detail = trial.verdict(within);
  record.write({ validators, rejected: digest(options, record.stored) }, good, (result) => {
    if (!result.ok) return done(err(storageFailure(result.error)));
    const keys = options.apply(decodeConf(good).values);
    const mend = 'correct these keys on the server; where no registration is wanted, set prov.confirm = 0 there';
    kernel.emit('provisioning.rolled-back', { server, keys, detail, mend });
    options.notify({ type: 'configuration.changed', keys });
    done(ok(undefined));
  });
}

const digest = ({ crypto }: ProvisioningOptions, bytes: Uint8Array): string => hex(crypto.digest('sha256', bytes));

const storageFailure = (error: HalError): ProvisioningFailure => ({
  stage: 'storage',
  ...error,
  mend: error.kind === 'full' ? 'shorten the settings files: they do not fit the flash' : 'replace the unit if its flash fails again',
});
