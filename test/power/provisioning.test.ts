/**
 * Power fails at every flash operation of a provisioning run of a whole device: before it, inside it (torn after 1 octet, half, all but 1)
 * and after it. After each the board boots with the network unplugged, has the old or the new configuration whole and its factory record
 * intact, and a second boot changes nothing.
 *
 * The run is recorded once, and its operations are done again on the chip up to each cut. That is exact: a chip's octets follow from the
 * operations done on it alone, the port does them one after the other in the order in which they were asked for, and everything before a
 * cut is the same run, from the same seed. Runs with the chip's own power cut show it for some of the operations.
 */
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeConf } from '../../core/settings/conf.codec.js';
import type { FlashOp } from '../../hal/hal.js';
import type { NorFlash } from '../../sim/flash/nor-flash.js';
import type { PowerCut } from '../../sim/flash/power-cut.js';
import { readSettings } from '../../sim/scenario/flash-bench.js';
import { ProvisionedBoard, type ServedFiles } from '../support/provisioned-board.js';

const MODEL_FILE = 'algop8180g2.conf';
const UNIT_FILE = 'algom0022EE0A0001.conf';
const SECTOR = 4096;

/** What a site serves: what all its units share, some kB of it, and what is this unit's own. */
function siteFiles(year: number): ServedFiles {
  const zones = Array.from({ length: 70 }, (_, i): [string, string][] => [
    [`mcast.zone${i + 1}.addr`, `224.0.${i}.${year % 100}:${50_000 + 2 * i}`],
    [`mcast.zone${i + 1}.name`, `Building ${i + 1}, paging zone of ${year}`],
  ]).flat();
  const shared = new Map([...zones, ['audio.page.vol', '-3dB'], ['sip.transp', 'tls'], ['sip.tls.cert', '1'], ['sip.srtp', 'standard']]);
  const stations = Array.from({ length: 30 }, (_, i): [string, string] => [
    `page.station${i + 1}`,
    `sip:desk${i}-${year}@sip.example.test`,
  ]);
  const own = new Map([['admin.devname', `lobby ${year}`], ['sip.u1.user', '101'], ['sip.u1.pwd', `secret of ${year}`], ...stations]);
  return { [MODEL_FILE]: encodeConf(shared), [UNIT_FILE]: encodeConf(own) };
}

const NEW = siteFiles(2026);

interface Configuration {
  /** The provisioned settings as they lie on the flash. */
  provisioned: Buffer;
  name: string;
}

/** Of what a running device may write: `data` is empty, and no operation is for it. */
const digest = (chip: NorFlash): string => {
  const hash = createHash('sha256');
  for (const { name, size } of chip.partitions) if (name !== 'data') hash.update(chip.memory(name).read(0, size));
  return hash.digest('hex');
};
const provisionedOn = (chip: NorFlash): Buffer => Buffer.from(readSettings(chip).provisioned ?? []);

type How = 'before' | 'after' | number;

/** Octets of an operation that can be there without the others. */
const sizeOf = (op: FlashOp): number => (op.type === 'program' ? op.bytes.length : op.type === 'erase' ? SECTOR : 0);
const cutsOf = (op: FlashOp): readonly How[] => {
  const size = sizeOf(op);
  return ['before', Math.min(1, size), Math.floor(size / 2), Math.max(0, size - 1), 'after'];
};
const cutAt = (nth: number, how: How): PowerCut => (typeof how === 'number' ? { nth, how: 'torn', octets: how } : { nth, how });

/** The chip as each cut leaves it; `chip` is the one from before. */
function* cutImages(chip: NorFlash, operations: readonly FlashOp[]): Generator<{ cut: string; image: NorFlash }> {
  const whole = chip.copy();
  for (const [index, op] of operations.entries()) {
    for (const how of cutsOf(op)) {
      const image = whole.copy();
      image.cutPowerAt(cutAt(image.allOperations + 1, how));
      image.commit(op);
      yield { cut: `${op.type} ${index + 1} of ${operations.length}, ${typeof how === 'number' ? `torn after ${how}` : how}`, image };
    }
    whole.commit(op);
  }
}

interface Start {
  name: string;
  /** What the board was provisioned with before, if it was. */
  files: ServedFiles | undefined;
  deviceName: string;
}

const STARTS: readonly Start[] = [
  { name: 'of a board as it came from the factory', files: undefined, deviceName: 'sipalerter-0022EE0A0001' },
  { name: 'that replaces a configuration', files: siteFiles(2025), deviceName: 'lobby 2025' },
];

