/** What a boot knows of the time before it has asked anyone, and reports. */
import { iso8601 } from '../../hal/base/time.js';
import { LastKnownTime, type LastKnownTimeOptions } from './last-known-time.js';

/** Called once a boot, before anything is judged by the clock. */
export function beginTime(options: LastKnownTimeOptions): LastKnownTime {
  const { kernel, clock, built } = options;
  const known = new LastKnownTime(options);
  const first = clock.begin(known.kept, built);
  const now = (): string => iso8601(kernel.wall().at);
  if (first.type === 'kept') kernel.emit('time.set', { source: 'rtc', trust: first.trust, clock: now() });
  else {
    if (first.wrong) kernel.emit('time.failed', { source: 'rtc', kind: 'refused', ...first.wrong });
    if (first.floor) kernel.emit('time.set', { source: first.floor.source, trust: 'none', clock: now() });
  }
  return known;
}
