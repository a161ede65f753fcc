/** Pairs of UDP ports for media: RTP on the even one, RTCP on the odd one after it (RFC 3550 11). */
import { fail, ok } from '../../hal/base/result.js';
import type { HalError, Net, Result, UdpSocket } from '../../hal/hal.js';

export interface MediaPorts {
  rtp: UdpSocket;
  /** Held, so that the peer's reports disturb nobody. */
  rtcp: UdpSocket;
  close(): void;
}

export interface MediaPortRange {
  /** Even. */
  first: number;
  /** How many pairs. */
  pairs: number;
  /** Differentiated services code point of what is sent (RFC 2474). */
  dscp?: number;
}

export class MediaPortPool {
  readonly #net: Net;
  readonly #range: MediaPortRange;
  /** The pair after the last one given: a call that just ended may still be sent to on its old port. */
  #next = 0;

  constructor(net: Net, range: MediaPortRange) {
    this.#net = net;
    this.#range = range;
  }

  /** The next pair that is free; after one round through the range it gives up with `addr-in-use`. */
  open(): Result<MediaPorts, HalError> {
    const { first, pairs } = this.#range;
    for (let tried = 0; tried < pairs; tried++) {
      const port = first + 2 * this.#next;
      this.#next = (this.#next + 1) % pairs;
      const opened = this.#openPair(port);
      if (opened.ok || opened.error.kind !== 'addr-in-use') return opened;
    }
    return fail('addr-in-use', `no free pair of ports in ${first} to ${first + 2 * pairs - 1}`);
  }

  #openPair(port: number): Result<MediaPorts, HalError> {
    const rtp = this.#socket(port);
    if (!rtp.ok) return rtp;
    const rtcp = this.#socket(port + 1);
    if (!rtcp.ok) {
      rtp.value.close();
      return rtcp;
    }
    const close = (): void => {
      rtp.value.close();
      rtcp.value.close();
    };
    return ok({ rtp: rtp.value, rtcp: rtcp.value, close });
  }

  #socket(port: number): Result<UdpSocket, HalError> {
    const { dscp } = this.#range;
    return this.#net.udp({ port, ...(dscp === undefined ? {} : { dscp }) });
  }
}
