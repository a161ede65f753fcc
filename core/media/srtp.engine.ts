/**
 * SRTP (RFC 3711) of one direction: packet index, replay and lifetime, over the suite's cipher. In place, nothing allocated a packet.
 * A new master key means a new object; a stream that pauses and goes on, as on hold, keeps it and with it the rollover counter.
 */
import { u16, u32 } from '../../hal/base/bytes.js';
import { rtpHeaderLength } from './rtp.codec.js';
import { SequenceWindow } from './sequence-window.js';
import { createSrtpCipher, type SrtpCipher } from './srtp-cipher.js';
import type { SrtpKey } from './srtp-suites.js';

/** No tag of any suite is longer (RFC 7714 13): room to leave behind a packet. */
export const SRTP_MAX_OVERHEAD = 16;
/** Packets that one key may protect at most (RFC 3711 9.2). */
const MAX_LIFETIME = 2 ** 48;
/** Streams under one key: each costs memory, and only authenticated packets make one. A peer that changes its SSRC oftener is not heard. */
const MAX_STREAMS = 16;

/** Protects what we send. One SSRC a sender. */
export class SrtpSender {
  readonly #cipher: SrtpCipher;
  readonly #lifetime: number;
  #sent = 0;
  #roc = 0;
  #last = -1;

  constructor(key: SrtpKey) {
    this.#cipher = createSrtpCipher(key);
    this.#lifetime = key.lifetime ?? MAX_LIFETIME;
  }

  /**
   * Protects the RTP packet `packet[0, length)` in place; sequence numbers ascend. Returns the new length, up to SRTP_MAX_OVERHEAD more, or
   * 0 where the key is worn out or the packet is none.
   */
  protect(packet: Uint8Array, length: number): number {
    const header = rtpHeaderLength(packet, length);
    if (header === 0 || this.#sent >= this.#lifetime) return 0;
    const sequence = u16(packet, 2);
    if (sequence < this.#last) this.#roc = (this.#roc + 1) >>> 0;
    this.#last = sequence;
    this.#sent++;
    return this.#cipher.seal(packet, header, length, this.#roc);
  }
}

export type SrtpRejection = 'malformed' | 'replayed' | 'forged' | 'worn-out' | 'too-many-streams';

/** Checks and opens what the peer sends, each SSRC with its own index and replay window. */
export class SrtpReceiver {
  /** Why the last `unprotect` returned 0. */
  rejection: SrtpRejection = 'malformed';
  readonly #cipher: SrtpCipher;
  readonly #lifetime: number;
  readonly #streams: { readonly ssrc: number; readonly window: SequenceWindow }[] = [];
  #received = 0;

  constructor(key: SrtpKey) {
    this.#cipher = createSrtpCipher(key);
    this.#lifetime = key.lifetime ?? MAX_LIFETIME;
  }

  /**
   * Opens the SRTP packet `packet[0, length)` in place and returns the length of the RTP packet, or 0: then nothing was changed, and
   * `rejection` says why. Replays are known before the tag is computed; state moves only after it was right (RFC 3711 3.3).
   */
  unprotect(packet: Uint8Array, length: number): number {
    const header = rtpHeaderLength(packet, length);
    if (header === 0) return this.#reject('malformed');
    if (this.#received >= this.#lifetime) return this.#reject('worn-out');
    const ssrc = u32(packet, 8);
    const window = this.#windowOf(ssrc);
    if (!window && this.#streams.length >= MAX_STREAMS) return this.#reject('too-many-streams');
    const sequence = u16(packet, 2);
    const index = window ? window.extend(sequence) : sequence;
    if (window && !window.isNew(index)) return this.#reject('replayed');
    const opened = this.#cipher.open(packet, header, length, Math.floor(index / 65536) >>> 0);
    if (opened === 0) return this.#reject('forged');
    if (window) window.accept(index);
    else this.#streams.push({ ssrc, window: new SequenceWindow(index) });
    this.#received++;
    return opened;
  }

  /** A loop and not `find`: a closure would be garbage a packet. */
  #windowOf(ssrc: number): SequenceWindow | undefined {
    for (const stream of this.#streams) if (stream.ssrc === ssrc) return stream.window;
    return undefined;
  }

  #reject(rejection: SrtpRejection): 0 {
    this.rejection = rejection;
    return 0;
  }
}
