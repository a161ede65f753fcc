/** A host's port to a simulated chip: operations one after the other, each in its time. */
import { BoundedQueue } from '../../hal/base/bounded-queue.js';
import { fail, invariant, ok } from '../../hal/base/result.js';
import type { Done, Flash, FlashOp, Micros, Partition } from '../../hal/hal.js';
import type { Host } from '../world/host.js';
import type { NorFlash } from './nor-flash.js';
import type { PowerCut } from './power-cut.js';

/** One operation done, for the timeline. `nth` and `op` are the numbers that a power cut names; reads and syncs change nothing and have no `op`. */
export interface FlashTrace {
  nth: number;
  op?: number;
  type: FlashOp['type'];
  partition: string;
  offset?: number;
  length?: number;
  at: Micros;
}

export interface FlashHooks {
  /** Must switch the host off. */
  onPowerCut(cut: PowerCut): void;
  onOp(op: FlashTrace): void;
}

interface Waiting {
  op: FlashOp;
  done: Done<Uint8Array | undefined>;
}

/** Operations waiting at once; one more answers `full`. A rewrite of a 4 MiB partition by pages fits. */
const QUEUE_LIMIT = 32_768;

/** Typical figures of a serial NOR chip (Winbond W25Q128JV datasheet, 9.6): page program 0.7 ms, sector erase 45 ms, reads at 50 MB/s. */
const PAGE = 256;
const PROGRAM_PAGE: Micros = 700;
const ERASE_SECTOR: Micros = 45_000;
const OCTETS_A_MICROSECOND = 50;
/** The time of a command on the bus; an operation never takes none. */
const COMMAND: Micros = 2;

export class FlashPort implements Flash {
  readonly partitions: readonly Partition[];
  readonly #chip: NorFlash;
  readonly #host: Host;
  readonly #hooks: FlashHooks;
  readonly #waiting = new BoundedQueue<Waiting>(QUEUE_LIMIT);

  constructor(chip: NorFlash, host: Host, hooks: FlashHooks) {
    this.#chip = chip;
    this.#host = host;
    this.#hooks = hooks;
    this.partitions = chip.partitions.map(({ name, size, sector, program, erased }) => ({ name, size, sector, program, erased }));
    host.atPowerOff(() => this.#waiting.clear());
  }

  submit(op: FlashOp, done: Done<Uint8Array | undefined>): void {
    this.#check(op);
    // The bytes are the caller's again when this returns.
    const own = op.type === 'program' ? { ...op, bytes: op.bytes.slice() } : op;
    if (!this.#waiting.push({ op: own, done })) {
      this.#host.after(0, () => done(fail('full', `${QUEUE_LIMIT} flash operations are waiting`), this.#host.now()));
    } else if (this.#waiting.size === 1) this.#start();
  }

  #check(op: FlashOp): void {
    const partition = this.partitions.find((p) => p.name === op.partition);
    invariant(partition !== undefined, `no partition ${op.partition}`);
    if (op.type === 'sync') return;
    const unit = op.type === 'erase' ? partition.sector : op.type === 'program' ? partition.program : 1;
    const length = op.type === 'erase' ? partition.sector : op.type === 'program' ? op.bytes.length : op.length;
    const what = `${op.type} of ${length} octets at ${op.offset} in ${op.partition}`;
    invariant(op.offset >= 0 && length >= 0 && op.offset + length <= partition.size, `${what}: outside its ${partition.size}`);
    invariant(op.offset % unit === 0 && length % unit === 0, `${what}: not in units of ${unit}`);
  }

  #start(): void {
    const next = this.#waiting.peek();
    if (next) this.#host.after(duration(next.op), () => this.#finish());
  }

  #finish(): void {
    const { op, done } = this.#waiting.shift()!;
    const { bytes, cut, ...numbers } = this.#chip.commit(op);
    if (cut) {
      this.#hooks.onPowerCut(cut);
      return;
    }
    const at = this.#host.now();
    this.#hooks.onOp({ ...numbers, ...extent(op), at });
    this.#start();
    done(ok(bytes), at);
  }
}

function extent(op: FlashOp): Omit<FlashTrace, 'nth' | 'op' | 'at'> {
  const { type, partition } = op;
  if (op.type === 'sync') return { type, partition };
  if (op.type === 'erase') return { type, partition, offset: op.offset };
  return { type, partition, offset: op.offset, length: op.type === 'program' ? op.bytes.length : op.length };
}

function duration(op: FlashOp): Micros {
  switch (op.type) {
    case 'read':
      return COMMAND + Math.ceil(op.length / OCTETS_A_MICROSECOND);
    case 'program':
      return COMMAND + Math.ceil(op.bytes.length / PAGE) * PROGRAM_PAGE;
    case 'erase':
      return COMMAND + ERASE_SECTOR;
    case 'sync':
      return COMMAND;
  }
}
