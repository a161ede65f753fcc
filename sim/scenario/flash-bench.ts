/** A flash programmer on a workbench: makes the image that factory and installer leave, and reads a device's files. No time passes. */
import { LOCAL_SETTINGS, PROVISIONED_SETTINGS, storeOf } from '../../core/device/device-storage.js';
import { encodeConf } from '../../core/settings/conf.codec.js';
import { encodeFactory, type FactoryContent } from '../../core/storage/factory.codec.js';
import { type FileChange, type FileStore, mountFileStore } from '../../core/storage/file-store.js';
import { expectOk, invariant, ok } from '../../hal/base/result.js';
import type { BoardProfile } from '../../hal/board.js';
import type { Flash } from '../../hal/hal.js';
import { NorFlash } from '../flash/nor-flash.js';
import type { DeviceSetup, FileSource } from './scenario.js';

export interface ImageOptions {
  board: BoardProfile;
  factory: FactoryContent;
  setup: DeviceSetup;
  /** The content of a file. */
  file(source: FileSource): Uint8Array;
}

/** A chip as it leaves the installer's hands; its operations count from here. */
export function makeChip({ board, factory, setup, file: contentOf }: ImageOptions): NorFlash {
  const chip = new NorFlash(board.flash);
  chip.memory('factory').write(0, encodeFactory(factory));
  const files = Array.from(setup.image.files, ([path, source]) => ({ path, bytes: contentOf(source) }));
  const local = setup.image.settings.size > 0 ? [{ path: LOCAL_SETTINGS, bytes: encodeConf(setup.image.settings) }] : [];
  const stores = mountAll(chip);
  for (const file of [...files, ...local]) commit(stores, file);
  return chip.copy();
}

/** The settings files on a chip, as a boot would find them; undefined where there is none. */
export function readSettings(chip: NorFlash): { provisioned: Uint8Array | undefined; local: Uint8Array | undefined } {
  const { config } = mountAll(chip);
  return { provisioned: config.read(PROVISIONED_SETTINGS), local: config.read(LOCAL_SETTINGS) };
}

interface Stores {
  config: FileStore;
  certs: FileStore;
  run(): void;
}

function mountAll(chip: NorFlash): Stores {
  const { flash, run } = immediate(chip);
  const mount = (partition: string): FileStore => {
    let store: FileStore | undefined;
    mountFileStore({ flash, partition }, (result) => {
      store = expectOk(result, `mounting ${partition}`);
    });
    run();
    invariant(store !== undefined, `mounting ${partition} ends`);
    return store;
  };
  return { config: mount('config'), certs: mount('certs'), run };
}

function commit(stores: Stores, file: FileChange): void {
  storeOf(stores, file.path).commit([file], (result) => void expectOk(result, `writing ${file.path}`));
  stores.run();
}

/** A flash port whose operations are done one after the other when `run` is called. */
function immediate(chip: NorFlash): { flash: Flash; run(): void } {
  const waiting: (() => void)[] = [];
  const flash: Flash = {
    partitions: chip.partitions,
    submit: (op, done) => void waiting.push(() => done(ok(chip.commit(op).bytes), 0)),
  };
  const run = (): void => {
    for (let next = waiting.shift(); next; next = waiting.shift()) next();
  };
  return { flash, run };
}
