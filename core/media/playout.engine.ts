/**
 * Turns the packets of one stream into even sound: decodes what is due, hides what is missing, and follows the wanted delay by whole
 * periods of the sound, so that neither pitch nor phase tells of it. Samples of 8 kHz, one a position.
 */
import { MILLISECOND } from '../../hal/base/time.js';
import type { Micros } from '../../hal/hal.js';
import { BLEND, Concealer, LONGEST_PERIOD } from './concealer.engine.js';
import { decodeG711, type G711Codec } from './g711.codec.js';
import { type JitterBuffer, MAX_PAYLOAD } from './jitter-buffer.engine.js';
import { TICK } from './rtp-reception.engine.js';

/** Samples of one pull: 20 ms. */
const PLAYOUT_FRAME = 160;
/** Decoded ahead at most: a pull, the longest payload, and a period inserted. */
const CAPACITY = PLAYOUT_FRAME + MAX_PAYLOAD + LONGEST_PERIOD;
/** Played too early by more than this, packets come late: a period is inserted. */
const EARLY = (10 * MILLISECOND) / TICK;
/** Played too late by more than this for longer than a second, a period is left out; at most five a second. */
const BEHIND = (30 * MILLISECOND) / TICK;
const BEHIND_PULLS = 50;
const BETWEEN_CUTS = 10;
/** Beyond this nothing is followed: the playing begins anew where it should be. */
const ASTRAY = (400 * MILLISECOND) / TICK;

export class Playout {
  codec: G711Codec;
  readonly #buffer: JitterBuffer;
  readonly #concealer = new Concealer();
  /** Decoded and not yet pulled: `#ahead[0, #count)`. */
  readonly #ahead = new Int16Array(CAPACITY);
  #count = 0;
  /** Position after the last decoded sample; undefined while nothing is playing. */
  #position: number | undefined;
  #pullsBehind = 0;

  constructor(buffer: JitterBuffer, codec: G711Codec) {
    this.#buffer = buffer;
    this.codec = codec;
  }

  /** Fills `out`, PLAYOUT_FRAME samples, with what is to be heard from `now` on. */
  pull(out: Int16Array, now: Micros): void {
    const due = this.#buffer.dueAt(now);
    this.#follow(due);
    if (this.#position === undefined && due !== undefined) this.#start(due);
    this.#fill(PLAYOUT_FRAME);
    out.set(this.#ahead.subarray(0, PLAYOUT_FRAME));
    this.#remove(0, PLAYOUT_FRAME);
  }

  /** Compares where the playing is with where it should be. */
  #follow(due: number | undefined): void {
    if (this.#position === undefined) return;
    const error = due === undefined ? ASTRAY + 1 : this.#position - this.#count - due;
    if (Math.abs(error) > ASTRAY) {
      this.#position = undefined;
      return;
    }
    if (error > EARLY) this.#insertPeriod();
    this.#pullsBehind = error < -BEHIND ? this.#pullsBehind + 1 : 0;
    if (this.#pullsBehind < BEHIND_PULLS) return;
    this.#pullsBehind -= BETWEEN_CUTS;
    this.#cutPeriod();
  }

  /** Begins at the earliest packet whose time has come; what should have been over before is late. */
  #start(due: number): void {
    const buffer = this.#buffer;
    while (buffer.head()) {
      if (buffer.headPosition > due) return;
      if (buffer.headPosition + buffer.headLength > due - PLAYOUT_FRAME) {
        this.#position = buffer.headPosition;
        return;
      }
      buffer.dropLate();
    }
  }

  /** Decodes, or makes up, until there are `wanted` samples ahead. */
  #fill(wanted: number): void {
    const buffer = this.#buffer;
    while (this.#count < wanted) {
      const waiting = this.#position !== undefined && buffer.head();
      const gap = waiting ? buffer.headPosition - this.#position! : wanted;
      if (gap > 0) this.#makeUp(Math.min(gap, wanted - this.#count));
      else if (-gap >= buffer.headLength) buffer.dropLate();
      else this.#decodeHead(-gap);
    }
  }

  #makeUp(length: number): void {
    this.#concealer.conceal(this.#ahead, this.#count, this.#count + length);
    this.#count += length;
    if (this.#position !== undefined) this.#position += length;
  }

  /** Decodes the earliest packet from its sample `skipped` on. */
  #decodeHead(skipped: number): void {
    const { payloads, headOffset, headLength } = this.#buffer;
    const end = this.#count + headLength - skipped;
    decodeG711(this.codec, payloads, headOffset + skipped, headOffset + headLength, this.#ahead, this.#count);
    this.#concealer.real(this.#ahead, this.#count, end);
    this.#position = this.#buffer.headPosition + headLength;
    this.#count = end;
    this.#buffer.dropHead();
  }

  /** Gives packets one period more time. Twice in a row without real sound between would be heard. */
  #insertPeriod(): void {
    if (this.#concealer.active || this.#count >= PLAYOUT_FRAME) return;
    const period = this.#concealer.period();
    this.#concealer.conceal(this.#ahead, this.#count, this.#count + period);
    this.#count += period;
  }

  /** Leaves one period out, blending from its beginning to what follows its end. */
  #cutPeriod(): void {
    this.#fill(PLAYOUT_FRAME + LONGEST_PERIOD);
    const ahead = this.#ahead;
    const period = this.#concealer.period();
    for (let i = 0; i < BLEND; i++) {
      const share = (i + 1) / (BLEND + 1);
      ahead[i] = Math.round(ahead[i]! * (1 - share) + ahead[i + period]! * share);
    }
    this.#remove(BLEND, period);
  }

  #remove(at: number, length: number): void {
    this.#ahead.copyWithin(at, at + length, this.#count);
    this.#count -= length;
  }
}
