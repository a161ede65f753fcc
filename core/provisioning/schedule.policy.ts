/** When a device asks for its settings by itself: `prov.sync.*`. The vendor gives the keys; what they mean in detail is ours. */
import type { UnixMillis } from '../../hal/hal.js';
import type { Settings } from '../settings/settings.js';

export interface SyncWindow {
  /** Minutes since midnight, UTC: no time zone is kept, so `admin.timezone` does not move it. */
  start: number;
  /** Before `start` it is on the next day. */
  end?: number | undefined;
  /** On which days it begins: 1 is Monday, 7 Sunday (ISO 8601). */
  days: readonly number[];
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Without an end: everybody at one minute would be a storm. */
const USUAL_LENGTH_MS = 15 * MINUTE_MS;

/** Undefined where no time is set: then nothing is asked for by itself. */
export function syncWindow(settings: Settings): SyncWindow | undefined {
  const start = settings.get('prov.sync.time');
  return start === undefined
    ? undefined
    : { start, end: settings.get('prov.sync.endtime'), days: settings.get('prov.sync.wdays').map(Number) };
}

/** A point, chosen by `random` (0 to below 1), of the next window that begins after `now`: so a window is used once at most. */
export function nextSync({ start, end, days }: SyncWindow, now: UnixMillis, random: number): UnixMillis {
  const today = now - (now % DAY_MS);
  let begin = today + start * MINUTE_MS;
  while (begin <= now || !days.includes(weekday(begin))) begin += DAY_MS;
  const length = end === undefined ? USUAL_LENGTH_MS : (end - start) * MINUTE_MS + (end <= start ? DAY_MS : 0);
  return begin + Math.floor(length * random);
}

/** 1970-01-01 was a Thursday. */
const weekday = (at: UnixMillis): number => ((Math.floor(at / DAY_MS) + 3) % 7) + 1;
