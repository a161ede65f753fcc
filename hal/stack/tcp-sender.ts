/**
 * The sending half of a connection once it is open: what to send next and when to send it again (RFC 9293 parts 3.8.1 to 3.8.6,
 * RFC 5681, RFC 6582, RFC 6298). Nagle's rule is left out: signalling is written a message at a time, and must not wait.
 */
import { SECOND } from '../base/time.js';
import type { Micros } from '../hal.js';
import { ByteRing } from './byte-ring.js';
import { Congestion } from './tcp-congestion.js';
import { RetransmissionTimeout } from './tcp-rto.js';
import { advance, distance } from './tcp-sequence.js';

/** Octets written and not yet acknowledged. */
export const SEND_BUFFER = 16 * 1024;
/** A peer that acknowledges nothing for that long is gone (RFC 9293 part 3.8.3, R2: at least 100 s). */
export const USER_TIMEOUT: Micros = 100 * SECOND;
/** What a peer takes that does not say otherwise (RFC 9293 part 3.7.1). */
export const DEFAULT_MSS = 536;
/** RFC 5681 part 3.2. */
const DUPLICATES = 3;

/** A segment to send: `length` octets from `offset` of the buffer on. */
export interface Chunk {
  sequence: number;
  offset: number;
  length: number;
  fin: boolean;
  push: boolean;
}
export interface SenderStart {
  /** Octets of data a segment. */
  mss: number;
  /** The peer's window, and the sequence number of the segment that offered it. */
  window: number;
  windowFrom: number;
  /** The SYN had to be sent again. */
  synLost: boolean;
  /** Measured on the SYN, if it was sent once. */
  roundTrip?: Micros;
}
export interface Acknowledgment {
  sequence: number;
  acknowledgment: number;
  window: number;
  /** It holds neither data nor FIN. */
  bare: boolean;
}

export class TcpSender {
  readonly #buffer = new ByteRing(SEND_BUFFER);
  #rto = new RetransmissionTimeout(false);
  #congestion = new Congestion(DEFAULT_MSS, false);
  /** SND.UNA, SND.NXT, and the highest SND.NXT ever: after a timeout, sending starts again at SND.UNA. */
  #unacknowledged: number;
  #next: number;
  #highest: number;
  /** SND.WND, SND.WL1, SND.WL2, and the largest window seen. */
  #window = 0;
  #windowFrom = 0;
  #windowAcknowledged = 0;
  #largestWindow = 0;
  #ended = false;
  #finAcknowledged = false;
  #duplicates = 0;
  /** The highest sequence number at the last loss: duplicates up to there tell nothing new (RFC 6582 part 3.2). */
  #recover: number;
  /** Send the first segment again, or ask a closed window, whatever the windows say. */
  #resend = false;
  #probe = false;
  /** The one segment whose round trip is being measured. */
  #timed: { end: number; at: Micros } | undefined;
  /** Since when the peer has owed an answer. */
  #waitingSince: Micros | undefined;
  #deadline: Micros | undefined;

  /** `first` is the sequence number after our SYN. What is written before `open` waits. */
  constructor(first: number) {
    this.#unacknowledged = first;
    this.#next = first;
    this.#highest = first;
    this.#recover = advance(first, -1);
    this.#windowAcknowledged = first;
  }

  /** Our SYN was acknowledged. */
  open({ mss, window, windowFrom, synLost, roundTrip }: SenderStart): void {
    this.#window = window;
    this.#largestWindow = window;
    this.#windowFrom = windowFrom;
    this.#congestion = new Congestion(mss, synLost);
    this.#rto = new RetransmissionTimeout(synLost);
    if (roundTrip !== undefined) this.#rto.sample(roundTrip);
  }

  /** SND.UNA. */
  get unacknowledged(): number {
    return this.#unacknowledged;
  }

  /** The highest SND.NXT: the sequence number of a segment without data, and the last that the peer may acknowledge. */
  get sequence(): number {
    return this.#highest;
  }

