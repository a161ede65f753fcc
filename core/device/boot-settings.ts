/** The settings a device boots with: both layers from flash, less what this board and firmware cannot do. */
import type { BoardProfile } from '../../hal/board.js';
import type { Emit } from '../kernel/events.js';
import { decodeConf } from '../settings/conf.codec.js';
import { Settings } from '../settings/settings.js';
import { checkSettings } from '../settings/settings.policy.js';
import { type DeviceStorage, LOCAL_SETTINGS, PROVISIONED_SETTINGS } from './device-storage.js';
import { featuresOf } from './features.js';

/**
 * A value that cannot be honoured is reported and does not count: the file keeps it, and the default serves in its place. That is so when
 * an image is put on another board, or a firmware is replaced by an older one.
 */
export function bootSettings(storage: DeviceStorage, board: BoardProfile, firmware: string, emit: Emit): Settings {
  const layer = (path: string): ReadonlyMap<string, string> => {
    const { values, problems } = decodeConf(storage.config.read(path) ?? new Uint8Array(0));
    for (const { line, detail } of problems) emit('settings.unreadable', { file: path, line, detail });
    return values;
  };
  const stored = new Settings(
    { board, features: featuresOf(board, firmware), mac: storage.factory.mac },
    { provisioned: layer(PROVISIONED_SETTINGS), local: layer(LOCAL_SETTINGS) },
  );
  const refusals = checkSettings(stored);
  for (const refusal of refusals) emit('settings.refused', refusal);
  const refused = new Set(refusals.map(({ key }) => key));
  const without = (values: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
    new Map([...values].filter(([key]) => !refused.has(key)));
  return refused.size === 0
    ? stored
    : new Settings(stored.owner, { provisioned: without(stored.layers.provisioned), local: without(stored.layers.local) });
}
