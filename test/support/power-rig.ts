/**
 * A flash port over the simulator's strict NOR chip, stepped by hand, whose power fails where a test says: before, inside or after any
 * program, erase or sync, and with what was not synced yet landing in any order or not at all.
 */
import { ok } from '../../hal/base/result.js';
import type { Done, Flash, FlashOp, Partition } from '../../hal/hal.js';
import { NorFlash } from '../../sim/flash/nor-flash.js';
import { randomFrom } from './mutation.js';

/** `op` counts programs, erases and syncs from 1. `shuffled`: of what came since the last sync some operations land, in another order. */
export type Cut = { op: number } & ({ how: 'before' | 'after' } | { how: 'torn'; octets: number } | { how: 'shuffled'; seed: number });

type Change = Extract<FlashOp, { type: 'program' | 'erase' }>;

export class PowerRig implements Flash {
  readonly partitions: readonly Partition[];
  /** Programs, erases and syncs begun since this rig was made, in order. */
  readonly operations: FlashOp[] = [];
  off = false;
  #chip: NorFlash;
  #synced: Uint8Array;
  #unsynced: Change[] = [];
  readonly #waiting: { op: FlashOp; done: Done<Uint8Array | undefined> }[] = [];

  constructor(
    partitions: readonly Partition[],
    readonly cut?: Cut,
    image?: Uint8Array,
  ) {
    this.partitions = partitions;
    const chip = image ? NorFlash.fromImage(image) : ok(new NorFlash(partitions));
    if (!chip.ok) throw new Error(chip.error);
    this.#chip = chip.value;
    this.#synced = this.#chip.image();
  }

  submit(op: FlashOp, done: Done<Uint8Array | undefined>): void {
    this.#waiting.push({ op: op.type === 'program' ? { ...op, bytes: op.bytes.slice() } : op, done });
  }

  /** Completes operations until none waits or power fails. */
  run(): void {
    for (let next = this.#waiting.shift(); next && !this.off; next = this.#waiting.shift()) {
      const bytes = this.#apply(next.op);
      if (!this.off) next.done(ok(bytes), 0);
    }
  }

  /** What is on the chip, for the next boot. */
  image(): Uint8Array {
    return this.#chip.image();
  }

  #apply(op: FlashOp): Uint8Array | undefined {
    if (op.type === 'read') return this.#chip.commit(op).bytes;
    this.operations.push(op);
    if (this.cut?.op === this.operations.length) this.#fail(op, this.cut);
    else if (op.type === 'sync') {
      this.#synced = this.#chip.image();
      this.#unsynced = [];
    } else {
      this.#unsynced.push(op);
      this.#chip.commit(op);
    }
    return undefined;
  }

  #fail(op: FlashOp, cut: Cut): void {
    this.off = true;
    if (cut.how === 'shuffled') this.#shuffle(cut.seed);
    else if (op.type !== 'sync' && op.type !== 'read' && cut.how !== 'before')
      this.#chip.commit(cut.how === 'torn' ? this.#torn(op, cut.octets) : op);
  }

  /** A program of its first octets, the rest erased; an erase of a sector's first octets is a program that the model does for itself. */
  #torn(op: Change, octets: number): FlashOp {
    if (op.type === 'program') {
      const erased = this.partitions.find((p) => p.name === op.partition)!.erased;
      return { ...op, bytes: op.bytes.map((byte, at) => (at < octets ? byte : erased)) };
    }
    this.#chip.cutPowerAt({ op: this.#chip.operations + 1, how: 'torn', octets });
    return op;
  }

  #shuffle(seed: number): void {
    const random = randomFrom(seed);
    const chip = NorFlash.fromImage(this.#synced);
    if (!chip.ok) throw new Error(chip.error);
    this.#chip = chip.value;
    const landing = this.#unsynced.filter(() => random(2) === 0);
    while (landing.length > 0) this.#chip.commit(landing.splice(random(landing.length), 1)[0]!);
  }
}
