/**
 * A NOR flash chip. Strict: programming a bit back to the erased state, off the program unit or outside the partition is a bug of the
 * firmware and throws. Power can be made to fail at any operation (`power-cut.ts` has the ways).
 *
 * The chip outlives the hosts: a reboot attaches another host to the same chip.
 */
import {
  decodePartitionTable,
  encodePartitionTable,
  type PlacedPartition,
  placePartitions,
  TABLE_SECTOR,
} from '../../core/storage/image.codec.js';
import { equal } from '../../hal/base/bytes.js';
import { ok } from '../../hal/base/result.js';
import type { Flash, FlashOp, Partition, Result } from '../../hal/hal.js';
import type { Host } from '../world/host.js';
import { randomStream } from '../world/random.js';
import { type FlashHooks, FlashPort } from './flash-port.js';
import { afterChange, type Change, leftBy, type PowerCut, torn } from './power-cut.js';
import { SparseMemory } from './sparse-memory.js';

interface Unsynced {
  op: Change;
  /** What its range held. */
  before: Uint8Array;
}

export class NorFlash {
  readonly partitions: readonly PlacedPartition[];
  readonly #table: SparseMemory;
  readonly #memories = new Map<string, SparseMemory>();
  readonly #size: number;
  #operations = 0;
  #all = 0;
  #cut: PowerCut | undefined;
  /** While a cut is planned that lands operations out of order: those that their partitions have not synced since. */
  #unsynced: Unsynced[] = [];

  /** A chip with its partition table and nothing else on it. */
  constructor(partitions: readonly Partition[]) {
    const placed = placePartitions(partitions);
    this.partitions = placed.partitions;
    this.#size = placed.size;
    this.#table = new SparseMemory(TABLE_SECTOR, 0xff);
    this.#table.write(0, encodePartitionTable(partitions));
    for (const partition of partitions) this.#memories.set(partition.name, new SparseMemory(partition.size, partition.erased));
  }

  /** The chip that an image was taken from; octets missing at its end are erased. The error says in words what is wrong. */
  static fromImage(image: Uint8Array): Result<NorFlash, string> {
    const partitions = decodePartitionTable(image.subarray(0, TABLE_SECTOR));
    if (!partitions.ok) return partitions;
    const chip = new NorFlash(partitions.value);
    for (const { name, offset, size } of chip.partitions) chip.memory(name).write(0, image.subarray(offset, offset + size));
    return ok(chip);
  }

  /** A chip with the same octets, as if it were new: no operation was done on it, and no power cut is planned. */
  copy(): NorFlash {
    const copy = new NorFlash(this.partitions);
    for (const [name, memory] of this.#memories) copy.#memories.set(name, memory.copy());
    return copy;
  }

  /** Every octet of the chip. */
  image(): Uint8Array {
    const out = new Uint8Array(this.#size);
    out.set(this.#table.read(0, TABLE_SECTOR));
    for (const { name, offset, size } of this.partitions) out.set(this.memory(name).read(0, size), offset);
    return out;
  }

  /** Programs and erases done so far. */
  get operations(): number {
    return this.#operations;
  }

  /** Operations done so far, with reads and syncs. */
  get allOperations(): number {
    return this.#all;
  }

  /** Plans the next power failure, in place of one planned before. */
  cutPowerAt(cut: PowerCut | undefined): void {
    this.#cut = cut;
    this.#unsynced = [];
  }

  /** The flash port of a host that runs on this chip. */
  attach(host: Host, hooks: FlashHooks): Flash {
    return new FlashPort(this, host, hooks);
  }

  /** Octets of one partition; for a port. */
  memory(partition: string): SparseMemory {
    const memory = this.#memories.get(partition);
    if (!memory) throw new Error(`contract violation: no partition ${partition}`);
    return memory;
  }

  /** Carries out one operation, or as much of it as power allows; says whether power failed. For a port. */
  commit(op: FlashOp): { nth: number; op?: number; bytes?: Uint8Array; cut?: PowerCut } {
    const nth = ++this.#all;
    const number = op.type === 'read' || op.type === 'sync' ? {} : { op: ++this.#operations };
    const cut = this.#isCutAt(nth, number.op) ? this.#cut : undefined;
    const read = op.type === 'read' ? { bytes: this.memory(op.partition).read(op.offset, op.length) } : {};
    if (op.type === 'program' || op.type === 'erase') this.#change(op, cut);
    else if (op.type === 'sync' && !cut) this.#unsynced = this.#unsynced.filter(({ op: { partition } }) => partition !== op.partition);
    if (cut) {
      if (cut.how === 'reordered') this.#reorder(cut.seed);
      this.cutPowerAt(undefined);
    }
    return { nth, ...number, ...read, ...(cut ? { cut } : {}) };
  }

  #isCutAt(nth: number, op: number | undefined): boolean {
    const cut = this.#cut;
    return cut !== undefined && ('nth' in cut ? cut.nth === nth : cut.op === op);
  }

  #change(op: Change, cut: PowerCut | undefined): void {
    const memory = this.memory(op.partition);
    const { before, after } = this.#effect(op);
    if (op.type === 'program' && !equal(op.bytes, after)) {
      const refused = op.offset + op.bytes.findIndex((octet, i) => octet !== after[i]);
      throw new Error(`contract violation: program of ${op.partition} at ${refused} needs an erase first`);
    }
    memory.write(op.offset, cut ? leftBy(cut, before, after) : after);
    if (this.#cut?.how === 'reordered') this.#unsynced.push({ op, before });
  }

  /** What stands in an operation's range, and what will when it is done. */
  #effect(op: Change): { before: Uint8Array; after: Uint8Array } {
    const memory = this.memory(op.partition);
    const length = op.type === 'program' ? op.bytes.length : this.partitions.find((p) => p.name === op.partition)!.sector;
    const before = memory.read(op.offset, length);
    return { before, after: afterChange(op, before, memory.erased) };
  }

  /** As if the unsynced operations had waited in a queue without order, and power had failed while it was emptied. */
  #reorder(seed: number): void {
    const random = randomStream(seed, 'power cut');
    for (const { op, before } of this.#unsynced.reverse()) this.memory(op.partition).write(op.offset, before);
    const landing = this.#unsynced.filter(() => random.chance(0.5));
    while (landing.length > 0) {
      const [{ op }] = landing.splice(random.below(landing.length), 1) as [Unsynced];
      const { before, after } = this.#effect(op);
      const whole = landing.length > 0 || random.chance(0.5);
      this.memory(op.partition).write(op.offset, whole ? after : torn(before, after, random.below(after.length)));
    }
  }
}
