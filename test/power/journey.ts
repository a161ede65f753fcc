/**
 * What every journey of a device must hold when its power fails at any flash operation of it: the next boot finds the configuration and the
 * certificates from before or those from after, whole, never some of each; the factory partition is as it was; a second boot changes
 * nothing; and the journey done again ends as if power had never failed.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { FlashOp } from '../../hal/hal.js';
import type { NorFlash } from '../../sim/flash/nor-flash.js';
import type { BoardBench, BoardRun, RunOptions } from '../support/board-bench.js';
import { filesOn } from '../support/board-bench.js';
import { contentOf, everyCut, type Left, oneOfEachKind, type Survey, survey, tally } from '../support/power-cuts.js';

export interface Journey {
  name: string;
  bench: BoardBench;
  /** The chip before. */
  start(): Promise<NorFlash>;
  /** From switching on to the end. */
  run: RunOptions;
  /** Where the device has a whole configuration on the way that is neither the first nor the last: a run that ends there. */
  midway?: RunOptions;
  /** What the chip must not hold any more at the end. */
  gone?: readonly string[];
  /** Fewest flash operations that it must have. */
  least: number;
  check?(run: BoardRun, chip: NorFlash): void;
  /** What is wrong with a boot of a chip that held these files. */
  fault?: BootFault;
}

type BootFault = (boot: BoardRun, found: ReadonlyMap<string, string>) => string | undefined;

/** Some hundred boots take 15 s of a processor that has nothing else to do. */
const PATIENCE = 240_000;

/** The partitions that a running device writes. */
const WRITTEN = ['config', 'certs'];
/** What a device knows besides its configuration; it may change at any boot. */
const CLOCK = 'state/clock';

/** Configuration and certificates: what must be of one piece. */
const configurationOn = (chip: NorFlash): string =>
  JSON.stringify([...filesOn(chip)].filter(([path]) => path.startsWith('settings/') || path.startsWith('certs/')));
const stateOn = (chip: NorFlash): string => JSON.stringify([...filesOn(chip)].filter(([path]) => path !== CLOCK));

const factoryOn = (chip: NorFlash): Buffer => {
  const { size } = chip.partitions.find(({ name }) => name === 'factory')!;
  return Buffer.from(chip.memory('factory').read(0, size));
};

interface Recovery {
  /** As the boot found it. */
  chip: NorFlash;
  operations: readonly FlashOp[];
}

function* everySecondCut(recoveries: readonly Recovery[]): Generator<Left> {
  for (const { chip, operations } of recoveries) yield* everyCut(chip, operations, oneOfEachKind);
}

/** What a boot must not report. */
const FAILURES: readonly string[] = ['flash.failed', 'machine.failed', 'certs.refused', 'settings.unreadable', 'settings.refused'];

/** Looks at chips that cuts left. */
export class Judge {
  readonly #factory: Buffer;
  /** The name that a device with a configuration shows, by configuration. */
  readonly #names = new Map<string, string | undefined>();
  /** States of all files in which a device was found, and a chip with each. */
  readonly states = new Map<string, NorFlash>();
  /** Boots that had something to finish, by the state that they found; of those alike, the first. */
  readonly recoveries = new Map<string, Recovery>();

  constructor(
    readonly bench: BoardBench,
    readonly firmware: string | undefined,
    before: NorFlash,
    readonly fault: BootFault = () => undefined,
  ) {
    this.#factory = factoryOn(before);
  }

  /** Takes what is on a chip for whole. */
  async know(chip: NorFlash): Promise<void> {
    const copy = chip.copy();
    const { status } = await this.bench.boot(copy, this.firmware);
    this.#names.set(configurationOn(copy), status.get('Device Name'));
  }

