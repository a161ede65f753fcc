/** When to speak of a certificate that will end: early enough for a new one to be issued, and not so often that nobody listens (ours). */
import { DAY, MILLISECOND } from '../../hal/base/time.js';
import type { UnixMillis } from '../../hal/hal.js';

/** Days that are left when it is reported. */
const WARNINGS = [60, 30, 14, 7, 3, 1] as const;

/** The warning that is due: the shortest that still covers what is left. `ended` from the second after the last one on. */
export type ExpiryStage = (typeof WARNINGS)[number] | 'ended';

/** Whole days until the end; negative once it has passed. */
export const daysLeft = (notAfter: UnixMillis, at: UnixMillis): number => Math.floor((notAfter - at) / (DAY / MILLISECOND));

/** Undefined while there is nothing to say. A certificate is good until its last second has passed (RFC 5280 part 4.1.2.5). */
export function expiryStage(notAfter: UnixMillis, at: UnixMillis): ExpiryStage | undefined {
  if (at >= notAfter + 1000) return 'ended';
  const days = daysLeft(notAfter, at);
  return WARNINGS.filter((warning) => days <= warning).at(-1);
}
