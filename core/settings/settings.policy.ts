/** Whether a device can do what its settings ask for. Asked before anything is stored: a setting that fails in silence is worse than an error. */
import { lackOf } from '../device/features.js';
import { CONF_LIMITS, isConfKey, isConfValue } from './conf.codec.js';
import { findSetting, isSecret } from './registry.js';
import type { Settings } from './settings.js';

/** The fields of the event `settings.refused`. */
export interface SettingRefusal {
  key: string;
  /** Masked where it is a secret. */
  value: string;
  board: string;
  firmware: string;
  detail: string;
  mend: string;
}

/** Every value that was given and cannot be honoured, in the order of the keys; empty where the settings are good as a whole. */
export function checkSettings(settings: Settings): readonly SettingRefusal[] {
  return settings.given().flatMap((key) => {
    const value = settings.text(key);
    const problem = problemOf(settings, key, value);
    return problem ? [refusal(settings, key, value, problem)] : [];
  });
}

/** A refusal of a value that came from elsewhere than a settings file, such as a server named by DHCP. */
export function refusal(settings: Settings, key: string, value: string, problem: { detail: string; mend: string }): SettingRefusal {
  const { board, features } = settings.owner;
  return { key, value: isSecret(key) ? '***' : value, board: board.id, firmware: features.firmware, ...problem };
}

function problemOf(settings: Settings, key: string, value: string): { detail: string; mend: string } | undefined {
  if (!isConfKey(key) || !isConfValue(value)) {
    return { detail: 'a settings file cannot carry it', mend: `use one line of at most ${CONF_LIMITS.value} characters` };
  }
  const known = findSetting(key);
  if (!known) return undefined;
  const read = known.read(value);
  // Null is a legitimate value of every key and means its default.
  if (!read.ok && value !== '') return { detail: `${key} takes ${read.error}`, mend: `set ${key} to ${read.error}` };
  if (!known.needs?.when(value)) return undefined;
  const { board, features } = settings.owner;
  return lackOf(board, features.firmware, known.needs.feature);
}
