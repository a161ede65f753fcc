/** What is known of the stream that the peer sends: its order, its losses, its jitter (RFC 3550 6.4.1, A.1, A.3, A.8). */
import { SECOND } from '../../hal/base/time.js';
import type { Micros } from '../../hal/hal.js';
import type { RtpView } from './rtp.codec.js';
import { SequenceWindow } from './sequence-window.js';

/** Ticks of the RTP clock a second: 8000 for G.711, and for G.722 too (RFC 3551 4.5.2). */
export const RTP_CLOCK = 8_000;
/** Duration of one tick. */
export const TICK: Micros = SECOND / RTP_CLOCK;

/** A jump beyond this is another stream and no loss (RFC 3550 A.1, MAX_DROPOUT). */
const MAX_DROPOUT = 3_000;

/**
 * `packet`: the next of the stream, or one out of order. `new-source`: the first of another stream; what waits of the old one is void.
 * `duplicate`: has come already. `suspect`: perhaps the first of another stream; the next one will show.
 */
export type Reception = 'packet' | 'new-source' | 'duplicate' | 'suspect';

export class RtpReception {
  /** Packets that came, each counted once. */
  packets = 0;
  duplicates = 0;
  /** The extended sequence number of the last packet that came; it starts anew with each source. */
  extended = 0;
  #window: SequenceWindow | undefined;
  #ssrc = 0;
  #first = 0;
  /** Expected of the sources before the present one. */
  #expectedBefore = 0;
  /** The SSRC and the sequence number that would confirm another stream. */
  #suspect = { ssrc: 0, next: -1 };
  #jitter = 0;
  #transit: Micros | undefined;
  #timestamp = 0;
  #position = 0;

  /** Accounts for one packet that arrived `at`. */
  receive(packet: RtpView, at: Micros): Reception {
    const window = this.#window;
    if (!window) return this.#begin(packet, at);
    const extended = window.extend(packet.sequence);
    if (packet.ssrc !== this.#ssrc || Math.abs(extended - window.highest) > MAX_DROPOUT) return this.#doubt(packet, at);
    this.#suspect.next = -1;
    if (!window.isNew(extended)) {
      this.duplicates++;
      return 'duplicate';
    }
    window.accept(extended);
    this.#count(extended, packet.timestamp, at);
    return 'packet';
  }

  /** Packets missing, of all sources together. */
  get lost(): number {
    const expected = this.#window ? this.#window.highest - this.#first + 1 : 0;
    return Math.max(0, this.#expectedBefore + expected - this.packets);
  }

  /** Interarrival jitter (RFC 3550 6.4.1), in µs. */
  get jitter(): Micros {
    return Math.round(this.#jitter);
  }

  /** Two packets in order confirm another stream: one alone may be a stray of an old one, or one of two that are interleaved. */
  #doubt(packet: RtpView, at: Micros): Reception {
    if (packet.ssrc === this.#suspect.ssrc && packet.sequence === this.#suspect.next) return this.#begin(packet, at);
    this.#suspect = { ssrc: packet.ssrc, next: (packet.sequence + 1) & 0xffff };
    return 'suspect';
  }

  #begin(packet: RtpView, at: Micros): Reception {
    if (this.#window) this.#expectedBefore += this.#window.highest - this.#first + 1;
    this.#window = new SequenceWindow(packet.sequence);
    this.#ssrc = packet.ssrc;
    this.#first = packet.sequence;
    this.#suspect.next = -1;
    this.#transit = undefined;
    this.#timestamp = packet.timestamp;
    this.#count(packet.sequence, packet.timestamp, at);
    return 'new-source';
  }

  #count(extended: number, timestamp: number, at: Micros): void {
    this.packets++;
    this.extended = extended;
    // The first to come need not be the first that was sent.
    this.#first = Math.min(this.#first, extended);
    this.#position += (timestamp - this.#timestamp) | 0;
    this.#timestamp = timestamp;
    const transit = at - this.#position * TICK;
    if (this.#transit !== undefined) this.#jitter += (Math.abs(transit - this.#transit) - this.#jitter) / 16;
    this.#transit = transit;
  }
}
