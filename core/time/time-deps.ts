/** What the time machine does to the device: asks over the network, sets the clock, reports. */
import { fraction } from '../../hal/base/fraction.js';
import { iso8601 } from '../../hal/base/time.js';
import type { Entropy, Net } from '../../hal/hal.js';
import type { Url } from '../http/url.js';
import type { Kernel } from '../kernel/kernel.js';
import type { DeviceClock } from './device-clock.js';
import { before, contradicts } from './floor.policy.js';
import { askHttpsDate, type HttpsDateOptions } from './https-date.js';
import { SntpClient } from './sntp-client.js';
import type { TimeDeps, TimeNotice } from './time.machine.js';
import type { TimeAnswer } from './time-answer.js';

export interface TimeOptions {
  kernel: Kernel;
  clock: Pick<DeviceClock, 'setWall' | 'floor'>;
  net: Pick<Net, 'udp' | 'resolve'>;
  entropy: Entropy;
  /** Names or addresses of time servers, best first. */
  servers(): readonly string[];
  /** The folder of the provisioning server, where it is reached by https. */
  dateServer(): Url | undefined;
  /** How that server is reached and judged. */
  https(): Pick<HttpsDateOptions, 'secure' | 'userAgent' | 'judge'>;
  notify(notice: TimeNotice): void;
  /** The clock was set. */
  onSet(): void;
}

export function createTimeDeps(options: TimeOptions): TimeDeps {
  const { kernel, clock, net, entropy, servers } = options;
  const client = new SntpClient({ kernel, net, entropy, servers });
  const trusted = (): boolean => kernel.wall().trust !== 'none';
  return {
    trusted,
    hasServer: () => client.hasServer(),
    // A clock that is believed already is better than a server's second.
    hasDateServer: () => !trusted() && options.dateServer() !== undefined,
    ask: (done) => client.ask((answer) => done(possible(answer, clock))),
    askDate: (done) => {
      const url = options.dateServer();
      return url ? askHttpsDate({ kernel, net, ...options.https() }, url, (answer) => done(possible(answer, clock))) : () => {};
    },
    set: ({ source, at }) => {
      clock.setWall(at);
      kernel.emit('time.set', { source, trust: 'network', clock: iso8601(at) });
      options.onSet();
    },
    failed: ({ source, kind, detail, mend }, retryIn) => kernel.emit('time.failed', { source, kind, detail, mend, retryIn }),
    random: () => fraction(entropy),
    notify: (notice) => options.notify(notice),
  };
}

/** Nobody is asked to prove an SNTP answer: one that cannot be true is no answer. */
function possible(answer: TimeAnswer, clock: Pick<DeviceClock, 'floor'>): TimeAnswer {
  const floor = clock.floor();
  if (answer.type !== 'time.answer' || !floor || !contradicts(answer.at, floor.at)) return answer;
  const { source, server, at } = answer;
  return {
    type: 'time.silence',
    source,
    kind: 'refused',
    detail: `${server} says ${iso8601(at)}, ${before(floor)}`,
    mend: 'check the clock of that server; where it is right after all, a factory reset forgets the last known time',
    patient: false,
  };
}
