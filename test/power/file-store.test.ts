/**
 * Power fails at every program, erase and sync of a commit to the file store, in every way there is, and again while the commit is done
 * again. After each cut the store is wholly old or wholly new, a second boot changes nothing, and the device can commit again.
 */
import { describe, expect, it } from 'vitest';
import type { EndpointEvent } from '../../core/kernel/events.js';
import { type FileChange, type FileStore, mountFileStore } from '../../core/storage/file-store.js';
import { latin1, utf8 } from '../../hal/base/bytes.js';
import type { FlashOp, Partition } from '../../hal/hal.js';
import { NorFlash } from '../../sim/flash/nor-flash.js';
import { contentOf, everyCut, type Left, oneOfEachKind, survey, tally, type Ways } from '../support/power-cuts.js';
import { PowerRig } from '../support/power-rig.js';

const config: Partition = { name: 'config', size: 4 * 4096, sector: 4096, program: 256, erased: 0xff };

interface Case {
  name: string;
  /** The chip before the commit under test. */
  chip: NorFlash;
  changes: readonly FileChange[];
  scrub?: boolean;
}

const file = (path: string, size: number, fill: string): FileChange => ({ path, bytes: utf8(fill.repeat(size).slice(0, size)) });

/** As text that can be compared. */
const contents = (store: FileStore): string =>
  JSON.stringify(Object.fromEntries(store.list().map((path) => [path, latin1(store.read(path)!)])));

interface Boot {
  store: FileStore | undefined;
  /** What it could not read. */
  complaints: string[];
}

function mount(rig: PowerRig, scrub = false): Boot {
  const boot: Boot = { store: undefined, complaints: [] };
  const emit = (event: EndpointEvent['event'], fields: object): void => {
    if (event === 'flash.failed') boot.complaints.push(JSON.stringify(fields));
  };
  mountFileStore({ flash: rig, partition: 'config', scrub, emit }, (result) => {
    if (result.ok) boot.store = result.value;
    else boot.complaints.push(result.error.detail);
  });
  rig.run();
  return boot;
}

/** A commit to this chip, whole; the operations that it took. */
function commit(chip: NorFlash, { changes, scrub }: Pick<Case, 'changes' | 'scrub'>): readonly FlashOp[] {
  const rig = new PowerRig(chip);
  mount(rig, scrub).store?.commit(changes, () => {});
  rig.run();
  return rig.operations;
}

function chipWith(...commits: readonly (readonly FileChange[])[]): NorFlash {
  const chip = new NorFlash([config]);
  for (const changes of commits) commit(chip, { changes });
  return chip.copy();
}

const holds = (chip: NorFlash): string => {
  const { store } = mount(new PowerRig(chip.copy()));
  return store ? contents(store) : 'nothing that can be mounted';
};

/** Says what is wrong with a chip that a cut left. */
function judgeOf(test: Case): (chip: NorFlash) => string | undefined {
  const whole = test.chip.copy();
  commit(whole, test);
  const [old, fresh] = [holds(test.chip), holds(whole)];
  return (chip) => {
    const rig = new PowerRig(chip.copy());
    const { store, complaints } = mount(rig);
    if (complaints.length > 0 || !store) return complaints.join();
    const held = contents(store);
    if (held !== old && held !== fresh) return `neither old nor new: ${held.slice(0, 100)}`;
    if (rig.operations.length > 0) return `the first boot wrote ${rig.operations.length} times`;
    if (holds(rig.chip) !== held) return 'the second boot found something else';
    // Whatever a cut left, the same commit done again ends as if there had been none.
    commit(rig.chip, test);
    return holds(rig.chip) === fresh ? undefined : 'the commit could not be done again';
  };
}

const settings = [file('provisioned/algop8180g2.conf', 3000, 'a = 1\n'), file('provisioned/algom0022EE0A0001.conf', 900, 'b = 1\n')];
const renewed = [file('provisioned/algop8180g2.conf', 3300, 'a = 2\n'), file('provisioned/algom0022EE0A0001.conf', 700, 'b = 2\n')];
const filler = (n: number): FileChange[] => [file('filler', 1500, String(n))];

/** A commit before was torn in its second page: the log has room, and cannot go on there. */
function tornChip(): NorFlash {
  const chip = chipWith([file('x', 10, 'x')]);
  chip.cutPowerAt({ op: 2, how: 'torn', octets: 100 });
  commit(chip, { changes: filler(1) });
  return chip.copy();
}

