/** Whether a device can do what its settings ask for. Asked before anything is stored: a setting that fails in silence is worse than an error. */
import { lackOf } from '../device/features.js';
import { withoutSecrets } from '../http/url.js';
import { CONF_LIMITS, isConfKey, isConfValue } from './conf.codec.js';
import { isSecret, REGISTRY } from './registry.js';
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
  return { key, value: shown(key, value), board: board.id, firmware: features.firmware, ...problem };
}

const shown = (key: string, value: string): string => (isSecret(key) ? '***' : value.includes('://') ? withoutSecrets(value) : value);

function problemOf(settings: Settings, key: string, value: string): { detail: string; mend: string } | undefined {
  if (!isConfKey(key) || !isConfValue(value)) {
    return { detail: 'a settings file cannot carry it', mend: `use one line of at most ${CONF_LIMITS.value} characters` };
  }
  const setting = REGISTRY.get(key);
  if (!setting) return undefined;
  const { board, features } = settings.owner;
  // Also where the board lacks the key: a wish for TLS that is merely not known would be a failure in silence.
  const lack = setting.needs?.when(value) ? lackOf(board, features.firmware, setting.needs.feature) : undefined;
  if (lack) return lack;
  const read = setting.read(value);
  // Null is a legitimate value of every key and means its default.
  const readable = read.ok || value === '' || !settings.knows(key);
  return readable ? undefined : { detail: `${key} takes ${read.error}`, mend: `set ${key} to ${read.error}` };
}

/** Of keys that this board lacks: which one it has in their place, or which boards have them. Undefined where all are known nowhere. */
export function otherBoards(keys: readonly string[]): string | undefined {
  const renamed = keys.flatMap((key) => {
    const counterpart = REGISTRY.get(key)?.counterpart;
    return counterpart === undefined ? [] : [`${key} is ${counterpart} here`];
  });
  const groups = new Map<string, string[]>();
  for (const key of keys) {
    const { on, counterpart } = REGISTRY.get(key) ?? {};
    if (on && counterpart === undefined) groups.set(on.name, [...(groups.get(on.name) ?? []), key]);
  }
  const elsewhere = Array.from(groups, ([group, members]) => `${group} have ${members.join(', ')}`);
  return [...renamed, ...elsewhere].join('; ') || undefined;
}
