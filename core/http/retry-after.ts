/** When a server that is busy wants to be asked again (RFC 9110 part 10.2.3). */
import { MILLISECOND, SECOND } from '../../hal/base/time.js';
import type { Micros } from '../../hal/hal.js';
import { readHttpDate } from './date.codec.js';
import { field, type HttpFields } from './message.codec.js';

/** Whatever it asks for, unbounded. Undefined where it does not say, or says it by a date without telling its own time: our clock may be anything. */
export function retryAfter(fields: HttpFields): Micros | undefined {
  const text = field(fields, 'Retry-After') ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * SECOND;
  const then = readHttpDate(text);
  const now = readHttpDate(field(fields, 'Date') ?? '');
  return then === undefined || now === undefined ? undefined : Math.max(0, then - now) * MILLISECOND;
}
