/** A file store in memory: transactions in order, each answered in a later turn; it outlives the device that writes to it. */
import type { Kernel } from '../../core/kernel/kernel.js';
import type { FileChange, FileStore } from '../../core/storage/file-store.js';
import { ok } from '../../hal/base/result.js';
import type { Done, HalError, Result } from '../../hal/hal.js';

export type StoredFiles = Map<string, Uint8Array>;

export class MemoryStore implements FileStore {
  /** What the next commits come to. */
  outcome: Result<void, HalError> = ok(undefined);
  /** The paths of each transaction that stands, in order. */
  readonly committed: (readonly string[])[] = [];
  readonly #kernel: Pick<Kernel, 'now' | 'timer'>;
  readonly #files: StoredFiles;

  constructor(kernel: Pick<Kernel, 'now' | 'timer'>, files: StoredFiles) {
    this.#kernel = kernel;
    this.#files = files;
  }

  list(prefix = ''): readonly string[] {
    return [...this.#files.keys()].filter((path) => path.startsWith(prefix)).sort();
  }

  read(path: string): Uint8Array | undefined {
    return this.#files.get(path);
  }

  commit(changes: readonly FileChange[], done: Done<void>): void {
    const { outcome } = this;
    const write = (): void => {
      if (outcome.ok) this.#write(changes);
      done(outcome, this.#kernel.now());
    };
    this.#kernel.timer('flash', write).set(this.#kernel.now() + 1);
  }

  #write(changes: readonly FileChange[]): void {
    for (const { path, bytes } of changes) {
      if (bytes) this.#files.set(path, bytes);
      else this.#files.delete(path);
    }
    this.committed.push(changes.map(({ path }) => path));
  }
}
