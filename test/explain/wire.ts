/** TCP connections drawn by hand, frame for frame, as a mirror port would show them. */

import { type FrameEnd, TCP_FLAG, tcpFrame } from '../../hal/layers/frame.codec.js';
import { type CapturedFrame, encodeCapture } from '../../hal/layers/index.js';
import type { Role } from '../../tools/explain/tls-view.js';

export const START = Date.UTC(2026, 0, 1) * 1000;
const SEGMENT = 1400;
const { syn, ack, fin, rst, psh } = TCP_FLAG;

const end = (last: number, port: number): FrameEnd => ({
  mac: `0200000000${String(last).padStart(2, '0')}`,
  address: `10.0.0.${last}`,
  port,
});
export const CLIENT = end(50, 50_000);
export const SERVER = end(10, 443);

/** A connection of which each call puts a frame on the wire, a millisecond after the one before. */
export class Wire {
  readonly frames: CapturedFrame[] = [];
  readonly #ends: Record<Role, { end: FrameEnd; next: number }>;
  now = START;

  constructor(ends: Partial<Record<Role, FrameEnd>> = {}, first = 0xffff_ff00) {
    // Close to where numbers wrap.
    this.#ends = { client: { end: ends.client ?? CLIENT, next: first }, server: { end: ends.server ?? SERVER, next: 7 } };
  }

  open(): this {
    return this.segment('client', syn)
      .segment('server', syn | ack)
      .segment('client', ack);
  }

  /** In segments; the other end acknowledges each. */
  data(from: Role, bytes: Uint8Array | string): this {
    const octets = typeof bytes === 'string' ? Uint8Array.from(Buffer.from(bytes, 'latin1')) : bytes;
    for (let at = 0; at < octets.length; at += SEGMENT) {
      this.segment(from, ack | psh, octets.subarray(at, at + SEGMENT));
      this.segment(other(from), ack);
    }
    return this;
  }

  fin(from: Role): this {
    return this.segment(from, fin | ack).segment(other(from), ack);
  }

  reset(from: Role): this {
    return this.segment(from, rst | ack);
  }

  segment(from: Role, flags: number, payload: Uint8Array = new Uint8Array(0)): this {
    this.now += 1000;
    this.frames.push({ interface: 0, at: this.now, direction: 'out', bytes: this.frame(from, flags, payload) });
    return this;
  }

  /** One that is sent, and never seen. */
  unseen(from: Role, octets: number): this {
    this.#ends[from].next = (this.#ends[from].next + octets) >>> 0;
    return this;
  }

  frame(from: Role, flags: number, payload: Uint8Array): Uint8Array {
    const [own, peer] = [this.#ends[from], this.#ends[other(from)]];
    const bytes = tcpFrame(own.end, peer.end, { sequence: own.next, acknowledgement: flags & ack ? peer.next : 0, flags }, payload);
    own.next = (own.next + payload.length + (flags & (syn | fin) ? 1 : 0)) >>> 0;
    return bytes!;
  }
}

const other = (role: Role): Role => (role === 'client' ? 'server' : 'client');

export const captureOf = (frames: readonly CapturedFrame[], secrets?: readonly string[]): Uint8Array =>
  encodeCapture({ interfaces: ['mirror'], frames, secrets });
