/** What the time machine does to the device: asks over the network, sets the clock, reports. */
import type { Clock, Entropy, Net } from '../../hal/hal.js';
import type { Kernel } from '../kernel/kernel.js';
import { SntpClient } from './sntp-client.js';
import type { TimeDeps, TimeNotice } from './time.machine.js';

export interface TimeOptions {
  kernel: Kernel;
  clock: Pick<Clock, 'setWall'>;
  net: Pick<Net, 'udp' | 'resolve'>;
  entropy: Entropy;
  /** Names or addresses of time servers, best first. */
  servers(): readonly string[];
  notify(notice: TimeNotice): void;
}

export function createTimeDeps({ kernel, clock, net, entropy, servers, notify }: TimeOptions): TimeDeps {
  const client = new SntpClient({ kernel, net, entropy, servers });
  return {
    trusted: () => kernel.wall().trust !== 'none',
    hasServer: () => client.hasServer(),
    ask: (done) => client.ask(done),
    set: ({ at }) => {
      clock.setWall(at);
      kernel.emit('time.set', { source: 'sntp', trust: 'network' });
    },
    failed: ({ kind, detail }, retryIn) => kernel.emit('time.failed', { source: 'sntp', kind, detail, retryIn }),
    kept: () => kernel.emit('time.set', { source: 'rtc', trust: kernel.wall().trust }),
    notify,
  };
}
