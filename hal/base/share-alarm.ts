import type { Clock, Micros } from '../hal.js';

/**
 * One alarm, several owners: the core's timers, `hal/stack`, a fault layer. Each call of what it returns gives a Clock of its own.
 * Owners whose alarms are due together are called in the order in which they were made.
 */
export function shareAlarm(clock: Clock): () => Clock {
  const shares: Share[] = [];
  let delivering = false;
  const arm = (): void => {
    if (delivering) return;
    let soonest: Micros | undefined;
    for (const { at } of shares) if (at !== undefined && (soonest === undefined || at < soonest)) soonest = at;
    clock.setAlarm(soonest);
  };
  clock.onAlarm((now) => {
    delivering = true;
    for (const share of shares) {
      if (share.at === undefined || share.at > now) continue;
      share.at = undefined;
      share.listener?.(now);
    }
    delivering = false;
    arm();
  });
  return () => {
    const share: Share = { at: undefined, listener: undefined };
    shares.push(share);
    return {
      now: () => clock.now(),
      wall: () => clock.wall(),
      setWall: (at) => clock.setWall(at),
      setAlarm: (at) => {
        share.at = at;
        arm();
      },
      onAlarm: (listener) => {
        share.listener = listener;
      },
    };
  };
}

interface Share {
  at: Micros | undefined;
  listener: ((at: Micros) => void) | undefined;
}
