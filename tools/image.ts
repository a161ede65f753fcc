/** A flash image on the workbench: opened, read, and a file of it written, while no device runs on it. */
import { createCertificateStore } from '../core/certs/store.js';
import { createDeviceFiles, type FileVerdict } from '../core/device/device-files.js';
import { type DeviceStorage, mountDevice, storeOf } from '../core/device/device-storage.js';
import { featuresOf, lackOf } from '../core/device/features.js';
import { isFirmwareVersion } from '../core/device/firmware-version.js';
import { decodePartitionTable, type PlacedPartition } from '../core/storage/image.codec.js';
import type { HalError, Result } from '../hal/hal.js';
import { NodeClock } from '../hal/node/clock.js';
import { createNodeCrypto } from '../hal/node/crypto.js';
import { openFlashImage } from '../hal/node/flash.js';
import { CannotRun } from './command.js';
import { boardOrExplain } from './commands/boards.js';

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

/** Puts a file under `certs/` as the device itself would, by this machine's clock; the verdict on the file is the answer. */
export async function putFile(
  storage: DeviceStorage,
  path: string,
  bytes: Uint8Array,
  { passphrase, firmware }: { passphrase?: string; firmware?: string },
): Promise<Result<FileVerdict, HalError>> {
  const board = boardOrExplain(storage.factory.board);
  const version = firmware ?? board.firmware.newest;
  if (!isFirmwareVersion(version)) throw new CannotRun(`flash: '${version}' is no firmware version; write it like 5.5`);
  const clock = new NodeClock();
  const crypto = createNodeCrypto({ clock, keysOn: 'turn' });
  const emit = (): void => {};
  const features = featuresOf(board, version);
  const certificates = createCertificateStore({ files: storage.certs, factory: storage.factory, crypto, emit, features });
  const lack = (feature: Parameters<typeof lackOf>[2]) => lackOf(board, version, feature);
  const files = createDeviceFiles({ kernel: { wall: () => clock.wall(), emit }, storage, certificates, lack, changed: emit });
  return new Promise((resolve) => files.put(path, bytes, passphrase === undefined ? {} : { passphrase }, resolve));
}