const FIRST: Case = { name: 'the first commit to an empty chip', chip: new NorFlash([config]), changes: settings };
const APPENDED: Case = {
  name: 'two files replaced, appended to the log',
  chip: chipWith([file('x', 10, 'x')], settings.slice(0, 1)),
  changes: [file('y', 600, 'y'), file('x', 20, 'z')],
};
const SWITCHED: Case = { name: 'two files replaced, the log full', chip: chipWith(settings, filler(1)), changes: renewed };
const SCRUBBED: Case = {
  name: 'two files replaced, their old content scrubbed',
  chip: chipWith(settings),
  changes: renewed,
  scrub: true,
};
const TORN: Case = {
  name: 'the end of the log torn by an earlier cut',
  chip: tornChip(),
  changes: [file('y', 600, 'y'), file('x', 20, 'z')],
};
const REMOVED: Case = { name: 'a file removed', chip: chipWith(settings), changes: [{ path: settings[0]!.path, bytes: undefined }] };
const CASES = [FIRST, APPENDED, SWITCHED, SCRUBBED, TORN, REMOVED];

const begins = (op: FlashOp, magic: string): boolean => op.type === 'program' && latin1(op.bytes, 0, 4) === magic;

describe('power cuts at every flash operation of a commit', () => {
  it.each(CASES)('$name', async (test) => {
    const operations = commit(test.chip.copy(), test);
    const result = await survey(everyCut(test.chip, operations), ['config'], judgeOf(test));
    console.log(`${test.name}: ${operations.length} operations, ${tally(result)}`);
    expect(result.losses).toEqual([]);
    expect(result.cuts).toBeGreaterThan(5 * operations.length);
  });

  it('leave the same chip when the power of the running store fails', () => {
    const mounted = new PowerRig(APPENDED.chip.copy());
    mount(mounted);
    const reads = mounted.chip.allOperations;
    const operations = commit(APPENDED.chip.copy(), APPENDED);
    for (const { cut, chip, name } of everyCut(APPENDED.chip, operations)) {
      const running = APPENDED.chip.copy();
      running.cutPowerAt({ ...cut, nth: reads + cut.nth });
      commit(running, APPENDED);
      expect(contentOf(running, ['config']), name).toBe(contentOf(chip, ['config']));
    }
  });

  it('would notice a commit record programmed before the data', async () => {
    const operations = commit(APPENDED.chip.copy(), APPENDED);
    const early = operations.find((op) => begins(op, 'BLCM'))!;
    const { losses } = await survey(
      everyCut(APPENDED.chip, [early, ...operations.filter((op) => op !== early)]),
      ['config'],
      judgeOf(APPENDED),
    );
    expect(losses.join('\n')).toContain('cannot be read');
  });

  it('would notice an area that is left before the next one counts', async () => {
    const operations = commit(SCRUBBED.chip.copy(), SCRUBBED);
    const leaving = operations.filter(({ type }) => type === 'erase');
    const hasty = [...leaving, ...operations.filter((op) => !leaving.includes(op))];
    const { losses } = await survey(everyCut(SCRUBBED.chip, hasty), ['config'], judgeOf(SCRUBBED));
    expect(losses.join('\n')).toContain('neither old nor new: {}');
  });

  it('would notice a missing sync, by the order alone', async () => {
    const operations = commit(APPENDED.chip.copy(), APPENDED);
    const [sync] = operations.filter(({ type }) => type === 'sync');
    const hasty = operations.filter((op) => op !== sync);
    const reordered: Ways = (_op, nth) => Array.from({ length: 8 }, (_, seed) => ({ nth, how: 'reordered', seed }));
    const inOrder: Ways = (_op, nth) => [
      { nth, how: 'before' },
      { nth, how: 'after' },
    ];
    const judge = judgeOf(APPENDED);
    expect((await survey(everyCut(APPENDED.chip, hasty, inOrder), ['config'], judge)).losses).toEqual([]);
    expect((await survey(everyCut(APPENDED.chip, hasty, reordered), ['config'], judge)).losses.join('\n')).toContain('cannot be read');
  });
});

/** Every first cut, and every cut of the same commit done again after it. Chips that are alike after the first one are cut again once. */
function* everyPair(test: Case): Generator<Left> {
  const resumed = new Set<string>();
  for (const first of everyCut(test.chip, commit(test.chip.copy(), test))) {
    const key = contentOf(first.chip, ['config']);
    if (resumed.has(key)) continue;
    resumed.add(key);
    for (const second of everyCut(first.chip, commit(first.chip.copy(), test), oneOfEachKind))
      yield { ...second, name: `${first.name}, then ${second.name}` };
  }
}

describe('pairs of power cuts, the second while the commit is done again', () => {
  it.each(CASES)('$name', async (test) => {
    const result = await survey(everyPair(test), ['config'], judgeOf(test));
    console.log(`${test.name}: pairs, ${tally(result)}`);
    expect(result.losses).toEqual([]);
    expect(result.cuts).toBeGreaterThan(100);
  });
});
