/** What the registry says of a key. */
import type { BoardProfile } from '../../hal/board.js';
import type { FeatureName, Features } from '../device/features.js';
import type { ReadValue } from './value-types.js';

export interface Setting {
  /** Where it stands in the web interface. */
  page: string;
  label: string;
  read: ReadValue<unknown>;
  /** The value where nobody gave one and the board's profile has none of its own. */
  default: string | ((features: Features) => string);
  /** Who gave the key its name and its values: the starting document, another vendor document, a template in the field, or this project. */
  provenance: 'seed' | 'vendor' | 'template' | 'ours';
  /** The boards that have the key; all where absent. */
  on?: BoardGroup;
  /** The key that the other boards have in its place. */
  counterpart?: string;
  /** The feature that some of its values need. */
  needs?: { feature: FeatureName; when: (value: string) => boolean };
  /** Running services must start anew for a change to count. */
  needsRestart?: true;
  /** Left out of exports that are to be shown, masked everywhere else. */
  secret?: true;
  /** `stored`: kept and exported, and nothing acts on it yet. `Settings.get` takes no such key, so that the mark cannot lie. */
  effect?: 'stored';
}

/** Boards with a key in common, in words that fit "a setting of …". */
export interface BoardGroup {
  name: string;
  has(board: BoardProfile): boolean;
}

export const CURRENT: BoardGroup = { name: 'boards of the current generation', has: ({ settings }) => settings === 'current' };
export const FIRST_GENERATION: BoardGroup = {
  name: 'boards of the first generation',
  has: ({ settings }) => settings === 'first-generation',
};
export const DOOR_CONTROLLERS: BoardGroup = { name: 'door controllers', has: ({ kind }) => kind === 'door-controller' };
export const ALL_BUT_DOOR_CONTROLLERS: BoardGroup = {
  name: 'all but door controllers',
  has: ({ kind }) => kind !== 'door-controller',
};
/** Boards with a button that calls somebody. */
export const CALLERS: BoardGroup = { name: 'doorphones and intercoms', has: ({ kind }) => kind === 'doorphone' || kind === 'intercom' };

/** Settings that stand on one page; the entry keeps the type of its value and its mark. */
export const onPage =
  (page: string) =>
  <const Entry extends Omit<Setting, 'page'>>(entry: Entry): Entry & { page: string } => ({ page, ...entry });

/** The values that ask for nothing: every other one needs the feature. */
export const unless =
  (...harmless: readonly string[]) =>
  (value: string): boolean =>
    !harmless.includes(value);
