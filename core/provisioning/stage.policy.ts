/** Fetched files made into settings, and judged as a whole before any of it counts. */
import { type ConfValues, decodeConf, encodeConf } from '../settings/conf.codec.js';
import { changedKeys, type Settings } from '../settings/settings.js';
import { checkSettings, type SettingRefusal } from '../settings/settings.policy.js';
import type { ProvisioningFailure } from './failure.js';

export interface FetchedFile {
  name: string;
  bytes: Uint8Array;
}

export type Staged =
  | { type: 'changed'; settings: Settings; changed: readonly string[] }
  | { type: 'unchanged' }
  /** They were rolled back before. */
  | { type: 'rejected'; failure: ProvisioningFailure }
  /** The device cannot do what some of the values ask for. */
  | { type: 'refused'; refusals: readonly SettingRefusal[]; failure: ProvisioningFailure }
  | { type: 'failed'; failure: ProvisioningFailure };

/** What fetched files are measured by. */
export interface StageGround {
  present: Settings;
  /** The provisioned layer as it lies on the flash, with what this firmware cannot honour too. */
  stored: ConfValues;
  /** Whether these were rolled back. */
  isRejected(values: ConfValues): boolean;
}

/** `files` in their order: later keys win. */
export function stageFiles({ present, stored, isRejected }: StageGround, files: readonly FetchedFile[]): Staged {
  const merged = new Map<string, string>();
  for (const file of files) {
    const { values, problems } = decodeConf(file.bytes);
    const [problem] = problems;
    if (problem) {
      const detail = `${file.name}, line ${problem.line}: ${problem.detail}`;
      return { type: 'failed', failure: settingsFailure(detail, 'correct the line: none of the file counts before') };
    }
    for (const [key, value] of values) merged.set(key, value);
  }
  // They are kept as one file: what a boot could not read back would be lost there, and the server would say that nothing has changed.
  const [unfit] = decodeConf(encodeConf(merged)).problems;
  if (unfit) return { type: 'failed', failure: settingsFailure(`taken together, ${unfit.detail}`, 'leave out what has its default') };
  if (sameValues(stored, merged)) return { type: 'unchanged' };
  if (isRejected(merged)) return REJECTED;
  const settings = present.withProvisioned(merged);
  // A local value that the device cannot honour is not the server's fault.
  const refusals = checkSettings(settings).filter(({ key }) => settings.origin(key) === 'provisioned');
  const [first] = refusals;
  if (first) {
    const more = refusals.length > 1 ? ` (and ${refusals.length - 1} more)` : '';
    return { type: 'refused', refusals, failure: settingsFailure(`${first.key}: ${first.detail}${more}`, first.mend) };
  }
  return { type: 'changed', settings, changed: changedKeys(present, settings) };
}

/** What the server has is what was rolled back. */
export const REJECTED: Staged = {
  type: 'rejected',
  failure: {
    stage: 'confirm',
    kind: 'refused',
    detail: 'the server still has the settings that were rolled back, because no account registered with them',
    mend: 'correct them on the server: they are taken again when they have changed',
  },
};

const sameValues = (a: ConfValues, b: ConfValues): boolean => a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);

const settingsFailure = (detail: string, mend: string): ProvisioningFailure => ({ stage: 'settings', kind: 'unsupported', detail, mend });
