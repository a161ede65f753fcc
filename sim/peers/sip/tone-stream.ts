/** The audio of a caller: a steady tone out, 20 ms a packet by absolute deadlines; what comes in is counted. */
import { encodeG711 } from '../../../core/media/g711.codec.js';
import { RTP_HEADER, RtpView, writeRtpHeader } from '../../../core/media/rtp.codec.js';
import { SRTP_MAX_OVERHEAD, SrtpReceiver, SrtpSender } from '../../../core/media/srtp.engine.js';
import { SineTone } from '../../../core/media/tones.js';
import type { NegotiatedMedia } from '../../../core/sdp/negotiated.js';
import { u16, u32 } from '../../../hal/base/bytes.js';
import { MILLISECOND } from '../../../hal/base/time.js';
import type { Timer } from '../../../hal/base/timers.js';
import type { Entropy, Micros, UdpSocket } from '../../../hal/hal.js';
import type { PeerHost } from '../peer-host.js';

const RATE = 8000;
/** Samples of 20 ms, one octet each. */
const FRAME = 160;
const FRAME_TIME: Micros = 20 * MILLISECOND;
/** Half of full scale, 6 dB below: loud, and never clipped. */
const AMPLITUDE = 16_384;

export interface ToneStreamOptions {
  socket: UdpSocket;
  media: NegotiatedMedia;
  /** Hz. */
  tone: number;
}

export class ToneStream {
  sent = 0;
  /** RTP packets that came in and, with SRTP, were authentic. */
  received = 0;
  readonly #options: ToneStreamOptions;
  readonly #timer: Timer;
  readonly #source: SineTone;
  readonly #sender: SrtpSender | undefined;
  readonly #pcm = new Int16Array(FRAME);
  readonly #packet = new Uint8Array(RTP_HEADER + FRAME + SRTP_MAX_OVERHEAD);
  readonly #ssrc: number;
  readonly #firstSequence: number;
  readonly #firstTimestamp: number;

  constructor(host: PeerHost, options: ToneStreamOptions) {
    const { media, socket, tone } = options;
    this.#options = options;
    this.#source = new SineTone({ frequency: tone, rate: RATE, amplitude: AMPLITUDE });
    this.#sender = media.srtp && new SrtpSender(media.srtp.local);
    const start = randomStart(host.entropy);
    this.#ssrc = u32(start, 0);
    this.#firstTimestamp = u32(start, 4);
    // Below 2^15, so that the rollover counter of a peer that misses the first packets is right (RFC 3711 3.3.1).
    this.#firstSequence = u16(start, 8) & 0x7fff;
    this.#receive(socket);
    this.#timer = host.timers.create('tone', (at) => this.#send(at));
    this.#timer.set(host.clock.now());
  }

  stop(): void {
    this.#timer.clear();
  }

  #receive(socket: UdpSocket): void {
    const { media } = this.#options;
    const receiver = media.srtp && new SrtpReceiver(media.srtp.remote);
    const view = new RtpView();
    socket.onDatagram((bytes) => {
      const length = receiver ? receiver.unprotect(bytes, bytes.length) : bytes.length;
      if (length > 0 && view.read(bytes, length)) this.received++;
    });
  }

  #send(due: Micros): void {
    const { socket, media } = this.#options;
    this.#timer.set(due + FRAME_TIME);
    this.#source.fill(this.#pcm);
    writeRtpHeader(this.#packet, {
      marker: this.sent === 0,
      payloadType: media.payloadType,
      sequence: this.#firstSequence + this.sent,
      timestamp: this.#firstTimestamp + this.sent * FRAME,
      ssrc: this.#ssrc,
    });
    encodeG711(media.codec, this.#pcm, this.#packet, RTP_HEADER);
    const clear = RTP_HEADER + FRAME;
    const length = this.#sender ? this.#sender.protect(this.#packet, clear) : clear;
    socket.send(media.remote, this.#packet.subarray(0, length));
    this.sent++;
  }
}

/** SSRC, timestamp and sequence number begin at random (RFC 3550 5.1). */
function randomStart(entropy: Entropy): Uint8Array {
  const octets = new Uint8Array(10);
  entropy.fill(octets);
  return octets;
}
