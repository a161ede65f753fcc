/**
 * A NOR flash chip. Strict: programming a bit back to the erased state, off the program unit or outside the partition is a bug of the
 * firmware and throws. Power can be made to fail at any operation: before it, inside it (torn), or after it and before its answer.
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
import { EMPTY } from '../../hal/base/bytes.js';
import { ok } from '../../hal/base/result.js';
import type { Flash, FlashOp, Partition, Result } from '../../hal/hal.js';
import type { Host } from '../world/host.js';
import { type FlashHooks, FlashPort } from './flash-port.js';
import { SparseMemory } from './sparse-memory.js';

/**
 * Where power fails. `op` counts programs and erases of this chip from 1, `nth` every operation, reads and syncs too. `torn` leaves the
 * operation done for its first `octets` alone. Another kind of cut is another member here and another case in `NorFlash.commit`.
 */
export type PowerCut = ({ op: number } | { nth: number }) & ({ how: 'before' | 'after' } | { how: 'torn'; octets: number });

export class NorFlash {
  readonly partitions: readonly PlacedPartition[];
  readonly #table: SparseMemory;
  readonly #memories = new Map<string, SparseMemory>();
  readonly #size: number;
  #operations = 0;
  #all = 0;
  #cut: PowerCut | undefined;

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
    const number = op.type === 'read' || op.type === 'sync' ? undefined : ++this.#operations;
    const cut = this.#takeCut(nth, number);
    if (op.type === 'read') return { nth, bytes: this.memory(op.partition).read(op.offset, op.length), ...(cut ? { cut } : {}) };
    if (op.type !== 'sync' && cut?.how !== 'before') this.#apply(op, cut?.how === 'torn' ? cut.octets : undefined);
    return { nth, ...(number === undefined ? {} : { op: number }), ...(cut ? { cut } : {}) };
  }

  /** The planned cut, when this is the operation that it is for. */
  #takeCut(nth: number, op: number | undefined): PowerCut | undefined {
    const cut = this.#cut;
    if (!cut || ('nth' in cut ? cut.nth !== nth : cut.op !== op)) return undefined;
    this.#cut = undefined;
    return cut;
  }

  /** An operation, or its first octets. */
  #apply(op: Extract<FlashOp, { type: 'program' | 'erase' }>, octets = Number.POSITIVE_INFINITY): void {
    const memory = this.memory(op.partition);
    if (op.type === 'erase') {
      const { sector } = this.partitions.find((p) => p.name === op.partition)!;
      memory.erase(op.offset, Math.min(sector, octets));
      return;
    }
    const bytes = octets <= 0 ? EMPTY : op.bytes.subarray(0, Math.min(op.bytes.length, octets));
    const before = memory.read(op.offset, op.bytes.length);
    for (let i = 0; i < op.bytes.length; i++) {
      // A bit that has left the erased state stays: what is new must be a subset of what still stands erased.
      const raised = memory.erased === 0xff ? op.bytes[i]! & ~before[i]! : ~op.bytes[i]! & before[i]!;
      if ((raised & 0xff) !== 0) {
        throw new Error(`contract violation: program of ${op.partition} at ${op.offset + i} needs an erase first`);
      }
    }
    memory.write(op.offset, bytes);
  }
}