  get largestWindow(): number {
    return this.#largestWindow;
  }

  /** When `expire` is to be called. */
  get deadline(): Micros | undefined {
    return this.#deadline;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Everything, FIN included, is acknowledged. */
  get done(): boolean {
    return this.#finAcknowledged;
  }

  /** Octets that `write` would take. */
  get room(): number {
    return this.#ended ? 0 : this.#buffer.room;
  }

  /** Number of octets taken. */
  write(bytes: Uint8Array): number {
    return this.#ended ? 0 : this.#buffer.push(bytes);
  }

  /** After what was written a FIN follows; nothing more is taken. */
  end(): void {
    this.#ended = true;
  }

  /** Puts the data of a chunk into a segment. */
  copy(chunk: Chunk, out: Uint8Array, at: number): void {
    if (chunk.length > 0) this.#buffer.copy(chunk.offset, chunk.length, out, at);
  }

  /** The path carries less than was thought (RFC 1191): what is in flight is sent again in smaller pieces. */
  shrink(mss: number): void {
    if (mss >= this.#congestion.mss) return;
    this.#congestion = new Congestion(mss, true);
    this.#next = this.#unacknowledged;
    this.#timed = undefined;
  }

  /** An ACK that lies between SND.UNA and the highest sent. */
  acknowledge(ack: Acknowledgment, now: Micros): void {
    const octets = distance(this.#unacknowledged, ack.acknowledgment);
    const sameWindow = ack.window === this.#window;
    this.#updateWindow(ack);
    if (octets > 0) this.#advance(octets, ack.acknowledgment, now);
    else if (this.#flight === 0) this.#answered();
    else if (ack.bare && sameWindow) this.#duplicate();
  }

  /** The next segment that may leave; call until there is none. */
  next(now: Micros): Chunk | undefined {
    const chunk = this.#forced() ?? this.#regular();
    if (chunk) this.#sent(chunk, now);
    else if (this.#flight === 0 && this.#pending) this.#deadline ??= now + this.#rto.value;
    return chunk;
  }

  /** The deadline came: `next` has something to send again. False when the peer has been silent for too long. */
  expire(now: Micros): boolean {
    this.#deadline = undefined;
    if (this.#waitingSince !== undefined && now - this.#waitingSince >= USER_TIMEOUT) return false;
    this.#timed = undefined;
    if (this.#flight > 0) {
      this.#congestion.timeout(this.#flight, this.#rto.backedOff);
      this.#recover = this.#highest;
      this.#duplicates = 0;
      this.#next = this.#unacknowledged;
      this.#resend = true;
    } else this.#probe = true;
    this.#rto.backOff();
    return true;
  }

  /** Octets of sequence space sent and not acknowledged. */
  get #flight(): number {
    return distance(this.#unacknowledged, this.#next);
  }

  /** Something was written, or a FIN asked for, that has not been sent. */
  get #pending(): boolean {
    return this.#flight < this.#buffer.length + (this.#ended && !this.#finAcknowledged ? 1 : 0);
  }

  #updateWindow({ sequence, acknowledgment, window }: Acknowledgment): void {
    const newer = distance(this.#windowFrom, sequence);
    if (newer < 0 || (newer === 0 && distance(this.#windowAcknowledged, acknowledgment) < 0)) return;
    this.#window = window;
    this.#windowFrom = sequence;
    this.#windowAcknowledged = acknowledgment;
    this.#largestWindow = Math.max(this.#largestWindow, window);
  }

  #advance(octets: number, acknowledgment: number, now: Micros): void {
    if (this.#timed && distance(this.#timed.end, acknowledgment) >= 0) {
      this.#rto.sample(now - this.#timed.at);
      this.#timed = undefined;
    }
    if (octets > this.#buffer.length) this.#finAcknowledged = true;
    this.#buffer.drop(Math.min(octets, this.#buffer.length));
    this.#unacknowledged = acknowledgment;
    if (this.#flight < 0) this.#next = acknowledgment;
    this.#rto.progress();
    this.#resend = false;
    if (!this.#congestion.recovering) {
      this.#duplicates = 0;
      this.#congestion.acknowledged(octets);
    } else if (distance(this.#recover, acknowledgment) >= 0) {
      this.#duplicates = 0;
      this.#congestion.leaveRecovery(this.#flight);
    } else {
      this.#congestion.partial(octets);
      this.#resend = true;
    }
    const waiting = this.#flight > 0;
    this.#waitingSince = waiting ? now : undefined;
    this.#deadline = waiting ? this.#deadlineAfter(now) : undefined;
  }

  /** Nothing is in flight and the peer spoke: it is there, and what keeps us from sending is its window alone. */
  #answered(): void {
    this.#waitingSince = undefined;
    this.#deadline = undefined;
    if (this.#window > 0) this.#rto.progress();
  }

  #duplicate(): void {
    this.#duplicates++;
    if (this.#congestion.recovering) this.#congestion.duplicate();
    else if (this.#duplicates === DUPLICATES && distance(this.#recover, this.#unacknowledged) > 0) {
      this.#congestion.enterRecovery(this.#flight);
      this.#recover = this.#highest;
      this.#resend = true;
    }
  }

  #forced(): Chunk | undefined {
    if (this.#resend) {
      this.#resend = false;
      return this.#chunk(0, Math.min(this.#buffer.length, this.#congestion.mss), this.#ended);
    }
    if (!this.#probe) return undefined;
    this.#probe = false;
    // A window too small to be worth a segment is used when nothing better came in time (RFC 9293 part 3.8.6.2.1).
    const length = Math.min(this.#window, this.#buffer.length, this.#congestion.mss);
    if (this.#window > 0) return this.#chunk(0, length, this.#ended && length < this.#window);
    // As Linux does: an empty segment that lies before the window must be answered with an ACK, and moves nothing.
    return { sequence: advance(this.#unacknowledged, -1), offset: 0, length: 0, fin: false, push: false };
  }

  #regular(): Chunk | undefined {
    if (!this.#pending) return undefined;
    const { window, mss, recovering } = this.#congestion;
    // The first two duplicates let one new segment out each (RFC 3042), so that a small flight still brings about the third.
    const limited = recovering ? 0 : Math.min(this.#duplicates, DUPLICATES - 1) * mss;
    const usable = Math.min(this.#window, window + limited) - this.#flight;
    const unsent = this.#buffer.length - this.#flight;
    const length = Math.min(unsent, usable, mss);
    if (length < 0 || usable <= 0) return undefined;
    // No silly windows (RFC 9293 part 3.8.6.2.1).
    if (length < unsent && length < mss && length < this.#largestWindow / 2) return undefined;
    return this.#chunk(this.#flight, length, this.#ended && length < usable);
  }

  /** `fin` where there is one to send and all data is in this chunk. */
  #chunk(offset: number, length: number, fin: boolean): Chunk {
    const last = offset + length === this.#buffer.length;
    return { sequence: advance(this.#unacknowledged, offset), offset, length, fin: fin && last, push: last };
  }

  #sent({ sequence, length, fin }: Chunk, now: Micros): void {
    const end = advance(sequence, length + (fin ? 1 : 0));
    const fresh = sequence === this.#highest && distance(this.#highest, end) > 0;
    this.#timed = fresh ? (this.#timed ?? { end, at: now }) : undefined;
    if (distance(this.#next, end) > 0) this.#next = end;
    if (distance(this.#highest, end) > 0) this.#highest = end;
    this.#waitingSince ??= now;
    this.#deadline ??= this.#deadlineAfter(now);
  }

  #deadlineAfter(now: Micros): Micros {
    return Math.min(now + this.#rto.value, (this.#waitingSince ?? now) + USER_TIMEOUT);
  }
}
