/** What happened to frames and packets, for status pages and tests. Each frame that comes in counts under at most one reason to drop it. */
export interface StackCounters {
  framesIn: number;
  framesOut: number;
  /** The interface would not take a frame. */
  framesRefused: number;
  malformed: number;
  badChecksum: number;
  /** Received fragments: none is put together (README, "What is left out"). */
  fragments: number;
  /** Not for this host, or from an address that nobody may send from. */
  notForUs: number;
  /** For a protocol or port that nobody listens on. */
  noListener: number;
  /** Packets given up because ARP got no answer. */
  unresolved: number;
  /** A bounded queue was full: waiting for ARP, looped back, half-open connections. */
  overflow: number;
}

export const newCounters = (): StackCounters => ({
  framesIn: 0,
  framesOut: 0,
  framesRefused: 0,
  malformed: 0,
  badChecksum: 0,
  fragments: 0,
  notForUs: 0,
  noListener: 0,
  unresolved: 0,
  overflow: 0,
});
