/**
 * Puts packets back in order and tells when each is to be heard. Time is counted in positions: ticks of the RTP clock (8000 a second,
 * one octet each in G.711 and G.722) since the stream began.
 *
 * A packet is late by how much longer it travelled than the fastest. What 99 of 100 packets keep, and one frame more, is the delay at
 * which the stream is played: 40 ms at least, 200 ms at most.
 */
import { MILLISECOND } from '../../hal/base/time.js';
import type { Micros } from '../../hal/hal.js';
import { TICK } from './rtp-reception.engine.js';

/** Longest delay in packets of 20 ms, six times over: room for packets of 10 ms, bursts, and those after a loss. */
const SLOTS = 64;
/** Octets of the longest payload: 60 ms of G.711, the most that equipment sends. */
export const MAX_PAYLOAD = 480;

const MIN_DELAY: Micros = 40 * MILLISECOND;
const MAX_DELAY: Micros = 200 * MILLISECOND;
/** Before anything was measured: 60 ms. */
const FIRST_LATENESS: Micros = 40 * MILLISECOND;
/** The loudspeaker pulls 20 ms at once, so that the end of a pull is wanted as long before its time. */
const PULL: Micros = 20 * MILLISECOND;
const KEPT_SHARE = 0.99;
/** Lateness is counted in classes of 5 ms, up to the longest delay. */
const CLASS: Micros = 5 * MILLISECOND;
const CLASSES = MAX_DELAY / CLASS;
/** The weight of a packet halves in 7 s at 50 packets a second. */
const MEMORY = 0.998;
/** The fastest journey is forgotten at 200 ppm, twice what two bad crystals differ by: else a slow sender's packets were all late. */
const FORGET: Micros = 4;
/** A packet this late is none: the stream's clock was set back, or the path held it up beyond use. Time is measured anew from it. */
const MAX_LATENESS: Micros = 1_000 * MILLISECOND;

export type Insertion = 'queued' | 'late' | 'duplicate' | 'refused';

export class JitterBuffer {
  /** Of the packet that `head` found. */
  headPosition = 0;
  headLength = 0;
  /** Payloads of all slots; the head's is at `[headOffset, headOffset + headLength)`. */
  readonly payloads = new Uint8Array(SLOTS * MAX_PAYLOAD);
  headOffset = 0;
  /** Packets that came after their time. */
  late = 0;
  /** Extended sequence number of each slot; -1 where it is empty. */
  readonly #sequences = new Float64Array(SLOTS).fill(-1);
  readonly #positions = new Float64Array(SLOTS);
  readonly #lengths = new Uint16Array(SLOTS);
  /** Share of the packets in each class of lateness. */
  readonly #classes = new Float64Array(CLASSES + 1);
  /** Sequence numbers below are over; above the highest there is nothing. */
  #floor = 0;
  #highest = -1;
  /** The fastest journey, as arrival less position; undefined before the first packet. */
  #fastest: Micros | undefined;
  #position = 0;
  #timestamp = 0;
  #headSequence = 0;
  #delay: Micros = FIRST_LATENESS + PULL;

  constructor() {
    this.#classes[FIRST_LATENESS / CLASS - 1] = 1;
  }

  /** How long after the fastest journey a packet is played. */
  get delay(): Micros {
    return this.#delay;
  }

  /** The position to be heard at `now`; undefined before the first packet. */
  dueAt(now: Micros): number | undefined {
    return this.#fastest === undefined ? undefined : (now - this.#fastest - this.#delay) / TICK;
  }

  /** Forgets the stream, as for a new source; what was learned of the path is kept. */
  restart(): void {
    this.#sequences.fill(-1);
    this.#floor = 0;
    this.#highest = -1;
    this.#fastest = undefined;
  }

  /** Takes the payload `bytes[from, to)` of the packet with this extended sequence number, which arrived `at`. */
  insert(sequence: number, timestamp: number, bytes: Uint8Array, from: number, to: number, at: Micros): Insertion {
    if (to - from === 0 || to - from > MAX_PAYLOAD) return 'refused';
    const lateness = this.#measure(timestamp, at);
    if (lateness > MAX_LATENESS) {
      this.restart();
      this.#measure(timestamp, at);
    } else this.#learn(lateness);
    if (this.#highest < 0) this.#floor = Math.max(0, sequence - SLOTS / 2);
    if (sequence < this.#floor) {
      this.late++;
      return 'late';
    }
    const slot = sequence % SLOTS;
    if (this.#sequences[slot] === sequence) return 'duplicate';
    // Too far ahead for the ring: what stands in its way is given up.
    if (sequence >= this.#floor + SLOTS) this.#dropBelow(sequence - SLOTS + 1);
    this.#sequences[slot] = sequence;
    this.#positions[slot] = this.#position;
    this.#lengths[slot] = to - from;
    for (let i = from, o = slot * MAX_PAYLOAD; i < to; i++, o++) this.payloads[o] = bytes[i]!;
    this.#highest = Math.max(this.#highest, sequence);
    return 'queued';
  }

  /** Finds the earliest packet that waits; false where there is none. */
  head(): boolean {
    for (let sequence = this.#floor; sequence <= this.#highest; sequence++) {
      const slot = sequence % SLOTS;
      if (this.#sequences[slot] !== sequence) continue;
      this.headPosition = this.#positions[slot]!;
      this.headLength = this.#lengths[slot]!;
      this.headOffset = slot * MAX_PAYLOAD;
      this.#headSequence = sequence;
      return true;
    }
    return false;
  }

  /** Ends the packet that `head` found, and with it all before it. */
  dropHead(): void {
    this.#dropBelow(this.#headSequence + 1);
  }

  /** The same, for a packet whose time is over. */
  dropLate(): void {
    this.late++;
    this.dropHead();
  }

  #dropBelow(floor: number): void {
    for (let slot = 0; slot < SLOTS; slot++) if (this.#sequences[slot]! < floor) this.#sequences[slot] = -1;
    this.#floor = floor;
  }

  /** Places the packet on the stream's own time, and returns how much longer than the fastest it travelled. */
  #measure(timestamp: number, at: Micros): Micros {
    this.#position += (timestamp - this.#timestamp) | 0;
    this.#timestamp = timestamp;
    const journey = at - this.#position * TICK;
    this.#fastest = this.#fastest === undefined ? journey : Math.min(journey, this.#fastest + FORGET);
    return journey - this.#fastest;
  }

  #learn(lateness: Micros): void {
    const own = Math.min(CLASSES, Math.floor(lateness / CLASS));
    let kept = 0;
    let bound = -1;
    for (let i = 0; i <= CLASSES; i++) {
      this.#classes[i] = this.#classes[i]! * MEMORY + (i === own ? 1 - MEMORY : 0);
      kept += this.#classes[i]!;
      if (bound < 0 && kept >= KEPT_SHARE) bound = (i + 1) * CLASS;
    }
    this.#delay = Math.min(MAX_DELAY, Math.max(MIN_DELAY, bound + PULL));
  }
}