  /** What is wrong with a device on this chip. */
  async lossOn(chip: NorFlash): Promise<string | undefined> {
    const found = filesOn(chip);
    const left = chip.copy();
    const boot = await this.bench.boot(chip, this.firmware);
    const { events, status, operations } = boot;
    if (operations.length > 0 && !this.recoveries.has(stateOn(left))) this.recoveries.set(stateOn(left), { chip: left, operations });
    const failure = events.find(({ event }) => FAILURES.includes(event));
    if (failure) return JSON.stringify(failure);
    if (!events.some(({ event }) => event === 'boot.ready')) return 'it did not boot';
    const fault = this.fault(boot, found);
    if (fault !== undefined) return fault;
    const configuration = configurationOn(chip);
    if (!this.#names.has(configuration)) return `neither from before nor from after: ${[...filesOn(chip).keys()].join()}`;
    const name = this.#names.get(configuration);
    if (status.get('Device Name') !== name) return `it is ${name}, and calls itself ${status.get('Device Name')}`;
    if (status.get('Manufacturer Certificate') !== 'Installed') return 'its certificate is lost';
    if (!this.#factory.equals(factoryOn(chip))) return 'its factory record has changed';
    this.states.set(stateOn(chip), chip.copy());
    // A boot that wrote nothing has left the chip that it found: the next one is the same boot.
    if (operations.length === 0) return undefined;
    const first = contentOf(chip, WRITTEN);
    const again = await this.bench.boot(chip, this.firmware);
    if (again.operations.length > 0 || contentOf(chip, WRITTEN) !== first) return 'the second boot changed something';
    return again.status.get('Device Name') === name ? undefined : 'the second boot found another configuration';
  }
}

export function describeJourney(journey: Journey): void {
  const { name, bench, run, least, gone = [] } = journey;
  describe(`a power cut at every flash operation of ${name}`, { timeout: PATIENCE }, () => {
    let before: NorFlash;
    let after: NorFlash;
    let whole: BoardRun;
    let operations: readonly FlashOp[];
    let judge: Judge;

    beforeAll(async () => {
      before = (await journey.start()).copy();
      after = before.copy();
      whole = await bench.run(after, run);
      operations = whole.operations;
      judge = new Judge(bench, run.firmware, before, journey.fault);
      for (const chip of [before, after]) await judge.know(chip);
      if (journey.midway) {
        const midway = before.copy();
        await bench.run(midway, journey.midway);
        await judge.know(midway);
      }
    });

    it('is a journey: it goes where it should, and leaves nothing behind', () => {
      journey.check?.(whole, after);
      expect(operations.length).toBeGreaterThanOrEqual(least);
      for (const secret of gone) {
        expect(imageOf(before), `${secret} before`).toContain(secret);
        expect(imageOf(after), `${secret} after`).not.toContain(secret);
      }
    });

    it('leaves what was or what is to be, whole', async () => {
      const result: Survey = await survey(everyCut(before, operations), WRITTEN, (chip) => judge.lossOn(chip));
      console.log(`${name}: ${operations.length} operations, ${tally(result)}, ${judge.states.size} states`);
      expect(result.losses).toEqual([]);
      expect(result.cuts).toBeGreaterThan(5 * operations.length);
    });

    it('and so does a second cut, in the boot that finishes what the first one interrupted', async () => {
      const result = await survey(everySecondCut([...judge.recoveries.values()]), WRITTEN, (chip) => judge.lossOn(chip));
      console.log(`${name}: second cuts, ${tally(result)}`);
      expect(result.losses).toEqual([]);
    });

    it('and the journey done again ends as if there had been none', async () => {
      expect(judge.states.size).toBeGreaterThan(0);
      for (const chip of judge.states.values()) {
        const { events } = await bench.run(chip, run);
        expect(configurationOn(chip), JSON.stringify(events.at(-1))).toBe(configurationOn(after));
      }
    });

    it('leaves the same chip when the power of the running board fails', async () => {
      const last = operations.filter(({ type }) => type !== 'sync').length;
      const changing = [...operations.keys()].filter((index) => operations[index]!.type !== 'sync');
      for (const op of [1, Math.ceil(last / 2), last]) {
        const left = [...everyCut(before, operations)].filter(({ cut }) => cut.nth === changing[op - 1]! + 1);
        for (const { cut, chip, name: cutName } of left.filter(({ cut: { how } }) => how !== 'torn')) {
          const { nth: _, ...how } = cut;
          const running = before.copy();
          running.cutPowerAt({ ...how, op });
          await bench.run(running, run);
          expect(contentOf(running, WRITTEN), cutName).toBe(contentOf(chip, WRITTEN));
        }
      }
    });
  });
}

const imageOf = (chip: NorFlash): string => Buffer.from(chip.image()).toString('latin1');
