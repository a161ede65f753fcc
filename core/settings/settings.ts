/** The settings of a device: default < provisioned < local, each value with its origin. Immutable; a change makes a new one. */
import { fromUtf8 } from '../../hal/base/bytes.js';
import { expectOk } from '../../hal/base/result.js';
import type { BoardProfile } from '../../hal/board.js';
import type { MacAddress } from '../../hal/hal.js';
import type { Features } from '../device/features.js';
import type { SettingOrigin } from '../kernel/events.js';
import { type ConfValues, encodeConf } from './conf.codec.js';
import { isSecret, REGISTRY, type SettingKey, type SettingValue } from './registry.js';
import type { Setting } from './setting.js';

/** The device that the settings are for. */
export interface SettingsOwner {
  board: BoardProfile;
  features: Features;
  mac: MacAddress;
}

export interface SettingLayers {
  provisioned: ConfValues;
  /** From the web interface, REST, or `--settings`; can be given back key by key. */
  local: ConfValues;
}

const NOTHING: ConfValues = new Map();

export class Settings {
  constructor(
    readonly owner: SettingsOwner,
    readonly layers: SettingLayers = { provisioned: NOTHING, local: NOTHING },
  ) {}

  /**
   * The value as its type. What was given counts as the default where this board lacks the key or the text cannot be read: `unknown` and
   * `checkSettings` tell. Keys that are merely stored cannot be asked for.
   */
  get<K extends SettingKey>(key: K): SettingValue<K> {
    const { read }: Setting = REGISTRY.get(key)!;
    const given = this.knows(key) ? read(this.text(key)) : undefined;
    return (given?.ok ? given.value : expectOk(read(expand(this.#default(key), this.owner.mac)), `default of ${key}`)) as SettingValue<K>;
  }

  /** Whether this firmware knows the key and this board has it. */
  knows(key: string): boolean {
    const setting = REGISTRY.get(key);
    return setting !== undefined && (setting.on?.has(this.owner.board) ?? true);
  }

  /** The value as text, `$MAC$` expanded; blank for a key that nobody gave. */
  text(key: string): string {
    return expand(this.raw(key), this.owner.mac);
  }

  /** The value as it was given. */
  raw(key: string): string {
    return this.layers.local.get(key) ?? this.layers.provisioned.get(key) ?? this.#default(key);
  }

  origin(key: string): SettingOrigin {
    return this.layers.local.has(key) ? 'local' : this.layers.provisioned.has(key) ? 'provisioned' : 'default';
  }

  withProvisioned(provisioned: ConfValues): Settings {
    return new Settings(this.owner, { ...this.layers, provisioned });
  }

  withLocal(local: ConfValues): Settings {
    return new Settings(this.owner, { ...this.layers, local });
  }

  /** Keys that someone gave a value, sorted. */
  given(): readonly string[] {
    return [...new Set([...this.layers.provisioned.keys(), ...this.layers.local.keys()])].sort();
  }

  /** Keys given that this firmware does not know, or this board lacks: kept, without effect. */
  unknown(): readonly string[] {
    return this.given().filter((key) => !this.knows(key));
  }

  /** Keys given that are known and kept while nothing acts on them, where the value asks for something: the default does not. */
  stored(): readonly string[] {
    return this.given().filter(
      (key) => this.knows(key) && REGISTRY.get(key)?.effect === 'stored' && !['', this.#default(key)].includes(this.raw(key)),
    );
  }

  /** A file with every key of this board, sorted, valid for provisioning another unit; without secrets on request, for showing to others. */
  export(options: { secrets: boolean }): string {
    const known = [...REGISTRY.keys()].filter((key) => this.knows(key));
    const keys = new Set([...known, ...this.given()]);
    const shown = [...keys].filter((key) => options.secrets || !isSecret(key));
    return fromUtf8(encodeConf(new Map(shown.map((key) => [key, this.raw(key)]))));
  }

  #default(key: string): string {
    const { board, features } = this.owner;
    const value = board.defaults?.[key] ?? REGISTRY.get(key)?.default ?? '';
    return typeof value === 'string' ? value : value(features);
  }
}

/** Keys whose effective value differs, sorted. */
export function changedKeys(before: Settings, after: Settings): readonly string[] {
  const keys = new Set([...before.given(), ...after.given()]);
  return [...keys].filter((key) => before.text(key) !== after.text(key)).sort();
}

/** Whether a change of these keys counts only after the services have started anew. */
export const needsRestart = (keys: readonly string[]): boolean => keys.some((key) => REGISTRY.get(key)?.needsRestart === true);

/** The macro of device names and paths: `pagingadapter-$MAC$`. */
const expand = (value: string, mac: MacAddress): string => value.replaceAll('$MAC$', mac);
