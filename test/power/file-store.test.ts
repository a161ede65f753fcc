/**
 * Power fails at every program, erase and sync of a commit: before it, inside it (torn after 1 octet, half, all but 1), after it, and
 * with what was not synced landing in any order. After each the store is wholly old or wholly new, a second boot changes nothing, and
 * the device can commit again.
 */
import { describe, expect, it } from 'vitest';
import type { EndpointEvent } from '../../core/kernel/events.js';
import { type FileChange, type FileStore, mountFileStore } from '../../core/storage/file-store.js';
import { latin1, utf8 } from '../../hal/base/bytes.js';
import type { Done, Flash, FlashOp, Partition } from '../../hal/hal.js';
import { type Cut, PowerRig } from '../support/power-rig.js';

const config: Partition = { name: 'config', size: 4 * 4096, sector: 4096, program: 256, erased: 0xff };
const SHUFFLES = 4;

type Contents = Record<string, string>;
interface Case {
  name: string;
  /** The chip before the commit under test. */
  prepare(): Uint8Array | undefined;
  changes: readonly FileChange[];
  scrub?: boolean;
}

const file = (path: string, size: number, fill: string): FileChange => ({ path, bytes: utf8(fill.repeat(size).slice(0, size)) });
const contents = (store: FileStore): Contents => Object.fromEntries(store.list().map((path) => [path, latin1(store.read(path)!)]));

/** Mounts over `flash`, which may be the rig or a port around it. What it reports of damage goes to `complaints`. */
function mount(rig: PowerRig, flash: Flash, complaints: string[], scrub = false): FileStore | undefined {
  let store: FileStore | undefined;
  const emit = (event: EndpointEvent['event'], fields: object): void => {
    if (event === 'flash.failed') complaints.push(JSON.stringify(fields));
  };
  mountFileStore({ flash, partition: 'config', scrub, emit }, (result) => {
    if (result.ok) store = result.value;
    else complaints.push(result.error.detail);
  });
  rig.run();
  return store;
}

/** The chip after these commits, all whole. */
function chipWith(...commits: readonly (readonly FileChange[])[]): Uint8Array {
  const rig = new PowerRig([config]);
  const store = mount(rig, rig, [])!;
  for (const changes of commits) {
    store.commit(changes, () => {});
    rig.run();
  }
  return rig.image();
}

/** Boots a chip as it is; what it complains of, what it holds, and what it wrote. */
function boot(image: Uint8Array): { complaints: string[]; held: Contents; wrote: number; image: Uint8Array } {
  const rig = new PowerRig([config], undefined, image);
  const complaints: string[] = [];
  const store = mount(rig, rig, complaints);
  return { complaints, held: store ? contents(store) : {}, wrote: rig.operations.length, image: rig.image() };
}

type Around = (rig: PowerRig) => Flash;
const plain: Around = (rig) => rig;

/** One run with at most one cut; the chip as power left it. */
function run(test: Case, around: Around, cut?: Cut): PowerRig {
  const rig = new PowerRig([config], cut, test.prepare());
  const store = mount(rig, around(rig), [], test.scrub);
  store?.commit(test.changes, () => {});
  rig.run();
  return rig;
}

/** The cuts of one operation, by its kind. */
function cutsAt(op: FlashOp, number: number): readonly Cut[] {
  const shuffled: Cut[] = Array.from({ length: SHUFFLES }, (_, seed) => ({ op: number, how: 'shuffled', seed: seed + 1 }));
  const edges: Cut[] = [
    { op: number, how: 'before' },
    { op: number, how: 'after' },
  ];
  const size = op.type === 'program' ? op.bytes.length : op.type === 'erase' ? config.sector : 0;
  const torn: Cut[] = size === 0 ? [] : [1, size / 2, size - 1].map((octets) => ({ op: number, how: 'torn', octets }));
  return [...edges, ...torn, ...shuffled];
}

/** What is wrong after each cut; empty where nothing is. */
function tryEveryCut(test: Case, around: Around = plain): { operations: number; cuts: number; losses: string[] } {
  const before = test.prepare();
  const old = before ? boot(before).held : {};
  const whole = run(test, around);
  const fresh = boot(whole.image()).held;
  const losses: string[] = [];
  let cuts = 0;
  for (const [index, op] of whole.operations.entries()) {
    for (const cut of cutsAt(op, index + 1)) {
      cuts++;
      const problem = examine(test, run(test, around, cut).image(), old, fresh);
      if (problem) losses.push(`${JSON.stringify(cut)} of ${op.type}: ${problem}`);
    }
  }
  return { operations: whole.operations.length, cuts, losses };
}

function examine(test: Case, image: Uint8Array, old: Contents, fresh: Contents): string | undefined {
  const first = boot(image);
  if (first.complaints.length > 0) return first.complaints.join();
  const held = JSON.stringify(first.held);
  if (held !== JSON.stringify(old) && held !== JSON.stringify(fresh)) return `neither old nor new: ${held.slice(0, 100)}`;
  if (first.wrote > 0) return `the first boot wrote ${first.wrote} times`;
  const second = boot(first.image);
  if (JSON.stringify(second.held) !== held) return 'the second boot found something else';
  // Whatever a cut left, the same commit done again ends as if there had been none.
  const again = run({ ...test, prepare: () => second.image }, plain);
  if (JSON.stringify(boot(again.image()).held) !== JSON.stringify(fresh)) return 'the commit could not be done again';
  return undefined;
}

