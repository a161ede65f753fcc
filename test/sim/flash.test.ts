import { describe, expect, it } from 'vitest';
import { SECOND } from '../../hal/base/time.js';
import type { Flash, FlashOp, HalError, Partition, Result } from '../../hal/hal.js';
import type { FlashTrace } from '../../sim/flash/flash-port.js';
import { NorFlash } from '../../sim/flash/nor-flash.js';
import type { PowerCut } from '../../sim/flash/power-cut.js';
import { SparseMemory } from '../../sim/flash/sparse-memory.js';
import type { Host } from '../../sim/world/host.js';
import { World } from '../../sim/world/world.js';
import { alwaysQuiet } from '../support/quiet.js';

const CONFIG: Partition = { name: 'config', size: 16_384, sector: 4096, program: 16, erased: 0xff };
const DATA: Partition = { name: 'data', size: 8_192, sector: 1024, program: 4, erased: 0x00 };

interface Board {
  world: World;
  host: Host;
  flash: Flash;
  trace: FlashTrace[];
  cuts: PowerCut[];
}

function boot(chip: NorFlash): Board {
  const world = new World({ seed: 1, platform: { quiet: alwaysQuiet }, start: 0 });
  const host = world.host({ name: 'lobby' });
  const trace: FlashTrace[] = [];
  const cuts: PowerCut[] = [];
  const flash = chip.attach(host, {
    onOp: (op) => trace.push(op),
    onPowerCut: (cut) => {
      cuts.push(cut);
      host.powerOff();
    },
  });
  return { world, host, flash, trace, cuts };
}

/** Submits all at once and runs; the answers of those that were answered. */
async function submit({ world, flash }: Board, ...ops: FlashOp[]): Promise<Result<Uint8Array | undefined, HalError>[]> {
  const answers: Result<Uint8Array | undefined, HalError>[] = [];
  for (const op of ops) flash.submit(op, (result) => answers.push(result));
  expect(answers).toEqual([]);
  await world.run(world.now + 100 * SECOND);
  return answers;
}

const program = (offset: number, bytes: number[], partition = 'config'): FlashOp => ({
  type: 'program',
  partition,
  offset,
  bytes: Uint8Array.from(bytes),
});
const read = (offset: number, length: number, partition = 'config'): FlashOp => ({ type: 'read', partition, offset, length });
const erase = (offset: number, partition = 'config'): FlashOp => ({ type: 'erase', partition, offset });
const page = (value: number, length = 16): number[] => new Array<number>(length).fill(value);
const bytes = (value: number, length = 16): Uint8Array => new Uint8Array(length).fill(value);
const octets = (result: Result<Uint8Array | undefined, HalError> | undefined): number[] => (result?.ok ? [...(result.value ?? [])] : []);

describe('sparse memory', () => {
  it('reads what was written, across chunks, and forgets what is erased', () => {
    const memory = new SparseMemory(20_000, 0xff);
    memory.write(4_090, bytes(7, 8_200));
    expect([...memory.read(4_088, 4)]).toEqual([0xff, 0xff, 7, 7]);
    expect([...memory.read(12_288, 4)]).toEqual([7, 7, 0xff, 0xff]);
    memory.write(4_096, bytes(0xff, 100));
    memory.write(8_192, bytes(0xff, 4_096));
    expect([memory.read(4_095, 1)[0], memory.read(4_195, 1)[0], memory.read(4_196, 1)[0], memory.read(8_192, 1)[0]]).toEqual([
      7, 0xff, 7, 0xff,
    ]);
  });
});

