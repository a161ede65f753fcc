/** What a conformance case stands on. The same cases run in virtual time, on this machine and on a board (`belfry bringup`). */
import type { Hal, Micros, SocketAddress } from '../hal.js';

/** What a case needs besides the ports that every binding has. A case whose needs are not met is skipped, and the report says so. */
export type Need = 'tls' | 'input' | 'listen' | 'echo' | 'closed-port' | 'names' | 'flash-to-spare';

export interface Bench {
  /** What there is. */
  provides: ReadonlySet<Need>;
  /** Steps virtual time, or waits, until `ready` answers something; rejects with `Unmet` when `limit` has passed. */
  until<T>(what: string, ready: () => T | undefined, limit: Micros): Promise<T>;
  /** Throws `Unmet` where the law does not hold. */
  check(condition: boolean, what: string): void;
  /** Runs `act` in a turn of its own, when the platform has nothing left to do for the present one. In the order of the calls. */
  later(act: () => void): void;
  /** Needs `echo`: a UDP and a TCP server that send everything back; the latter ends when the client does. */
  echo?: { udp: SocketAddress; tcp: SocketAddress };
  /** Needs `closed-port`: a host that is up and has nothing at this TCP port. */
  closedPort?: SocketAddress;
  /** Needs `names`: a name that has this address, and one that has none. */
  names?: { known: string; address: string; unknown: string };
  /** Needs `flash-to-spare`: a partition whose first two sectors may be overwritten. */
  spare?: string;
}

export interface ConformanceCase {
  /** `<port>-<what>`; README.md lists them by law. */
  id: string;
  /** The law of `hal/README.md` that it proves. */
  law: number;
  /** What holds, as a sentence. */
  title: string;
  needs: readonly Need[];
  run(hal: Hal, bench: Bench): Promise<void> | void;
}

/** A law that does not hold, in words. */
export class Unmet extends Error {}

/** `check` for benches. */
export function check(condition: boolean, what: string): void {
  if (!condition) throw new Unmet(what);
}
