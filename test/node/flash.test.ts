import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectOk } from '../../hal/base/result.js';
import type { FlashOp, HalError, Result } from '../../hal/hal.js';
import { type FlashImage, openFlashImage, type PlacedPartition } from '../../hal/node/index.js';
import { realNow } from '../conformance/real-bench.js';

const SECTOR = 4096;
const PARTITIONS: readonly PlacedPartition[] = [
  { name: 'one', offset: SECTOR, size: 2 * SECTOR, sector: SECTOR, program: 16, erased: 0xff },
  { name: 'two', offset: 3 * SECTOR, size: SECTOR, sector: SECTOR, program: 1, erased: 0x00 },
];
/** Higher than Linux numbers processes. */
const NO_PROCESS = 2 ** 22 + 1;

describe('a flash image in a file', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'belfry-'));
    path = join(folder, 'flash.img');
    writeFileSync(path, new Uint8Array(4 * SECTOR).fill(0xff, 0, 3 * SECTOR));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const open = (): Result<FlashImage, HalError> =>
    openFlashImage({ path, partitionsOf: () => ({ ok: true, value: PARTITIONS }), clock: { now: realNow } });
  const submit = (image: FlashImage, op: FlashOp): Promise<Result<Uint8Array | undefined, HalError>> =>
    new Promise((resolve) => image.flash.submit(op, resolve));

  it('is in the file once it is done, and there when opened again', async () => {
    const image = expectOk(open(), 'image');
    const bytes = new Uint8Array(16).fill(0x42);
    await submit(image, { type: 'program', partition: 'one', offset: SECTOR, bytes });
    await submit(image, { type: 'program', partition: 'two', offset: 7, bytes: Uint8Array.of(0x81) });
    await submit(image, { type: 'sync', partition: 'one' });
    expect(new Uint8Array(readFileSync(path).subarray(2 * SECTOR, 2 * SECTOR + 16))).toEqual(bytes);
    image.close();
    image.close();
    const again = expectOk(open(), 'image');
    expect(await submit(again, { type: 'read', partition: 'two', offset: 6, length: 3 })).toEqual({
      ok: true,
      value: Uint8Array.of(0, 0x81, 0),
    });
    again.close();
  });

  it('bits leave the erased state, and only an erase brings them back', async () => {
    const image = expectOk(open(), 'image');
    const program = (partition: string, value: number) => () =>
      image.flash.submit({ type: 'program', partition, offset: 0, bytes: new Uint8Array(16).fill(value) }, () => undefined);
    program('one', 0x0f)();
    program('one', 0x0e)();
    expect(program('one', 0x1e)).toThrow('only an erase');
    program('two', 0x01)();
    program('two', 0x03)();
    expect(program('two', 0x02)).toThrow('only an erase');
    await submit(image, { type: 'erase', partition: 'one', offset: 0 });
    expect(program('one', 0x1e)).not.toThrow();
    image.close();
  });

  it('is used by one process at a time', () => {
    const image = expectOk(open(), 'image');
    const second = open();
    expect(second).toMatchObject({ ok: false, error: { kind: 'addr-in-use' } });
    expect(second.ok || second.error.detail).toContain(`in use by process ${process.pid}: end it first, or delete ${path}.lock`);
    image.close();
    writeFileSync(`${path}.lock`, '1\n'); // the first process of any machine runs
    expect(open()).toMatchObject({ ok: false, error: { kind: 'addr-in-use', detail: expect.stringContaining('process 1') } });
  });

  it.each([String(NO_PROCESS), '', 'junk', String(process.pid)])('takes over the lock "%s", whose process is gone', (owner) => {
    writeFileSync(`${path}.lock`, owner);
    const image = expectOk(open(), 'image');
    expect(readFileSync(`${path}.lock`, 'latin1')).toBe(`${process.pid}\n`);
    image.close();
  });

  it('says what is wrong with a file that is no image, and leaves no lock', () => {
    const none = openFlashImage({ path, partitionsOf: () => ({ ok: false, error: 'no magic' }), clock: { now: realNow } });
    expect(none).toEqual({ ok: false, error: { kind: 'unsupported', detail: `${path} is no flash image: no magic` } });
    const missing = openFlashImage({ path: `${path}.none`, partitionsOf: () => ({ ok: true, value: [] }), clock: { now: realNow } });
    expect(missing).toEqual({ ok: false, error: { kind: 'not-found', detail: `there is no flash image ${path}.none` } });
    writeFileSync(path, new Uint8Array(3 * SECTOR));
    expect(open()).toMatchObject({ ok: false, error: { kind: 'unsupported', detail: expect.stringContaining('cut short') } });
    writeFileSync(path, new Uint8Array(4 * SECTOR));
    expectOk(open(), 'a whole one').close();
  });

  it('delivers nothing after close', async () => {
    const image = expectOk(open(), 'image');
    let done = 0;
    image.flash.submit({ type: 'read', partition: 'one', offset: 0, length: 1 }, () => done++);
    image.close();
    const other = expectOk(open(), 'image');
    await submit(other, { type: 'sync', partition: 'one' });
    other.close();
    expect(done).toBe(0);
  });
});
