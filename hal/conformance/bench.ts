/** What a conformance case stands on. The same cases run in virtual time, on this machine and on a board (`belfry bringup`). */
import type { ByteStream, Hal, Micros, SocketAddress } from '../hal.js';

/** What a case needs besides the ports that every binding has: what the bench offers, and two ports that a board may lack. */
export type Need = 'tls' | 'microphone' | 'echo' | 'nobody' | 'dial' | 'names' | 'spareFlash';

export interface Bench {
  /** Steps virtual time, or waits, until `ready` answers something; rejects with `Unmet` when `limit` has passed. */
  until<T>(what: string, ready: () => T | undefined, limit: Micros): Promise<T>;
  /** Runs `act` in a turn of its own, when the platform has nothing left to do for the present one. In the order of the calls. */
  later(act: () => void): void;
  /** A UDP and a TCP server that send everything back; the latter ends when the client does. */
  echo?: { udp: SocketAddress; tcp: SocketAddress };
  /** A host that is up and has nothing at this TCP port. */
  nobody?: SocketAddress;
  /** Connects from another host to the board. */
  dial?(to: SocketAddress): ByteStream;
  /** A name that has one address, and one that has none. */
  names?: { known: string; address: string; unknown: string };
  /** A partition whose first two sectors may be overwritten. */
  spareFlash?: string;
}

/** The law of `hal/README.md` that a case proves; `contract`: what `hal.ts` says of the port. */
export type Law = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 'contract';

export interface ConformanceCase {
  /** `<port>-<what>`; `hal/README.md` lists them by law. */
  id: string;
  law: Law;
  /** What holds, as a sentence. */
  title: string;
  needs: readonly Need[];
  run(hal: Hal, bench: Bench): Promise<void> | void;
}

/** A law that does not hold, in words. */
export class Unmet extends Error {}

export function check(condition: boolean, what: string): void {
  if (!condition) throw new Unmet(what);
}

/** What a case asked for in `needs`. */
export function given<T>(value: T | undefined, need: Need): T {
  if (value === undefined) throw new Unmet(`the bench has no ${need}`);
  return value;
}

/** Lets the binding do what it would do by itself for that long. */
export async function pass(hal: Hal, bench: Bench, time: Micros): Promise<void> {
  const end = hal.clock.now() + time;
  await bench.until(`${time} µs to pass`, () => (hal.clock.now() >= end ? true : undefined), time + PATIENCE);
}

/** How long a case waits for what should come at once on a network. */
export const PATIENCE: Micros = 5_000_000;