describe.each(STARTS)('a power cut at every flash operation of a provisioning run $name', ({ name, files, deviceName }) => {
  const board = new ProvisionedBoard();
  const factory = Buffer.from(board.unit.chip.memory('factory').read(0, board.unit.chip.partitions[0]!.size));
  const before = board.unit.chip;
  let operations: readonly FlashOp[];
  let known: Readonly<Record<'old' | 'new', Configuration>>;

  beforeAll(async () => {
    if (files) await board.provision(before, files);
    const chip = before.copy();
    const run = await board.provision(chip, NEW);
    operations = run.operations;
    expect(run.events.find(({ event }) => event === 'provisioning.applied')).toMatchObject({ files: [MODEL_FILE, UNIT_FILE] });
    known = {
      old: { provisioned: provisionedOn(before), name: deviceName },
      new: { provisioned: provisionedOn(chip), name: 'lobby 2026' },
    };
    expect(known.new.provisioned.length).toBeGreaterThan(6000);
    expect(known.new.provisioned.equals(known.old.provisioned)).toBe(false);
  });

  /** What is wrong with a board that has this chip after a cut. */
  async function lossOn(chip: NorFlash): Promise<string | undefined> {
    const { events, status } = await board.bootUnplugged(chip);
    const failure = events.find(({ event }) => event === 'flash.failed' || event === 'machine.failed' || event === 'certs.refused');
    if (failure) return JSON.stringify(failure);
    if (!events.some(({ event }) => event === 'boot.ready')) return 'it did not boot';
    const found = Object.values(known).find(({ provisioned }) => provisioned.equals(provisionedOn(chip)));
    if (!found) return `neither the old nor the new configuration, but ${provisionedOn(chip).length} octets`;
    if (status.get('Device Name') !== found.name)
      return `its configuration is that of ${found.name}, and it calls itself ${status.get('Device Name')}`;
    if (status.get('Manufacturer Certificate') !== 'Installed') return 'its certificate is lost';
    if (!factory.equals(Buffer.from(chip.memory('factory').read(0, factory.length)))) return 'its factory record has changed';
    const first = digest(chip);
    const again = await board.bootUnplugged(chip);
    if (digest(chip) !== first || again.operations.length > 0 || again.status.get('Device Name') !== found.name)
      return 'the second boot changed something';
    return undefined;
  }

  /** Every cut; chips that are alike are booted once. */
  async function tryEveryCut(recorded: readonly FlashOp[]): Promise<{ cuts: number; images: number; losses: string[] }> {
    const verdicts = new Map<string, string | undefined>();
    const losses: string[] = [];
    let cuts = 0;
    for (const { cut, image } of cutImages(before, recorded)) {
      cuts++;
      const key = digest(image);
      if (!verdicts.has(key)) verdicts.set(key, await lossOn(image));
      const loss = verdicts.get(key);
      if (loss !== undefined) losses.push(`${cut}: ${loss}`);
    }
    return { cuts, images: verdicts.size, losses };
  }

  it('leaves the old or the new configuration whole', async () => {
    const { cuts, images, losses } = await tryEveryCut(operations);
    console.log(`provisioning ${name}: ${operations.length} operations, ${cuts} cuts, ${images} different chips, ${losses.length} losses`);
    expect(losses).toEqual([]);
    expect(operations.length).toBeGreaterThanOrEqual(30);
    expect(cuts).toBe(5 * operations.length);
  });

  it('is the same when the power of the running board fails', async () => {
    const changing = operations.filter(({ type }) => type !== 'sync');
    const images = [...cutImages(before, operations)].filter(({ cut }) => !cut.startsWith('sync'));
    for (const op of [1, 2, Math.floor(changing.length / 2), changing.length - 1, changing.length]) {
      for (const [index, how] of cutsOf(changing[op - 1]!).entries()) {
        const chip = before.copy();
        chip.cutPowerAt(typeof how === 'number' ? { op, how: 'torn', octets: how } : { op, how });
        await board.provision(chip, NEW);
        const { cut, image } = images[(op - 1) * 5 + index]!;
        expect(digest(chip), cut).toBe(digest(image));
      }
    }
  });

  it('would be noticed as a loss if the commit record were programmed before the data', async () => {
    const counts = (op: FlashOp): boolean => op.type === 'program' && /^BL(CM|FS)/.test(Buffer.from(op.bytes).toString('latin1', 0, 4));
    const firstData = operations.findIndex(({ type }) => type === 'program');
    const rest = operations.slice(firstData);
    const faulty = [...operations.slice(0, firstData), ...rest.filter(counts), ...rest.filter((op) => !counts(op))];
    const { cuts, losses } = await tryEveryCut(faulty);
    console.log(`provisioning ${name}, commit record first: ${cuts} cuts, ${losses.length} losses, such as: ${losses[0]}`);
    expect(losses.length).toBeGreaterThan(0);
  });
});
