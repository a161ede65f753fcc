/**
 * What is certain about the time before anybody tells it: that it is not earlier than the last time that was known for sure, and not earlier
 * than this firmware. A clock that contradicts this is wrong, whoever keeps it, and so is a time server's answer.
 */
import { HOUR, iso8601, MILLISECOND } from '../../hal/base/time.js';
import type { ClockTrust, UnixMillis } from '../../hal/hal.js';

/** It is this time or later; `floor`: the last known time in flash, `build`: when the firmware was made. */
export interface Floor {
  source: 'floor' | 'build';
  at: UnixMillis;
}

/** The later of the two; undefined where neither is known. */
export function laterFloor(lastKnown: UnixMillis | undefined, built: UnixMillis | undefined): Floor | undefined {
  if (lastKnown !== undefined && lastKnown >= (built ?? lastKnown)) return { source: 'floor', at: lastKnown };
  return built === undefined ? undefined : { source: 'build', at: built };
}

/** Ours: an hour's drift in a year is a poor quartz without a time server. A clock that is behind by less contradicts nothing. */
const TOLERANCE = HOUR / MILLISECOND;

export const contradicts = (at: UnixMillis, floor: UnixMillis): boolean => at < floor - TOLERANCE;

/** Whether two clocks say the same, as far as clocks do. */
export const agree = (a: UnixMillis, b: UnixMillis): boolean => Math.abs(a - b) <= TOLERANCE;

/** What a boot makes of the clock that it finds. */
export type FirstClock =
  /** It was kept through the power cut, and agrees with what is certain. */
  | { type: 'kept'; trust: ClockTrust }
  /** It begins at what is certain, or in 1970 where nothing is; `wrong` says why a real-time clock is not believed. */
  | { type: 'begun'; floor: Floor | undefined; wrong?: { detail: string; mend: string } };

export function firstClock(wall: { at: UnixMillis; trust: ClockTrust }, floor: Floor | undefined): FirstClock {
  if (wall.trust === 'none') return { type: 'begun', floor };
  if (!floor || !contradicts(wall.at, floor.at)) return { type: 'kept', trust: wall.trust };
  return {
    type: 'begun',
    floor,
    wrong: {
      detail: `the real-time clock says ${iso8601(wall.at)}, ${before(floor)}`,
      mend: 'replace the battery of the real-time clock; a time server will do until then',
    },
  };
}

/** For sentences: why a time cannot be true. */
export const before = ({ source, at }: Floor): string =>
  source === 'floor' ? `earlier than the last known time ${iso8601(at)}` : `earlier than ${iso8601(at)}, when this firmware was made`;