describe('NOR flash', () => {
  it('reads back what was programmed, in the order submitted', async () => {
    const board = boot(new NorFlash([CONFIG]));
    const answers = await submit(board, program(32, page(0x0f)), read(30, 4), { type: 'sync', partition: 'config' });
    expect(octets(answers[1])).toEqual([0xff, 0xff, 0x0f, 0x0f]);
    expect(answers[2]).toEqual({ ok: true, value: undefined });
    expect(board.trace.map(({ op, type, offset }) => [op, type, offset])).toEqual([
      [1, 'program', 32],
      [undefined, 'read', 30],
      [undefined, 'sync', undefined],
    ]);
    expect(board.trace[0]!.at).toBe(702);
  });

  it('clears bits on programs, and sets a sector on erase', async () => {
    const board = boot(new NorFlash([CONFIG]));
    const answers = await submit(
      board,
      program(0, page(0xf0)),
      program(0, page(0x30)),
      program(4096, page(1)),
      erase(0),
      read(0, 1),
      read(4096, 1),
    );
    expect([octets(answers[4]), octets(answers[5])]).toEqual([[0xff], [1]]);
  });

  it('works alike where erased is zero', async () => {
    const board = boot(new NorFlash([CONFIG, DATA]));
    const answers = await submit(
      board,
      program(0, page(1, 4), 'data'),
      program(0, page(3, 4), 'data'),
      read(0, 5, 'data'),
      erase(0, 'data'),
      read(0, 1, 'data'),
    );
    expect([octets(answers[2]), octets(answers[4])]).toEqual([[3, 3, 3, 3, 0], [0]]);
    await expect(submit(board, program(0, page(3, 4), 'data'), program(0, page(1, 4), 'data'))).rejects.toThrowError(
      /needs an erase first/,
    );
  });

  it.each<[string, FlashOp]>([
    ['off the program unit', program(8, page(0))],
    ['a part of a program unit', program(0, page(0, 15))],
    ['off the sector', erase(16)],
    ['outside', read(16_380, 5)],
    ['before the start', read(-1, 1)],
    ['an unknown partition', read(0, 1, 'nowhere')],
  ])('throws for a contract violation: %s', (_what, op) => {
    const { flash } = boot(new NorFlash([CONFIG]));
    expect(() => flash.submit(op, () => {})).toThrowError(/contract violation/);
  });

  it('fails the run when a bit would go back to the erased state', async () => {
    const board = boot(new NorFlash([CONFIG]));
    await expect(submit(board, program(0, page(0x0f)), program(0, page(0x1f)))).rejects.toThrowError(
      'lobby at 1404 µs (1970-01-01T00:00:00.001Z): contract violation: program of config at 0 needs an erase first',
    );
  });

  it('keeps a copy of what is to be programmed', async () => {
    const board = boot(new NorFlash([CONFIG]));
    const buffer = bytes(5);
    board.flash.submit({ type: 'program', partition: 'config', offset: 0, bytes: buffer }, () => {});
    buffer.fill(9);
    expect(octets((await submit(board, read(0, 1)))[0])).toEqual([5]);
  });

  it('answers full when too much is waiting', async () => {
    const board = boot(new NorFlash([CONFIG]));
    const answers = await submit(board, ...Array.from({ length: 32_769 }, () => read(0, 1)));
    expect(answers.filter((answer) => !answer.ok)).toEqual([{ ok: false, error: expect.objectContaining({ kind: 'full' }) }]);
  });
});

describe('image', () => {
  it('survives a round trip, with its table in front', async () => {
    const chip = new NorFlash([CONFIG, DATA]);
    await submit(boot(chip), program(64, page(0x12)), program(4, page(0x34, 4), 'data'));
    const image = chip.image();
    expect(image.length).toBe(4096 + 16_384 + 8_192);
    expect(String.fromCharCode(...image.subarray(0, 4))).toBe('BLFY');
    const again = NorFlash.fromImage(image);
    if (!again.ok) throw new Error(again.error);
    expect(again.value.image()).toEqual(image);
    expect(octets((await submit(boot(again.value), read(4, 4, 'data')))[0])).toEqual(page(0x34, 4));
  });

  it('is copied to a chip with a life of its own', () => {
    const chip = new NorFlash([CONFIG, DATA]);
    chip.commit(program(16, new Array(16).fill(0x0f)));
    const copy = chip.copy();
    expect(copy.image()).toEqual(chip.image());
    expect(copy.operations).toBe(0);
    copy.commit({ type: 'erase', partition: 'config', offset: 0 });
    expect(chip.memory('config').read(16, 1)).toEqual(Uint8Array.of(0x0f));
    expect(copy.memory('config').read(16, 1)).toEqual(Uint8Array.of(0xff));
  });

  it('that is none is refused in words', () => {
    expect(NorFlash.fromImage(bytes(0xff, 8192))).toEqual({ ok: false, error: expect.stringContaining('not a Belfry flash image') });
  });
});

