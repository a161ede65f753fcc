/** Which new settings have to prove themselves by a registration, and whether those before them had. */
import { hex, utf8 } from '../../hal/base/bytes.js';
import { DAY, HOUR, MILLISECOND, SECOND } from '../../hal/base/time.js';
import type { ClockTrust, Crypto, Micros, UnixMillis } from '../../hal/hal.js';
import { REGISTRY } from '../settings/registry.js';
import { changedKeys, needsRestart, type Settings } from '../settings/settings.js';

/** When an account registered last, and with which settings. */
export interface RegistrationStamp {
  /** `registrationMark` of the settings. */
  mark: string;
  /** Undefined where the clock was not trusted then. */
  at?: UnixMillis;
}
export interface Wall {
  at: UnixMillis;
  trust: ClockTrust;
}

/** Ours: a configuration that did not register for longer is not what a new one is measured by. */
const RECENT_MS = DAY / MILLISECOND;
/** Ours: so seldom is the stamp written anew while a device stays registered; the flash takes 100,000 erases. */
const RENEW_MS = (6 * HOUR) / MILLISECOND;

/** A key that counts without the services starting anew does not disturb the registration there is. */
const decidesRegistration = (key: string): boolean => /^(sip|net)\./.test(key) && needsRestart([key]);
const DECIDING: readonly string[] = [...REGISTRY.keys()].filter(decidesRegistration);

/** The same for settings that register alike. A digest, because passwords are among them. */
export const registrationMark = (settings: Settings, crypto: Pick<Crypto, 'digest'>): string =>
  hex(crypto.digest('sha256', utf8(DECIDING.map((key) => `${key} = ${settings.text(key)}\n`).join(''))));

/** Without trusted time the last registration that is known counts as recent: it was the last thing that is known. */
export function isRecent(stamp: RegistrationStamp | undefined, mark: string, wall: Wall): boolean {
  if (stamp?.mark !== mark) return false;
  return stamp.at === undefined || wall.trust === 'none' || wall.at - stamp.at <= RECENT_MS;
}

export const isDue = (stamp: RegistrationStamp | undefined, { mark, at }: RegistrationStamp): boolean =>
  stamp?.mark !== mark || (at !== undefined && (stamp.at === undefined || at - stamp.at >= RENEW_MS || at < stamp.at));

/** How long `next` has to register; 0 where it need not: it changes nothing that decides a registration, or `good` had not registered. */
export const trialOf = (good: Settings, next: Settings, hadRegistered: boolean): Micros =>
  hadRegistered && changedKeys(good, next).some(decidesRegistration) ? next.get('prov.confirm') * SECOND : 0;
