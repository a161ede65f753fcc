/** Sequence numbers are 32 bits and wrap (RFC 9293 part 3.4). */

export const advance = (sequence: number, octets: number): number => (sequence + octets) >>> 0;
/** Octets from `from` to `to`; negative where `to` lies before. Right while the two are less than 2^31 apart. */
export const distance = (from: number, to: number): number => (to - from) | 0;
