/** The factory partition through the flash port: read at every boot, written once, at manufacture. */
import { fail, ok } from '../../hal/base/result.js';
import type { Done, Flash, FlashOp } from '../../hal/hal.js';
import { decodeFactory, encodeFactory, FACTORY_HEAD, type FactoryContent, factoryLength } from './factory.codec.js';
import { programPages, readFlash, runSequence, soon } from './flash-sequence.js';

const NAME = 'factory';

/** Fails with `not-found` where there is no partition or no record, and with `io` where the record is damaged. */
export function readFactory(flash: Flash, done: Done<FactoryContent>): void {
  const partition = flash.partitions.find((p) => p.name === NAME);
  if (!partition) {
    soon(flash, (at) => done(fail('not-found', 'the flash has no factory partition'), at));
    return;
  }
  readFlash(flash, NAME, 0, FACTORY_HEAD, (head, at) => {
    if (!head.ok) return done(head, at);
    const length = factoryLength(head.value);
    if (!length.ok) return done(fail('not-found', length.error), at);
    const total = FACTORY_HEAD + length.value;
    if (total > partition.size) return done(fail('io', 'the manufacture record is longer than its partition'), at);
    readFlash(flash, NAME, 0, total, (bytes, atEnd) => {
      if (!bytes.ok) return done(bytes, atEnd);
      const content = decodeFactory(bytes.value);
      done(content.ok ? ok(content.value) : fail('io', content.error), atEnd);
    });
  });
}

/** Erases the partition and writes the record; `full` where it does not fit. For manufacture only: a running device never calls it. */
export function writeFactory(flash: Flash, content: FactoryContent, done: Done<void>): void {
  const bytes = encodeFactory(content);
  const partition = flash.partitions.find((p) => p.name === NAME);
  if (!partition || bytes.length > partition.size) {
    const detail = `the manufacture record takes ${bytes.length} octets, the factory partition has ${partition?.size ?? 0}`;
    soon(flash, (at) => done(fail('full', detail), at));
    return;
  }
  const sync: FlashOp = { type: 'sync', partition: NAME };
  const ops: FlashOp[] = [];
  for (let offset = 0; offset < partition.size; offset += partition.sector) ops.push({ type: 'erase', partition: NAME, offset });
  runSequence(flash, [...ops, sync, ...programPages(partition, 0, bytes), sync], done);
}
