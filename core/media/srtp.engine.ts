/**
 * SRTP (RFC 3711) of one direction: packet index, replay and lifetime, over the suite's cipher. In place, nothing allocated a packet.
 * A new master key means a new object; a stream that pauses and goes on, as on hold, keeps it and with it the rollover counter.
 */
import { u16, u32 } from '../../hal/base/bytes.js';
import { rtpHeaderLength } from './rtp.codec.js';
import { createSrtpCipher, type SrtpCipher } from './srtp-cipher.js';
import type { SrtpKey } from './srtp-suites.js';

/** No tag of any suite is longer (RFC 7714 13): room to leave behind a packet. */
export const SRTP_MAX_OVERHEAD = 16;
/** Packets that one key may protect at most (RFC 3711 9.2). */
const MAX_LIFETIME = 2 ** 48;
/** Packets behind the newest that are told apart from replays; RFC 3711 3.3.2 asks for at least 64. 128 packets are 2.5 s of audio. */
const REPLAY_WINDOW = 128;
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
  readonly #streams: ReceivedStream[] = [];
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
    const stream = this.#streams.find((s) => s.ssrc === ssrc);
    if (!stream && this.#streams.length >= MAX_STREAMS) return this.#reject('too-many-streams');
    const sequence = u16(packet, 2);
    const index = stream ? stream.estimate(sequence) : sequence;
    if (stream && !stream.isNew(index)) return this.#reject('replayed');
    const opened = this.#cipher.open(packet, header, length, Math.floor(index / 65536) >>> 0);
    if (opened === 0) return this.#reject('forged');
    if (stream) stream.accept(index);
    else this.#streams.push(new ReceivedStream(ssrc, index));
    this.#received++;
    return opened;
  }

  #reject(rejection: SrtpRejection): 0 {
    this.rejection = rejection;
    return 0;
  }
}

/** The highest index of one SSRC and a bit for each of the last REPLAY_WINDOW, kept as a ring. */
class ReceivedStream {
  readonly #seen = new Uint8Array(REPLAY_WINDOW);
  #highest: number;

  constructor(
    readonly ssrc: number,
    first: number,
  ) {
    this.#highest = first;
    this.#seen[first % REPLAY_WINDOW] = 1;
  }

  /** The index nearest to the highest seen (RFC 3711 3.3.1); negative where it would lie before the first rollover. */
  estimate(sequence: number): number {
    const last = this.#highest % 65536;
    const roc = Math.floor(this.#highest / 65536);
    if (last < 32768) return (sequence - last > 32768 ? roc - 1 : roc) * 65536 + sequence;
    return (last - 32768 > sequence ? roc + 1 : roc) * 65536 + sequence;
  }

  isNew(index: number): boolean {
    if (index > this.#highest) return true;
    return index >= 0 && index > this.#highest - REPLAY_WINDOW && this.#seen[index % REPLAY_WINDOW] === 0;
  }

  accept(index: number): void {
    // What lies between was not seen: its places in the ring are those of indices that have left the window.
    const skipped = Math.min(index - this.#highest, REPLAY_WINDOW);
    for (let i = 1; i <= skipped; i++) this.#seen[(this.#highest + i) % REPLAY_WINDOW] = 0;
    if (index > this.#highest) this.#highest = index;
    this.#seen[index % REPLAY_WINDOW] = 1;
  }
}
