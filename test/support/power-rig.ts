/** A flash port over the simulator's NOR chip, stepped by hand, so that a commit and a power cut are two lines of a test and no time. */
import { ok } from '../../hal/base/result.js';
import type { Done, Flash, FlashOp, Partition } from '../../hal/hal.js';
import type { NorFlash } from '../../sim/flash/nor-flash.js';

export class PowerRig implements Flash {
  readonly partitions: readonly Partition[];
  /** Programs, erases and syncs begun since this rig was made, in order. */
  readonly operations: FlashOp[] = [];
  readonly #waiting: { op: FlashOp; done: Done<Uint8Array | undefined> }[] = [];
  #off = false;

  /** The chip's planned power cut switches this off; the next boot is another rig over the same chip. */
  constructor(readonly chip: NorFlash) {
    this.partitions = chip.partitions;
  }

  submit(op: FlashOp, done: Done<Uint8Array | undefined>): void {
    this.#waiting.push({ op: op.type === 'program' ? { ...op, bytes: op.bytes.slice() } : op, done });
  }

  /** Completes operations until none waits or power fails. */
  run(): void {
    for (let next = this.#waiting.shift(); next && !this.#off; next = this.#waiting.shift()) {
      const { op, done } = next;
      if (op.type !== 'read') this.operations.push(op);
      const { bytes, cut } = this.chip.commit(op);
      this.#off = cut !== undefined;
      if (!this.#off) done(ok(bytes), 0);
    }
  }
}

/** As a cell does that loses its charge. */
export function turnBit(chip: NorFlash, partition: string, offset: number): void {
  const memory = chip.memory(partition);
  memory.write(offset, Uint8Array.of(memory.read(offset, 1)[0]! ^ 4));
}
