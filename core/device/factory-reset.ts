/**
 * Factory reset: settings and uploads go, what manufacture wrote stays (`seed`, "Algo Device Certificates": the device certificate "will not
 * be erased even after factory resetting").
 *
 * Two partitions are erased, and power may fail between them. The first transaction removes the settings and leaves a mark; from then on the
 * device is reset: a boot that finds the mark erases the uploads before anything reads them.
 *
 * Power may also fail between a store's switch to its other area and the erase of the one that it left: no file is there any more, but its
 * octets are. So each store gets a mark and loses it again, since what a store removes takes the other area's octets with it.
 */
import { ok } from '../../hal/base/result.js';
import type { Done } from '../../hal/hal.js';
import type { FileChange, FileStore } from '../storage/file-store.js';

interface ResetStorage {
  config: FileStore;
  certs: FileStore;
}

const MARK = 'state/reset';
const SET: FileChange = { path: MARK, bytes: Uint8Array.of(1) };
const CLEAR: FileChange = { path: MARK, bytes: undefined };

/** Answers with the paths that are gone. Fails as a commit does: before the first transaction nothing has changed, after it the next boot goes on. */
export function factoryReset(storage: ResetStorage, done: Done<readonly string[]>): void {
  const { config, certs } = storage;
  const erased = [...config.list(), ...certs.list()].sort();
  const changes = config.list().map((path) => ({ path, bytes: undefined }));
  config.commit([...changes, SET], (marked, at) => {
    if (!marked.ok) return done(marked, at);
    finishReset(storage, (result, atEnd) => done(result.ok ? ok(erased) : result, atEnd));
  });
}

/** Whether power failed during a reset, so that it has to be finished. */
export const isResetting = ({ config }: Pick<ResetStorage, 'config'>): boolean => config.read(MARK) !== undefined;

/** Answers with the paths that are gone. */
export function finishReset({ config, certs }: ResetStorage, done: Done<readonly string[]>): void {
  const uploads = certs.list().filter((path) => path !== MARK);
  const changes = uploads.map((path) => ({ path, bytes: undefined }));
  certs.commit([...changes, SET], (erased, at) => {
    if (!erased.ok) return done(erased, at);
    certs.commit([CLEAR], (scrubbed, atScrub) => {
      if (!scrubbed.ok) return done(scrubbed, atScrub);
      config.commit([CLEAR], (unmarked, atEnd) => done(unmarked.ok ? ok(uploads) : unmarked, atEnd));
    });
  });
}
