/** A time server's reply, written apart from the codec that reads it. */
import type { UnixMillis } from '../../hal/hal.js';

export interface ReplyOptions {
  leap?: number;
  mode?: number;
  stratum?: number;
  kiss?: string;
  originate?: Uint8Array;
  /** Milliseconds between receiving and sending. */
  held?: number;
  /** Timestamps of zero. */
  zero?: boolean;
}

export function serverReply(request: Uint8Array, at: UnixMillis, options: ReplyOptions = {}): Uint8Array {
  const packet = Buffer.alloc(48);
  packet[0] = ((options.leap ?? 0) << 6) | (4 << 3) | (options.mode ?? 4);
  packet[1] = options.kiss === undefined ? (options.stratum ?? 2) : 0;
  packet.write(options.kiss ?? 'TEST', 12, 'latin1');
  packet.set(options.originate ?? request.subarray(40, 48), 24);
  if (!options.zero) {
    stamp(packet, 32, at);
    stamp(packet, 40, at + (options.held ?? 0));
  }
  return new Uint8Array(packet);
}

function stamp(packet: Buffer, offset: number, at: UnixMillis): void {
  packet.writeUInt32BE((Math.floor(at / 1000) + 2_208_988_800) % 2 ** 32, offset);
  packet.writeUInt32BE(Math.floor(((at % 1000) / 1000) * 2 ** 32), offset + 4);
}
