/** Flash operations one after the other, ending at the first that fails. */
import { EMPTY, isFilledWith } from '../../hal/base/bytes.js';
import { invariant, ok } from '../../hal/base/result.js';
import type { Done, Flash, FlashOp, Micros, Partition } from '../../hal/hal.js';

/** `done` is called once, during the completion of the last operation; there must be one. */
export function runSequence(flash: Flash, ops: readonly FlashOp[], done: Done<void>): void {
  invariant(ops.length > 0, 'a flash sequence has at least one operation');
  const step = (index: number): void =>
    flash.submit(ops[index]!, (result, at) => {
      if (!result.ok) done(result, at);
      else if (index + 1 < ops.length) step(index + 1);
      else done(ok(undefined), at);
    });
  step(0);
}

/** Programs `bytes` at a page's start, one operation a page; the rest of the last page stays erased. */
export function programPages(partition: Partition, offset: number, bytes: Uint8Array): FlashOp[] {
  const ops: FlashOp[] = [];
  for (let at = 0; at < bytes.length; at += partition.program) {
    const page = new Uint8Array(partition.program).fill(partition.erased);
    page.set(bytes.subarray(at, at + partition.program));
    ops.push({ type: 'program', partition: partition.name, offset: offset + at, bytes: page });
  }
  return ops;
}

export const isErased = (partition: Partition, bytes: Uint8Array): boolean => isFilledWith(bytes, partition.erased);

/** The octets of a read operation. */
export function readFlash(flash: Flash, partition: string, offset: number, length: number, done: Done<Uint8Array>): void {
  flash.submit({ type: 'read', partition, offset, length }, (result, at) => done(result.ok ? ok(result.value ?? EMPTY) : result, at));
}

/** For an answer that needs no flash operation and must not come during the call (law 1): a read of one octet gives the moment. */
export function soon(flash: Flash, then: (at: Micros) => void): void {
  const [first] = flash.partitions;
  invariant(first !== undefined, 'the flash has a partition');
  flash.submit({ type: 'read', partition: first.name, offset: 0, length: 1 }, (_result, at) => then(at));
}
