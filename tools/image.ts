/** A flash image on the workbench: opened, read, and a file of it written, while no device runs on it. */
import { type DeviceStorage, mountDevice, storeOf } from '../core/device/device-storage.js';
import { decodePartitionTable, type PlacedPartition } from '../core/storage/image.codec.js';
import { NodeClock } from '../hal/node/clock.js';
import { openFlashImage } from '../hal/node/flash.js';
import { CannotRun } from './command.js';

export interface OpenImage {
  partitions: readonly PlacedPartition[];
  storage: DeviceStorage;
  close(): void;
}

export async function openImage(path: string): Promise<OpenImage> {
  let partitions: readonly PlacedPartition[] = [];
  const partitionsOf = (bytes: Uint8Array) => {
    const table = decodePartitionTable(bytes);
    if (table.ok) partitions = table.value;
    return table;
  };
  const image = openFlashImage({ path, partitionsOf, clock: new NodeClock() });
  if (!image.ok) throw new CannotRun(image.error.detail);
  const close = (): void => image.value.close();
  const storage = await new Promise<DeviceStorage | string>((resolve) =>
    mountDevice(
      image.value.flash,
      () => {},
      (result) => resolve(result.ok ? result.value : result.error.detail),
    ),
  );
  if (typeof storage !== 'string') return { partitions, storage, close };
  close();
  throw new CannotRun(`${path}: ${storage}`);
}

export async function commitFile(storage: DeviceStorage, path: string, bytes: Uint8Array): Promise<void> {
  const failure = await new Promise<string | undefined>((resolve) =>
    storeOf(storage, path).commit([{ path, bytes }], (done) => resolve(done.ok ? undefined : done.error.detail)),
  );
  if (failure !== undefined) throw new CannotRun(`${path} cannot be put on the image: ${failure}`);
}