describe('a power cut', () => {
  const afterCut = async (cut: PowerCut, ...ops: FlashOp[]) => {
    const chip = new NorFlash([CONFIG]);
    await submit(boot(chip), program(0, page(0x55)), program(4096, page(0x55)));
    chip.cutPowerAt(cut);
    const board = boot(chip);
    const answers = await submit(board, ...ops);
    return { chip, board, answers: answers.length, left: octets((await submit(boot(chip), read(0, 32)))[0]) };
  };
  const half = (a: number, n: number, b: number): number[] => [...page(a, n), ...page(b, 32 - n)];

  it('before an operation leaves it undone', async () => {
    const { left, board, answers, chip } = await afterCut({ op: 3, how: 'before' }, program(16, page(0x11)), erase(0));
    expect(left).toEqual(half(0x55, 16, 0xff));
    expect([answers, board.cuts, board.host.on, chip.operations]).toEqual([0, [{ op: 3, how: 'before' }], false, 3]);
  });

  it('after an operation leaves it done and unanswered', async () => {
    const { left, answers } = await afterCut({ op: 4, how: 'after' }, program(16, page(0x11)), erase(0), program(0, page(0)));
    expect([left, answers]).toEqual([half(0xff, 32, 0xff), 1]);
  });

  it.each([0, 1, 8, 15])('inside a program leaves its first %i octets', async (octets) => {
    const { left } = await afterCut({ op: 3, how: 'torn', octets }, program(16, page(0x11)));
    expect(left).toEqual([...page(0x55), ...page(0x11, octets), ...page(0xff, 16 - octets)]);
  });

  it('inside an erase leaves the rest of the sector as it was', async () => {
    const { left } = await afterCut({ op: 3, how: 'torn', octets: 4 }, erase(0));
    expect(left).toEqual([...page(0xff, 4), ...page(0x55, 12), ...page(0xff, 16)]);
  });

  it('leaves any bit of an operation done or undone, and makes none that neither had', async () => {
    const programmed = await afterCut({ op: 3, how: 'noisy', seed: 1 }, program(16, page(0x0f)));
    const fresh = programmed.left.slice(16);
    expect(fresh.every((octet) => (octet & 0x0f) === 0x0f)).toBe(true);
    expect(new Set(fresh).size).toBeGreaterThan(4);
    const erased = await afterCut({ op: 3, how: 'noisy', seed: 1 }, erase(0));
    expect(erased.left.slice(0, 16).every((octet) => (octet & 0x55) === 0x55)).toBe(true);
    expect(new Set(erased.left.slice(0, 16)).size).toBeGreaterThan(4);
  });

  /** How much of a page of that value is there. */
  const outcomeOf = (found: Uint8Array, value: number): string => {
    const done = found.lastIndexOf(value) + 1;
    if (!found.every((octet, i) => octet === (i < done ? value : 0xff))) return 'torn apart';
    return done === 0 ? 'none' : done === found.length ? 'whole' : 'part';
  };

  it('lands what was not synced in any order, or not at all, and never touches what was', async () => {
    const synced: FlashOp[] = [program(16, page(0x11)), { type: 'sync', partition: 'config' }];
    const waiting = [program(32, page(1)), program(48, page(2)), program(64, page(3))];
    const found = new Set<string>();
    for (let seed = 1; seed <= 256; seed++) {
      const chip = new NorFlash([CONFIG, DATA]);
      chip.cutPowerAt({ op: 4, how: 'reordered', seed });
      const answers = await submit(boot(chip), ...synced, ...waiting);
      expect(answers).toHaveLength(4);
      expect(chip.memory('config').read(0, 32)).toEqual(Uint8Array.from(half(0xff, 16, 0x11)));
      const left = [32, 48, 64].map((offset, i) => outcomeOf(chip.memory('config').read(offset, 16), i + 1));
      found.add(left.join());
    }
    // Each of them whole or not at all, and in each of these the last one to land perhaps in part.
    const whole = [...found].filter((outcome) => !outcome.includes('part'));
    expect(whole).toHaveLength(8);
    expect(found.size).toBe(20);
    expect([...found].some((outcome) => /part.*part|torn/.test(outcome))).toBe(false);
  });

  it('of one partition lands what its own sync did not order', async () => {
    const outcomes = new Set<string>();
    for (let seed = 1; seed <= 16; seed++) {
      const chip = new NorFlash([CONFIG, DATA]);
      chip.cutPowerAt({ nth: 3, how: 'reordered', seed });
      await submit(boot(chip), program(0, page(1)), { type: 'sync', partition: 'data' }, program(16, page(2)));
      outcomes.add(String(chip.memory('config').read(0, 1)));
    }
    expect(outcomes).toEqual(new Set(['1', '255']));
  });

  it('comes once: the next boot runs on', async () => {
    const { chip } = await afterCut({ op: 3, how: 'before' }, program(16, page(0x11)));
    const answers = await submit(boot(chip), program(16, page(0x11)));
    expect([answers.length, chip.operations]).toEqual([1, 4]);
  });

  it('is counted over programs and erases, or over every operation', async () => {
    const { left, answers } = await afterCut({ nth: 4, how: 'after' }, read(0, 16), program(16, page(0x11)));
    expect([left, answers]).toEqual([half(0x55, 16, 0x11), 1]);
    const inRead = await afterCut({ nth: 3, how: 'torn', octets: 1 }, read(0, 16), program(16, page(0x11)));
    expect([inRead.left, inRead.answers]).toEqual([half(0x55, 16, 0xff), 0]);
  });

  it('by the switch loses what was not finished', async () => {
    const chip = new NorFlash([CONFIG]);
    const board = boot(chip);
    board.world.at(701, () => board.host.powerOff());
    expect(await submit(board, program(0, page(0)))).toEqual([]);
    expect(chip.operations).toBe(0);
  });
});
