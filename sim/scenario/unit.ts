/** A unit as it comes out of its box at the site: from the factory, with what the installer put on it. */
import { findBoard } from '../../boards/index.js';
import { decodeConf } from '../../core/settings/conf.codec.js';
import { isSecret } from '../../core/settings/registry.js';
import { hex } from '../../hal/base/bytes.js';
import { invariant } from '../../hal/base/result.js';
import type { BoardProfile } from '../../hal/board.js';
import type { Entropy } from '../../hal/hal.js';
import type { ReportSetting } from '../artefacts/report.js';
import type { NorFlash } from '../flash/nor-flash.js';
import { makeChip, readSettings } from './flash-bench.js';
import type { SimPki } from './pki.js';
import type { DeviceSetup, Values } from './scenario.js';

export interface Unit {
  board: BoardProfile;
  firmware: string;
  chip: NorFlash;
  /** The first administrator password. */
  password: string;
}

const PASSWORD_OCTETS = 6;

/** `entropy` gives the first administrator password. */
export function makeUnit(setup: DeviceSetup, entropy: Entropy, pki: SimPki): Unit {
  const board = findBoard(setup.board);
  invariant(board !== undefined, `board ${setup.board} was checked`);
  const { mac } = setup;
  const octets = new Uint8Array(PASSWORD_OCTETS);
  entropy.fill(octets);
  const password = hex(octets);
  const made = setup.made ?? pki.made;
  const identity = board.tls.supported ? pki.device(mac, made) : undefined;
  const factory = {
    board: board.id,
    mac,
    serial: `BLF${mac}`,
    made,
    password,
    ...(identity ? { identity } : {}),
    anchors: { set: 'simulated public CA', version: '1', certificates: pki.publicAuthorities() },
  };
  const chip = makeChip({ board, factory, setup, file: (source) => pki.file(source) });
  return { board, firmware: setup.firmware ?? board.firmware.newest, chip, password };
}

/** Which configuration the next boot will find, of those that the server has given so far: the last, one from before, or none of them whole. */
export function configurationOn(chip: NorFlash, given: readonly Values[]): 'old' | 'new' | 'broken' {
  const bytes = readSettings(chip).provisioned;
  if (!bytes) return 'old';
  const { values, problems } = decodeConf(bytes);
  const isThat = (whole: Values): boolean => values.size === whole.size && [...whole].every(([key, value]) => values.get(key) === value);
  const found = problems.length > 0 ? -1 : given.map(isThat).lastIndexOf(true);
  if (found < 0) return 'broken';
  return found === given.length - 1 ? 'new' : 'old';
}

/** The settings on a chip that someone gave a value, local ones in place of provisioned ones; passwords masked. */
export function settingsOn(device: string, chip: NorFlash): readonly ReportSetting[] {
  const files = readSettings(chip);
  const rows = new Map<string, ReportSetting>();
  for (const origin of ['provisioned', 'local'] as const) {
    const bytes = files[origin];
    const values = bytes ? decodeConf(bytes).values : [];
    for (const [key, value] of values) rows.set(key, { device, key, value: isSecret(key) ? '…' : value, origin });
  }
  return [...rows.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}
