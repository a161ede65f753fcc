/** Waits for the scheduled time, by the device's wall clock. */
import { DAY, HOUR, MILLISECOND } from '../../hal/base/time.js';
import type { Cancel, Micros, UnixMillis } from '../../hal/hal.js';
import type { Kernel } from '../kernel/kernel.js';
import { nextSync, type SyncWindow } from './schedule.policy.js';

/** The wall clock may be set while we wait, and is not trusted at all at first: it is looked at again so often (ours). */
const LOOK_AGAIN: Micros = HOUR;
/** A window begins within seven days, and has at most one: what lies further off was planned by a clock that ran ahead. */
const FURTHEST: Micros = 8 * DAY;

/** Calls `due` once, at a point of the next window. While the clock is not trusted there is no schedule. */
export function awaitSync(
  kernel: Pick<Kernel, 'timer' | 'now' | 'wall'>,
  window: SyncWindow,
  random: () => number,
  due: () => void,
): Cancel {
  let planned: UnixMillis | undefined;
  const look = (): void => {
    const { at, trust } = kernel.wall();
    if (planned !== undefined && at >= planned) return due();
    const holds = planned !== undefined && (planned - at) * MILLISECOND <= FURTHEST;
    if (trust === 'none') planned = undefined;
    else if (!holds) planned = nextSync(window, at, random());
    const left = planned === undefined ? LOOK_AGAIN : (planned - at) * MILLISECOND;
    timer.set(kernel.now() + Math.min(left, LOOK_AGAIN));
  };
  const timer = kernel.timer('provisioning schedule', look);
  look();
  return () => timer.clear();
}
