/** One direction of a link: what a cable, or the network behind it, does to frames. */
import type { Micros } from '../../hal/hal.js';
import type { Random } from '../world/random.js';
import type { World } from '../world/world.js';

/** Faults of one direction of one link. Chances are from 0 to 1 and independent of each other. */
export interface LinkFaults {
  /** Time that every frame takes. A frame from host to host crosses two links. */
  latency: Micros;
  /**
   * Added to it: evenly spread from 0 to this, anew for each instant at which frames are sent. Those of one instant are a burst, which a
   * queue delays alike; frames further apart, and closer than this, may change order.
   */
  jitter: Micros;
  loss: number;
  /** Chance that a frame arrives twice. */
  duplicate: number;
  /** Chance that a frame is held back, so that later ones overtake it. */
  reorder: number;
  /** Bits a second; absent: a frame takes no time of its own. */
  rate?: number;
}

export const IDEAL_LINK: LinkFaults = { latency: 0, jitter: 0, loss: 0, duplicate: 0, reorder: 0 };

/** Frames. `sent` counts what was given to the link; what was `duplicated` arrives once more than that. */
export interface LinkStats {
  sent: number;
  delivered: number;
  dropped: number;
  duplicated: number;
  /** Delivered after a frame that was sent later. */
  reordered: number;
}

/** How long a frame is held back for the `reorder` fault: longer than the 20 ms between voice packets, so that it reaches those too. */
const REORDER_HOLD: Micros = 25_000;
/** Frames on their way at once; more are dropped. A second of full-sized frames at 100 Mbit/s. */
const IN_FLIGHT_LIMIT = 8_192;

export class LinkDirection {
  readonly stats: LinkStats = { sent: 0, delivered: 0, dropped: 0, duplicated: 0, reordered: 0 };
  faults: LinkFaults;
  readonly #world: World;
  readonly #host: string;
  readonly #deliver: (frame: Uint8Array) => void;
  readonly #random: Record<'jitter' | 'loss' | 'duplicate' | 'reorder', Random>;
  #up = true;
  /** Counts the cuts: a frame that was under way when the link was cut is lost, also if the link has come back. */
  #cuts = 0;
  #inFlight = 0;
  #lastDelivered = 0;
  #busyUntil: Micros = 0;
  /** When the present burst was sent, and its jitter. */
  #burstAt: Micros = -1;
  #wander: Micros = 0;

  /** `name` names the random streams, one a fault: a fault switched on moves nothing in the others. */
  constructor(world: World, name: string, faults: LinkFaults, deliver: (frame: Uint8Array) => void) {
    this.#world = world;
    this.#host = `link ${name}`;
    this.faults = faults;
    this.#deliver = deliver;
    const stream = (fault: string): Random => world.random(`lan:${name}:${fault}`);
    this.#random = { jitter: stream('jitter'), loss: stream('loss'), duplicate: stream('duplicate'), reorder: stream('reorder') };
  }

  /** Every frame that arrives is a copy of its own: its receiver may change it, and the caller may use its buffer again. */
  send(frame: Uint8Array): void {
    const { stats, faults } = this;
    const order = ++stats.sent;
    if (!this.#up || this.#inFlight >= IN_FLIGHT_LIMIT || this.#random.loss.chance(faults.loss)) {
      stats.dropped++;
      return;
    }
    const leaves = this.#serialize(frame);
    this.#drawJitter();
    this.#carry(frame, order, leaves);
    if (!this.#random.duplicate.chance(faults.duplicate)) return;
    stats.duplicated++;
    this.#carry(frame, order, leaves);
  }

  cut(): void {
    this.#up = false;
    this.#cuts++;
  }

  restore(): void {
    this.#up = true;
  }

  /** When the last bit of the frame is on the wire. */
  #serialize(frame: Uint8Array): Micros {
    const { rate } = this.faults;
    if (rate === undefined) return this.#world.now;
    this.#busyUntil = Math.max(this.#busyUntil, this.#world.now) + Math.ceil((frame.length * 8e6) / rate);
    return this.#busyUntil;
  }

  #drawJitter(): void {
    const { now } = this.#world;
    if (now === this.#burstAt) return;
    this.#burstAt = now;
    this.#wander = this.#random.jitter.below(this.faults.jitter + 1);
  }

  #carry(frame: Uint8Array, order: number, leaves: Micros): void {
    const { latency, reorder } = this.faults;
    const held = this.#random.reorder.chance(reorder) ? REORDER_HOLD : 0;
    const cuts = this.#cuts;
    this.#inFlight++;
    const copy = frame.slice();
    this.#world.at(leaves + latency + this.#wander + held, () => this.#arrive(copy, order, cuts), this.#host);
  }

  #arrive(frame: Uint8Array, order: number, cuts: number): void {
    this.#inFlight--;
    if (cuts !== this.#cuts) {
      this.stats.dropped++;
      return;
    }
    this.stats.delivered++;
    if (order < this.#lastDelivered) this.stats.reordered++;
    else this.#lastDelivered = order;
    this.#deliver(frame);
  }
}
