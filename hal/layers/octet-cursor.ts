/**
 * Reads big-endian fields one after another. Total: what is cut short reads as zeros and as empty, and `short` tells so afterwards, so
 * that a hello of which a capture kept the beginning still says what that holds.
 */
import { EMPTY } from '../base/bytes.js';

export class OctetCursor {
  #at = 0;
  #short = false;

  constructor(readonly bytes: Uint8Array) {}

  /** Something was asked for beyond the end. */
  get short(): boolean {
    return this.#short;
  }

  get more(): boolean {
    return this.#at < this.bytes.length;
  }

  /** An unsigned integer of up to 4 octets. */
  uint(octets: 1 | 2 | 3 | 4): number {
    let value = 0;
    for (const octet of this.take(octets)) value = value * 256 + octet;
    return value;
  }

  /** A view; shorter than asked for, and without a rest, where there is less. */
  take(octets: number): Uint8Array {
    const end = this.#at + octets;
    if (end > this.bytes.length) this.#short = true;
    const taken = octets === 0 ? EMPTY : this.bytes.subarray(this.#at, end);
    this.#at = Math.min(end, this.bytes.length);
    return taken;
  }

  /** A vector with its length in front (RFC 8446 3.4). */
  vector(lengthOctets: 1 | 2 | 3): Uint8Array {
    return this.take(this.uint(lengthOctets));
  }
}

/** What `read`, which takes at least an octet, makes of each member of a list; a member that is cut short ends it. */
export function eachOf<T>(list: Uint8Array, read: (cursor: OctetCursor) => T): T[] {
  const cursor = new OctetCursor(list);
  const members: T[] = [];
  while (cursor.more) {
    const member = read(cursor);
    if (cursor.short) break;
    members.push(member);
  }
  return members;
}
