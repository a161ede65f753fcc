/** The settings a device boots with: both layers from flash, less what this board and firmware cannot do. */
import { EMPTY } from '../../hal/base/bytes.js';
import type { BoardProfile } from '../../hal/board.js';
import type { Emit } from '../kernel/events.js';
import { type ConfValues, decodeConf } from '../settings/conf.codec.js';
import { type SettingLayers, Settings } from '../settings/settings.js';
import { checkSettings, otherBoards } from '../settings/settings.policy.js';
import { type DeviceStorage, LOCAL_SETTINGS, PROVISIONED_SETTINGS } from './device-storage.js';
import { featuresOf } from './features.js';

export function bootSettings(storage: DeviceStorage, board: BoardProfile, firmware: string, emit: Emit): Settings {
  const layer = (path: string): ConfValues => {
    const { values, problems } = decodeConf(storage.config.read(path) ?? EMPTY);
    for (const { line, detail } of problems) emit('settings.unreadable', { file: path, line, detail });
    return values;
  };
  const stored = new Settings(
    { board, features: featuresOf(board, firmware), mac: storage.factory.mac },
    { provisioned: layer(PROVISIONED_SETTINGS), local: layer(LOCAL_SETTINGS) },
  );
  for (const by of ['provisioned', 'local'] as const) reportIdle(by, stored, emit);
  return honourable(stored, emit);
}

/**
 * A value that cannot be honoured is reported and does not count: the file keeps it, and the default serves in its place. That is so when
 * an image is put on another board, or a firmware is replaced by an older one.
 */
export function honourable(stored: Settings, emit: Emit): Settings {
  const refusals = checkSettings(stored);
  for (const refusal of refusals) emit('settings.refused', refusal);
  const refused = new Set(refusals.map(({ key }) => key));
  const without = (values: ConfValues): ConfValues => new Map([...values].filter(([key]) => !refused.has(key)));
  return refused.size === 0
    ? stored
    : new Settings(stored.owner, { provisioned: without(stored.layers.provisioned), local: without(stored.layers.local) });
}

/** Keys of a layer that change nothing: those that this firmware does not know or this board lacks, and those that are stored for later. */
export function reportIdle(by: keyof SettingLayers, settings: Settings, emit: Emit): void {
  const ofLayer = (keys: readonly string[]): readonly string[] => keys.filter((key) => settings.layers[by].has(key));
  const unknown = ofLayer(settings.unknown());
  if (unknown.length > 0) {
    const detail = otherBoards(unknown);
    emit('settings.unknown', { by, keys: unknown, ...(detail === undefined ? {} : { detail }) });
  }
  const stored = ofLayer(settings.stored());
  if (stored.length > 0) emit('settings.stored', { by, keys: stored });
}