const settings = [file('provisioned/algop8180g2.conf', 3000, 'a = 1\n'), file('provisioned/algom0022EE0A0001.conf', 900, 'b = 1\n')];
const renewed = [file('provisioned/algop8180g2.conf', 3300, 'a = 2\n'), file('provisioned/algom0022EE0A0001.conf', 700, 'b = 2\n')];
const filler = (n: number): FileChange[] => [file('filler', 1500, String(n))];

/** A commit before was torn in its second page: the log has room, and cannot go on there. */
const tornChip = (): Uint8Array => {
  const rig = new PowerRig([config], { op: 2, how: 'torn', octets: 100 }, chipWith([file('x', 10, 'x')]));
  const store = mount(rig, rig, [])!;
  store.commit(filler(1), () => {});
  rig.run();
  return rig.image();
};

const cases: readonly Case[] = [
  { name: 'the first commit to an empty chip', prepare: () => undefined, changes: settings },
  {
    name: 'two files replaced, appended to the log',
    prepare: () => chipWith([file('x', 10, 'x')], settings.slice(0, 1)),
    changes: [file('y', 600, 'y'), file('x', 20, 'z')],
  },
  { name: 'two files replaced, the log full', prepare: () => chipWith(settings, filler(1)), changes: renewed },
  { name: 'two files replaced, their old content scrubbed', prepare: () => chipWith(settings), changes: renewed, scrub: true },
  { name: 'the end of the log torn by an earlier cut', prepare: tornChip, changes: [file('y', 600, 'y'), file('x', 20, 'z')] },
  { name: 'a file removed', prepare: () => chipWith(settings), changes: [{ path: settings[0]!.path, bytes: undefined }] },
];

const begins = (op: FlashOp, magic: string): boolean => op.type === 'program' && latin1(op.bytes, 0, 4) === magic;

/** Holds a transaction back until its commit record was programmed: the order that the store must not have. */
const commitFirst: Around = (rig) => {
  let held: { op: FlashOp; done: Done<Uint8Array | undefined> }[] = [];
  const isCommit = (op: FlashOp): boolean => begins(op, 'BLCM');
  return {
    partitions: rig.partitions,
    submit: (op, done) => {
      if (op.type === 'program' && !isCommit(op) && !begins(op, 'BLFS')) {
        held.push({ op, done });
        // Answered at once, so that the store goes on to its commit record.
        rig.submit({ type: 'read', partition: op.partition, offset: 0, length: 1 }, () => done({ ok: true, value: undefined }, 0));
        return;
      }
      if (!isCommit(op)) return rig.submit(op, done);
      const data = held;
      held = [];
      rig.submit(op, () => {});
      for (const [index, waiting] of data.entries()) rig.submit(waiting.op, index + 1 < data.length ? () => {} : done);
    },
  };
};

describe('power cuts at every flash operation', () => {
  it.each(cases)('$name', (test) => {
    const { operations, cuts, losses } = tryEveryCut(test);
    console.log(`${test.name}: ${operations} operations, ${cuts} cuts, ${losses.length} losses`);
    expect(losses).toEqual([]);
    expect(cuts).toBeGreaterThanOrEqual(5 * operations);
  });

  it('would notice a commit record programmed before the data', () => {
    const { losses } = tryEveryCut(cases[1]!, commitFirst);
    expect(losses.join('\n')).toContain('cannot be read');
  });

  it('would notice an area that counts before its files are there', () => {
    const { losses } = tryEveryCut(cases[3]!, headerFirst);
    expect(losses.join('\n')).toContain('cannot be read');
  });

  it('pairs of cuts: the second while the commit is done again', () => {
    const test = cases[2]!;
    const fresh = boot(run(test, plain).image()).held;
    const old = boot(test.prepare()!).held;
    const operations = run(test, plain).operations;
    let pairs = 0;
    for (const [index, op] of operations.entries()) {
      const size = op.type === 'program' ? op.bytes.length / 2 : config.sector / 2;
      const first = run(test, plain, { op: index + 1, how: 'torn', octets: size }).image();
      const resumed = { ...test, prepare: () => first };
      for (let second = 1; second <= run(resumed, plain).operations.length; second++) {
        pairs++;
        const problem = examine(test, run(resumed, plain, { op: second, how: 'torn', octets: 128 }).image(), old, fresh);
        expect(problem, `cut ${index + 1}, then ${second}`).toBeUndefined();
      }
    }
    console.log(`pairs of cuts: ${pairs}`);
  });
});

/** Programs the header of the new area when the store programs the first page of its first transaction. */
function headerFirst(rig: PowerRig): Flash {
  const header = run(cases[3]!, plain).operations.find((op) => begins(op, 'BLFS'))!;
  let early = false;
  return {
    partitions: rig.partitions,
    submit: (op, done) => {
      if (op.type === 'program' && !early) {
        early = true;
        rig.submit(header, () => {});
      } else if (begins(op, 'BLFS')) {
        rig.submit({ type: 'sync', partition: op.partition }, done);
        return;
      }
      rig.submit(op, done);
    },
  };
}
