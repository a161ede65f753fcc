/** The way of a datagram to the jitter buffer: opened, checked, accounted for. */
import type { Micros } from '../../hal/hal.js';
import type { G711Codec } from './g711.codec.js';
import { JitterBuffer } from './jitter-buffer.engine.js';
import { Playout } from './playout.engine.js';
import { RtpView } from './rtp.codec.js';
import { RtpReception } from './rtp-reception.engine.js';
import type { SrtpReceiver, SrtpRejection } from './srtp.engine.js';

/** Octets of the longest datagram looked at: an Ethernet frame's worth. */
const MAX_DATAGRAM = 1_500;

/** Why a datagram was not taken; `source`: not from where the peer said it would send from. */
export type RtpRejection = SrtpRejection | 'source' | 'payload-type' | 'too-long';

export class RtpReceiver {
  /** Opens what comes; absent for audio in clear. */
  srtp: SrtpReceiver | undefined;
  payloadType: number;
  /** Off while the call is on hold: packets are then opened and counted, so that index and statistics stay right, and not played. */
  playing = true;
  rejected = 0;
  /** Why the last datagram was rejected. */
  rejection: RtpRejection = 'malformed';
  readonly reception = new RtpReception();
  readonly #buffer = new JitterBuffer();
  readonly #playout: Playout;
  readonly #view = new RtpView();
  readonly #packet = new Uint8Array(MAX_DATAGRAM);

  constructor(codec: G711Codec, payloadType: number, srtp: SrtpReceiver | undefined) {
    this.payloadType = payloadType;
    this.srtp = srtp;
    this.#playout = new Playout(this.#buffer, codec);
  }

  set codec(codec: G711Codec) {
    this.#playout.codec = codec;
  }

  /** Packets that came too late to be heard. */
  get late(): number {
    return this.#buffer.late;
  }

  /** Takes one datagram; false where it was rejected. */
  receive(datagram: Uint8Array, at: Micros): boolean {
    if (datagram.length > MAX_DATAGRAM) return this.reject('too-long');
    // A copy, because the sender's other receivers, as a capture, see the same bytes.
    this.#packet.set(datagram);
    const length = this.srtp ? this.srtp.unprotect(this.#packet, datagram.length) : datagram.length;
    if (length === 0 && this.srtp) return this.reject(this.srtp.rejection);
    const view = this.#view;
    if (!view.read(this.#packet, length)) return this.reject('malformed');
    if (view.payloadType !== this.payloadType) return this.reject('payload-type');
    const reception = this.reception.receive(view, at);
    if (reception === 'new-source') this.#buffer.restart();
    if (this.playing && (reception === 'packet' || reception === 'new-source')) {
      this.#buffer.insert(this.reception.extended, view.timestamp, this.#packet, view.payloadStart, view.payloadEnd, at);
    }
    return true;
  }

  /** Counts one that is not taken. */
  reject(rejection: RtpRejection): false {
    this.rejected++;
    this.rejection = rejection;
    return false;
  }

  /** Fills `out`, 160 samples of 8 kHz, with what is to be heard from `at` on. */
  pull(out: Int16Array, at: Micros): void {
    this.#playout.pull(out, at);
  }

  /** After a pause the stream is played anew. */
  restart(): void {
    this.#buffer.restart();
  }
}
