/**
 * What may be decided about a peer before the time is known: the one place that says so.
 *
 * A clock that nobody has set reads a floor: it is then or later (`core/time/floor.policy.ts`). So some answers are certain already:
 *
 * - what has ended by the floor has ended: `expired`;
 * - every rule that has nothing to do with dates holds or does not: `unknown-issuer`, `name`, `purpose` …;
 * - a path of which one certificate ended before another began was never good.
 *
 * Not certain is whether what begins after the floor has begun, and whether what had not ended by the floor has ended since. A peer that
 * is good but for that gets `time-not-trusted` and is asked again later. Nothing is guessed: a device that takes a doubtful certificate
 * for good can be shown one whose key was stolen and which ended years ago.
 *
 * One use is let through: to ask the provisioning server for its date. It gives nothing away. Nothing secret is sent, nothing but the date
 * is read, and the date counts only if the same certificates are good at it, in every respect. Who can forge that has the key of a
 * certificate for this very server that was good at some time since the floor; and he could have answered our SNTP question with a date
 * from that time just as well, because SNTP proves nothing at all. Settings and calls wait for the time whichever way it comes.
 */
import { iso8601 } from '../../hal/base/time.js';
import type { ClockTrust, UnixMillis } from '../../hal/hal.js';
import type { Certificate } from '../certs/certificate.codec.js';
import { type Fault, fault } from '../certs/fault.js';
import type { PathRequest } from '../certs/path.policy.js';

/** What a connection is for: to be used, or only to hear the server's date. */
export type PeerUse = 'talk' | 'date';

export interface Wall {
  at: UnixMillis;
  trust: ClockTrust;
}

/** By which time a path is judged. */
export const momentOf = ({ at, trust }: Wall): Required<Pick<PathRequest, 'at' | 'floor'>> => ({ at, floor: trust === 'none' });

/** What is left to say against a peer whose path is good at that moment; undefined where it may go on. */
export function timeFault({ at, trust }: Wall, use: PeerUse, leaf: Certificate): Fault | undefined {
  if (trust !== 'none' || use === 'date') return undefined;
  return fault(
    'time-not-trusted',
    leaf,
    `nobody has told the time: it is ${iso8601(at)} or later, and it ends at ${iso8601(leaf.notAfter)}`,
  );
}

/** Whether an acceptance says that the peer was judged in every respect. */
export const isProof = ({ trust }: Wall): boolean => trust !== 'none';
