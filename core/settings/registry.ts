/**
 * Every setting that this firmware knows: one entry a key, in a room by its first word (`registry/`). Vendor key names and values are the
 * vendor's; where it is silent they are ours, and stand in `registry/ours.ts`. A key that is not here is kept, exported and reported.
 */
import { ADMIN_SETTINGS } from './registry/admin.js';
import { AUDIO_SETTINGS } from './registry/audio.js';
import { NETWORK_SETTINGS } from './registry/network.js';
import { OURS } from './registry/ours.js';
import { PROVISIONING_SETTINGS } from './registry/provisioning.js';
import { RING_EXTENSION_SETTINGS } from './registry/ring-extensions.js';
import { SIP_SETTINGS } from './registry/sip.js';
import type { Setting } from './setting.js';
import type { ReadValue } from './value-types.js';

const ROOMS = {
  ...ADMIN_SETTINGS,
  ...AUDIO_SETTINGS,
  ...NETWORK_SETTINGS,
  ...OURS,
  ...PROVISIONING_SETTINGS,
  ...SIP_SETTINGS,
};
type Rooms = typeof ROOMS;

/** The keys that something acts on. */
export type SettingKey = { [K in keyof Rooms]: Rooms[K] extends { effect: 'stored' } ? never : K }[keyof Rooms];
export type SettingValue<K extends SettingKey> = Rooms[K]['read'] extends ReadValue<infer T> ? T : never;

/** By key, sorted. */
export const REGISTRY: ReadonlyMap<string, Setting> = new Map<string, Setting>(
  [...Object.entries(ROOMS), ...RING_EXTENSION_SETTINGS].sort(([a], [b]) => (a < b ? -1 : 1)),
);

/** Also for keys that this firmware does not know: a password is one wherever it stands. */
export const isSecret = (key: string): boolean => REGISTRY.get(key)?.secret === true || /(^|\.)(pwd|passwd|password|secret)$/i.test(key);
