/** xstate's clock over the kernel's timers: `after` and delayed sends run in the device's time, virtual or real. */
import { MILLISECOND } from '../../hal/base/time.js';
import type { Timer } from '../../hal/base/timers.js';
import type { Kernel } from './kernel.js';

/** Names and shape are xstate's; delays are milliseconds. */
export interface ActorClock {
  setTimeout(run: (...args: unknown[]) => void, delay: number): Timer;
  clearTimeout(timer: Timer | undefined): void;
}

export const actorClock = (kernel: Kernel): ActorClock => ({
  setTimeout: (run, delay) => {
    const timer = kernel.timer('actor', () => run());
    timer.set(kernel.now() + Math.max(0, Math.round(delay * MILLISECOND)));
    return timer;
  },
  clearTimeout: (timer) => timer?.clear(),
});
