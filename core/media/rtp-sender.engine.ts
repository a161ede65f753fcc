/** The packets of one stream that we send: header, payload, protection. */
import { u16, u32 } from '../../hal/base/bytes.js';
import type { Entropy } from '../../hal/hal.js';
import { encodeG711, type G711Codec } from './g711.codec.js';
import { RTP_HEADER, writeRtpHeader } from './rtp.codec.js';
import { SRTP_MAX_OVERHEAD, type SrtpSender } from './srtp.engine.js';

/** Samples of a packet: 20 ms (RFC 3551 4.2). */
export const PACKET_SAMPLES = 160;

export class RtpSender {
  readonly #packet = new Uint8Array(RTP_HEADER + PACKET_SAMPLES + SRTP_MAX_OVERHEAD);
  readonly #header;
  readonly #firstTimestamp: number;

  /** SSRC, timestamp and sequence number begin at random (RFC 3550 5.1). */
  constructor(entropy: Entropy) {
    const random = new Uint8Array(10);
    entropy.fill(random);
    this.#firstTimestamp = u32(random, 4);
    // Below 2^15, so that a receiver who misses the first packets cannot mistake the first rollover (RFC 3711 3.3.1).
    const sequence = u16(random, 8) & 0x7fff;
    this.#header = { marker: true, payloadType: 0, sequence, timestamp: 0, ssrc: u32(random, 0) };
  }

  /** The next packet starts a talkspurt (RFC 3551 4.1): set after a pause. */
  resume(): void {
    this.#header.marker = true;
  }

  /**
   * The packet of PACKET_SAMPLES samples whose first was taken `elapsed` ticks after the stream's beginning. The bytes are valid until the
   * next call; undefined where the key is worn out.
   */
  packet(codec: G711Codec, payloadType: number, pcm: Int16Array, elapsed: number, srtp: SrtpSender | undefined): Uint8Array | undefined {
    const header = this.#header;
    header.payloadType = payloadType;
    header.timestamp = (this.#firstTimestamp + elapsed) >>> 0;
    writeRtpHeader(this.#packet, header);
    encodeG711(codec, pcm, this.#packet, RTP_HEADER);
    header.marker = false;
    header.sequence = (header.sequence + 1) & 0xffff;
    const length = RTP_HEADER + PACKET_SAMPLES;
    const protectedLength = srtp ? srtp.protect(this.#packet, length) : length;
    return protectedLength > 0 ? this.#packet.subarray(0, protectedLength) : undefined;
  }
}
