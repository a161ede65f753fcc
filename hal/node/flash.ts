/**
 * `Flash` over a file that holds the octets of a NOR chip. The rules of the chip are kept strictly, so that firmware which runs here runs
 * there. What is submitted is so at once for later reads; the file follows in the same order, and `done` tells when it has.
 */
import { closeSync, existsSync, fdatasync, openSync, readFileSync, statSync, write } from 'node:fs';
import { BoundedQueue } from '../base/bounded-queue.js';
import { fail, invariant, ok } from '../base/result.js';
import type { Done, Flash, FlashOp, HalError, Micros, Partition, Result } from '../hal.js';
import { type FileLock, lockFile } from './file-lock.js';
import { halError } from './node-errors.js';

/** The largest chip that is held in memory. */
const LARGEST_IMAGE = 64 * 1024 * 1024;
/** Operations waiting at once; one more answers `full`. A rewrite of a 4 MiB partition by pages fits. */
const QUEUE_LIMIT = 32_768;

/** Where a partition lies on the chip. */
export interface PlacedPartition extends Partition {
  offset: number;
}

export interface FlashImageOptions {
  path: string;
  /** Reads the partition table off the image; the reason why not, in words. */
  partitionsOf(image: Uint8Array): Result<readonly PlacedPartition[], string>;
  clock: { now(): Micros };
}

export interface FlashImage {
  flash: Flash;
  /** Drops what is not yet written, and lets the image go. */
  close(): void;
}

/** `not-found`, `addr-in-use` (another process has the image), `unsupported` (it is no image), `too-big`. */
export function openFlashImage({ path, partitionsOf, clock }: FlashImageOptions): Result<FlashImage, HalError> {
  if (!existsSync(path)) return fail('not-found', `there is no flash image ${path}`);
  const lock = lockFile(path);
  if (!lock.ok) return lock;
  const opened = openLocked({ path, partitionsOf, clock }, lock.value);
  if (!opened.ok) lock.value.release();
  return opened;
}

function openLocked({ path, partitionsOf, clock }: FlashImageOptions, lock: FileLock): Result<FlashImage, HalError> {
  try {
    const { size } = statSync(path);
    if (size > LARGEST_IMAGE) return fail('too-big', `${path} has ${size} octets, no chip of ours more than ${LARGEST_IMAGE}`);
    const image = new Uint8Array(readFileSync(path));
    const partitions = partitionsOf(image);
    if (!partitions.ok) return fail('unsupported', `${path} is no flash image: ${partitions.error}`);
    if (partitions.value.some((partition) => partition.offset + partition.size > image.length))
      return fail('unsupported', `${path} is cut short: its partitions reach beyond its ${image.length} octets`);
    return ok(new ImageFlash(openSync(path, 'r+'), lock, image, partitions.value, clock));
  } catch (error) {
    return { ok: false, error: halError(error as NodeJS.ErrnoException) };
  }
}

interface Waiting {
  /** What is to reach the file: octets at a place, or everything so far; nothing for a read. */
  write?: { at: number; bytes: Uint8Array } | 'sync';
  answer: Uint8Array | undefined;
  done: Done<Uint8Array | undefined>;
}

class ImageFlash implements Flash, FlashImage {
  readonly partitions: readonly Partition[];
  readonly flash: Flash = this;
  readonly #waiting = new BoundedQueue<Waiting>(QUEUE_LIMIT);
  #closed = false;
  /** Once the file has refused a write it no longer holds what memory does: nothing is answered but this. */
  #failure: string | undefined;

  constructor(
    readonly fd: number,
    readonly lock: FileLock,
    readonly image: Uint8Array,
    readonly placed: readonly PlacedPartition[],
    readonly clock: { now(): Micros },
  ) {
    this.partitions = placed.map(({ name, size, sector, program, erased }) => ({ name, size, sector, program, erased }));
  }

  submit(op: FlashOp, done: Done<Uint8Array | undefined>): void {
    const partition = this.placed.find(({ name }) => name === op.partition);
    invariant(partition !== undefined, `no partition ${op.partition}`);
    if (this.#closed) return;
    if (this.#waiting.size === QUEUE_LIMIT) {
      setImmediate(() => done(fail('full', `${QUEUE_LIMIT} flash operations are waiting`), this.clock.now()));
      return;
    }
    this.#waiting.push({ ...this.#apply(op, partition), done });
    if (this.#waiting.size === 1) this.#next();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.fd);
    this.lock.release();
  }

  /** The operation on the image in memory, by the rules of the chip. */
  #apply(op: FlashOp, partition: PlacedPartition): Omit<Waiting, 'done'> {
    if (op.type === 'sync') return { write: 'sync', answer: undefined };
    const length = op.type === 'read' ? op.length : op.type === 'erase' ? partition.sector : op.bytes.length;
    const what = `${op.type} of ${length} octets at ${op.offset} in ${op.partition}`;
    invariant(op.offset >= 0 && length >= 0 && op.offset + length <= partition.size, `${what}: outside its ${partition.size}`);
    const at = partition.offset + op.offset;
    if (op.type === 'read') return { answer: this.image.slice(at, at + length) };
    const unit = op.type === 'erase' ? partition.sector : partition.program;
    invariant(op.offset % unit === 0 && length % unit === 0, `${what}: not in units of ${unit}`);
    if (op.type === 'erase') this.image.fill(partition.erased, at, at + length);
    else {
      invariant(programmable(this.image, at, op.bytes, partition.erased), `${what}: sets bits that only an erase sets`);
      this.image.set(op.bytes, at);
    }
    // A copy: the octets stay the caller's, and the image goes on changing before the file has caught up.
    return { write: { at, bytes: this.image.slice(at, at + length) }, answer: undefined };
  }

  #next(): void {
    const first = this.#waiting.peek();
    if (!first) return;
    if (this.#failure !== undefined || first.write === undefined) setImmediate(() => this.#finish(null));
    else if (first.write === 'sync') fdatasync(this.fd, (error) => this.#finish(error));
    else {
      const { at, bytes } = first.write;
      write(this.fd, bytes, 0, bytes.length, at, (error, written) => this.#finish(error ?? short(written, bytes.length)));
    }
  }

  #finish(error: Error | null): void {
    if (this.#closed) return;
    this.#failure ??= error?.message;
    const { answer, done } = this.#waiting.shift()!;
    // Before the answer, which may submit to an empty queue and so start the next one itself.
    this.#next();
    done(this.#failure === undefined ? ok(answer) : fail('io', this.#failure), this.clock.now());
  }
}

const short = (written: number, wanted: number): Error | null =>
  written === wanted ? null : new Error(`${written} of ${wanted} octets were written`);

/** Bits may leave the erased state, and never come back to it. */
function programmable(image: Uint8Array, at: number, bytes: Uint8Array, erased: 0x00 | 0xff): boolean {
  for (let i = 0; i < bytes.length; i++) {
    const before = image[at + i]! ^ erased;
    const after = bytes[i]! ^ erased;
    if ((before & ~after) !== 0) return false;
  }
  return true;
}
