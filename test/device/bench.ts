/** A device's files without a device: its flash, its certificate store, and nothing else running. */
import { findBoard } from '../../boards/index.js';
import { type CertificateStore, createCertificateStore } from '../../core/certs/store.js';
import { createDeviceFiles, type DeviceFiles } from '../../core/device/device-files.js';
import { type DeviceStorage, mountDevice } from '../../core/device/device-storage.js';
import { featuresOf, lackOf } from '../../core/device/features.js';
import type { EventFields, EventName } from '../../core/kernel/events.js';
import { expectOk } from '../../hal/base/result.js';
import type { ClockTrust, Der, Result, UnixMillis } from '../../hal/hal.js';
import type { NorFlash } from '../../sim/flash/nor-flash.js';
import { makeChip } from '../../sim/scenario/flash-bench.js';
import { nodeCrypto } from '../certs/support.js';
import { PowerRig } from '../support/power-rig.js';

export interface Said {
  event: EventName;
  [field: string]: unknown;
}

const MAC = '0022EE0A0001';

interface Made {
  identity?: { chain: readonly Der[]; pkcs8: Der };
  /** What the installer left. */
  settings?: Readonly<Record<string, string>>;
}

/** A chip as it leaves the factory and the installer. */
export function madeChip(board: string, { identity, settings = { 'admin.devname': 'gate' } }: Made = {}): NorFlash {
  const profile = findBoard(board)!;
  return makeChip({
    board: profile,
    factory: {
      ...{ board, mac: MAC, serial: 'S1', made: 0, password: 'first', anchors: { set: 'none', version: '1', certificates: [] } },
      ...(identity ? { identity } : {}),
    },
    setup: { board, mac: MAC, image: { settings: new Map(Object.entries(settings)), files: new Map() }, provisioned: new Map() },
    file: () => new Uint8Array(0),
  });
}

export interface Bench {
  rig: PowerRig;
  storage: DeviceStorage;
  certificates: CertificateStore;
  files: DeviceFiles;
  said: Said[];
  changes: number;
  wall: { at: UnixMillis; trust: ClockTrust };
  /** Waits for the answer; undefined where power fails before it. */
  ask<T>(question: (done: (result: Result<T, { kind: string; detail: string }>) => void) => void): T | string | undefined;
}

/** Boots as far as the files are concerned; undefined where power fails before that. */
export function openBench(chip: NorFlash, options: { board?: string; firmware?: string; at: UnixMillis }): Bench | undefined {
  const rig = new PowerRig(chip);
  const said: Said[] = [];
  const emit = <N extends EventName>(event: N, fields: EventFields[N]): void => void said.push({ event, ...fields });
  let storage: DeviceStorage | undefined;
  mountDevice(rig, emit, (mounted) => {
    storage = expectOk(mounted, 'mounting');
  });
  rig.run();
  if (!storage) return undefined;
  const board = findBoard(options.board ?? '8180-g2')!;
  const firmware = options.firmware ?? board.firmware.newest;
  const features = featuresOf(board, firmware);
  const certificates = createCertificateStore({ files: storage.certs, factory: storage.factory, crypto: nodeCrypto, emit, features });
  const bench: Bench = {
    ...{ rig, storage, certificates, said, changes: 0, wall: { at: options.at, trust: 'network' } },
    files: createDeviceFiles({
      ...{ kernel: { wall: () => bench.wall, emit }, storage, certificates },
      lack: (feature) => lackOf(board, firmware, feature),
      changed: () => bench.changes++,
    }),
    ask: (question) => {
      let answer: Result<unknown, { kind: string; detail: string }> | undefined;
      let during = true;
      question((result) => {
        if (during) throw new Error('answered during the call');
        answer = result;
      });
      during = false;
      rig.run();
      if (!answer) return undefined;
      return (answer.ok ? answer.value : `${answer.error.kind}: ${answer.error.detail}`) as never;
    },
  };
  return bench;
}
