import { describe, expect, it } from 'vitest';
import type { EndpointEvent } from '../../core/kernel/events.js';
import { type FileChange, type FileStore, mountFileStore } from '../../core/storage/file-store.js';
import { readArea } from '../../core/storage/log.codec.js';
import { latin1, utf8 } from '../../hal/base/bytes.js';
import type { HalError, Partition, Result } from '../../hal/hal.js';
import { NorFlash } from '../../sim/flash/nor-flash.js';
import { fuzz } from '../support/mutation.js';
import { PowerRig, turnBit } from '../support/power-rig.js';

const config: Partition = { name: 'config', size: 8 * 4096, sector: 4096, program: 256, erased: 0xff };

function mount(rig: PowerRig, options: { scrub?: boolean; events?: unknown[]; partition?: string } = {}): FileStore {
  let store: FileStore | undefined;
  let error: HalError | undefined;
  const emit = (event: EndpointEvent['event'], fields: object): void => void options.events?.push({ event, ...fields });
  mountFileStore({ flash: rig, partition: options.partition ?? 'config', scrub: options.scrub ?? false, emit }, (result) => {
    if (result.ok) store = result.value;
    else error = result.error;
  });
  expect(store, 'answered during the call').toBeUndefined();
  rig.run();
  if (!store) throw new Error(`${error?.kind}: ${error?.detail}`);
  return store;
}

function commit(rig: PowerRig, store: FileStore, ...changes: readonly FileChange[]): Result<void, HalError> {
  let answer: Result<void, HalError> | undefined;
  store.commit(changes, (result) => {
    answer = result;
  });
  expect(answer, 'answered during the call').toBeUndefined();
  rig.run();
  if (!answer) throw new Error('the commit was never answered');
  return answer;
}

const file = (path: string, text: string): FileChange => ({ path, bytes: utf8(text) });
const contents = (store: FileStore): Record<string, string> =>
  Object.fromEntries(store.list().map((path) => [path, latin1(store.read(path)!)]));

describe('the file store', () => {
  it('is empty on an erased partition, and mounting writes nothing', () => {
    const rig = new PowerRig(new NorFlash([config]));
    expect(mount(rig).list()).toEqual([]);
    expect(rig.operations).toEqual([]);
  });

  it('keeps what was committed over a reboot', () => {
    const rig = new PowerRig(new NorFlash([config]));
    const store = mount(rig);
    expect(commit(rig, store, file('settings/a.conf', 'a = 1'), file('settings/b.conf', ''))).toEqual({ ok: true, value: undefined });
    expect(commit(rig, store, file('settings/a.conf', 'a = 2'), { path: 'settings/b.conf', bytes: undefined }, file('x', 'y')).ok).toBe(
      true,
    );
    const again = new PowerRig(rig.chip);
    expect(contents(mount(again))).toEqual({ 'settings/a.conf': 'a = 2', x: 'y' });
    expect(mount(again).list('settings/')).toEqual(['settings/a.conf']);
    expect(again.operations).toEqual([]);
  });

  it('shows a commit when it is durable, not before', () => {
    const rig = new PowerRig(new NorFlash([config]));
    const store = mount(rig);
    store.commit([file('a', '1')], () => expect(contents(store)).toEqual({ a: '1' }));
    expect(contents(store)).toEqual({});
    rig.run();
  });

  it('runs commits in their order', () => {
    const rig = new PowerRig(new NorFlash([config]));
    const store = mount(rig);
    for (let i = 0; i < 10; i++) store.commit([file('a', String(i)), file(`f${i}`, '')], () => {});
    rig.run();
    expect(contents(mount(new PowerRig(rig.chip)))['a']).toBe('9');
    expect(store.list()).toHaveLength(11);
  });

  it('does not write what is already there', () => {
    const rig = new PowerRig(new NorFlash([config]));
    const store = mount(rig);
    commit(rig, store, file('a', '1'));
    const before = rig.operations.length;
    expect(commit(rig, store, file('a', '1'), { path: 'none', bytes: undefined }).ok).toBe(true);
    expect(rig.operations).toHaveLength(before);
  });

  it('lets the last of several changes of one path count', () => {
    const rig = new PowerRig(new NorFlash([config]));
    const store = mount(rig);
    commit(rig, store, file('a', '1'), { path: 'a', bytes: undefined }, file('b', '1'), file('b', '2'));
    expect(contents(store)).toEqual({ b: '2' });
  });

  it('programs a page at a time, and syncs before and after the commit record', () => {
    const rig = new PowerRig(new NorFlash([config]));
    const store = mount(rig);
    commit(rig, store, file('a', ''));
    rig.operations.length = 0;
    commit(rig, store, file('a', 'x'.repeat(600)));
    expect(rig.operations.map((op) => op.type)).toEqual(['program', 'program', 'program', 'sync', 'program', 'sync']);
    for (const op of rig.operations) if (op.type === 'program') expect(op.bytes).toHaveLength(256);
  });

  it('goes on in the other area when the log is full, and erases only what it wrote', () => {
    const rig = new PowerRig(new NorFlash([config]));
    const store = mount(rig);
    for (let i = 0; i < 100; i++) expect(commit(rig, store, file('a', `${i}`.padEnd(900, '.')), file('keep', 'kept')).ok).toBe(true);
    // 4 pages and a commit record a time: 12 fit a log of 64 pages after the first transaction, so about 8 switches of 4 sectors each.
    const erases = rig.operations.filter((op) => op.type === 'erase');
    expect(erases.length).toBeGreaterThanOrEqual(7 * 4);
    expect(erases.length).toBeLessThanOrEqual(9 * 4);
    const store2 = mount(new PowerRig(rig.chip));
    expect(contents(store2)).toEqual({ a: '99'.padEnd(900, '.'), keep: 'kept' });
  });

  it('says what is too big, and keeps what it has', () => {
    const rig = new PowerRig(new NorFlash([config]));
    const store = mount(rig);
    commit(rig, store, file('a', '1'));
    const before = rig.operations.length;
    expect(commit(rig, store, file('big.pem', 'x'.repeat(16_200)))).toEqual({
      ok: false,
      error: { kind: 'full', detail: 'with big.pem (16200 octets) the files of partition config take 16640 octets, of 16384' },
    });
    expect(rig.operations).toHaveLength(before);
    expect(commit(rig, store, file('b', '2')).ok).toBe(true);
    expect(contents(store)).toEqual({ a: '1', b: '2' });
  });

  it.each(['', '/etc/passwd', 'certs/../x', 'a//b', 'a/', '.', 'a\0b', 'a\\b', 'x'.repeat(256)])('refuses the path %j', (path) => {
    const rig = new PowerRig(new NorFlash([config]));
    expect(commit(rig, mount(rig), file(path, ''))).toMatchObject({ ok: false, error: { kind: 'unsupported' } });
  });

  it('refuses more waiting commits than its bound', () => {
    const rig = new PowerRig(new NorFlash([config]));
    const store = mount(rig);
    const answers: string[] = [];
    for (let i = 0; i < 20; i++) store.commit([file(`f${i}`, '')], (r) => answers.push(r.ok ? 'ok' : r.error.kind));
    rig.run();
    expect(answers.filter((a) => a === 'ok')).toHaveLength(17);
    expect(answers.filter((a) => a === 'full')).toHaveLength(3);
  });

  it('needs a partition of two sectors', () => {
    const rig = new PowerRig(new NorFlash([{ ...config, size: 4096 }]));
    expect(() => mount(rig)).toThrow('unsupported: partition config has no two sectors');
    expect(() => mount(rig, { partition: 'certs' })).toThrow('not-found: there is no flash partition certs');
  });

  it.each<[string, Partial<Partition>]>([
    ['that erases to 0', { erased: 0x00 }],
    ['of 16-octet program units', { program: 16 }],
    ['of 8-octet program units and 2 KiB sectors', { program: 8, sector: 2048 }],
    ['of one big page a sector', { program: 4096 }],
  ])('works on a chip %s', (_name, geometry) => {
    const partition = { ...config, ...geometry };
    const rig = new PowerRig(new NorFlash([partition]));
    const store = mount(rig);
    for (let i = 0; i < 30; i++) expect(commit(rig, store, file('a', `${i}`.padEnd(700, '.')), file(`f${i % 3}`, `${i}`)).ok).toBe(true);
    expect(contents(mount(new PowerRig(rig.chip)))).toEqual(contents(store));
  });

  it('with scrub, what was replaced is not on the chip any more', () => {
    const rig = new PowerRig(new NorFlash([config]));
    const store = mount(rig, { scrub: true });
    commit(rig, store, file('settings', 'sip.u1.pwd = first-secret'), file('other', 'kept'));
    commit(rig, store, file('new', 'appended'));
    expect(latin1(rig.chip.image())).toContain('first-secret');
    commit(rig, store, file('settings', 'sip.u1.pwd = second-secret'));
    expect(latin1(rig.chip.image())).not.toContain('first-secret');
    commit(rig, store, { path: 'settings', bytes: undefined });
    expect(latin1(rig.chip.image())).not.toContain('second-secret');
    expect(contents(store)).toEqual({ other: 'kept', new: 'appended' });
  });

  it.each([
    ['with scrub, half a commit', true, 2],
    // 14 pages of a log of 64 are the files; a commit of the clock takes two of what is left.
    ['without, a fiftieth of one', false, 50],
  ])('wears no sector more than another: %s', (_name, scrub, commits) => {
    const rig = new PowerRig(new NorFlash([config]));
    const store = mount(rig, { scrub });
    commit(rig, store, file('settings', 'x'.repeat(3000)));
    rig.operations.length = 0;
    const times = 400;
    for (let i = 0; i < times; i++) commit(rig, store, file('state/clock', `${1_767_225_600_000 + i}`));
    const wear = new Map<number, number>();
    for (const op of rig.operations) if (op.type === 'erase') wear.set(op.offset, (wear.get(op.offset) ?? 0) + 1);
    expect(Math.max(...wear.values())).toBeLessThanOrEqual(times / commits);
    expect(Math.max(...wear.values()) - Math.min(...wear.values())).toBeLessThanOrEqual(1);
  });

  it('reports what it committed, and what it cannot read any more', () => {
    const events: unknown[] = [];
    const rig = new PowerRig(new NorFlash([config]));
    commit(rig, mount(rig, { events }), file('a', '1'), file('b', '2'));
    expect(events).toEqual([{ event: 'flash.committed', files: ['a', 'b'] }]);
    // A bit of the content turns, years later: behind the record's head.
    turnBit(rig.chip, 'config', 30);
    events.length = 0;
    expect(contents(mount(new PowerRig(rig.chip), { events }))).toEqual({});
    expect(events).toEqual([{ event: 'flash.failed', detail: 'config: transaction 1 was committed, and cannot be read' }]);
  });

  it('keeps the commits before a damaged one, and can go on', () => {
    const events: unknown[] = [];
    const rig = new PowerRig(new NorFlash([config]));
    const store = mount(rig);
    for (const n of ['1', '2', '3']) commit(rig, store, file('a', n));
    turnBit(rig.chip, 'config', 512 + 25);
    const next = new PowerRig(rig.chip);
    const found = mount(next, { events });
    expect(contents(found)).toEqual({ a: '1' });
    expect(events).toEqual([{ event: 'flash.failed', detail: 'config: transaction 2 was committed, and cannot be read' }]);
    expect(commit(next, found, file('b', '1')).ok).toBe(true);
    expect(contents(mount(new PowerRig(next.chip)))).toEqual({ a: '1', b: '1' });
  });

  it.each([
    ['the first octet of all', 0],
    ['the sequence', 7],
    ['the number', 11],
    ['the length', 15],
    ['the content', 28],
    ['the commit record', 256 + 5],
  ])('never loses its files in silence: a bit turns in %s', (_name, offset) => {
    const rig = new PowerRig(new NorFlash([config]));
    commit(rig, mount(rig), file('a', '1'));
    turnBit(rig.chip, 'config', offset);
    const events: unknown[] = [];
    const next = new PowerRig(rig.chip);
    const store = mount(next, { events });
    expect(contents(store)).toEqual({});
    // A commit record of its own is all that tells of a transaction: without it, there was none.
    const told = offset > 256 ? [] : [{ event: 'flash.failed', detail: 'config: transaction 1 was committed, and cannot be read' }];
    expect(events).toEqual(told);
    expect(commit(next, store, file('b', '1')).ok).toBe(true);
    events.length = 0;
    expect(contents(mount(new PowerRig(next.chip), { events }))).toEqual({ b: '1' });
    expect(events).toEqual([]);
  });

  it('falls back to the log before a damaged one that was not erased yet, says so, and writes what is newer than both', () => {
    const rig = new PowerRig(new NorFlash([config]));
    const store = mount(rig, { scrub: true });
    commit(rig, store, file('a', '1'));
    const { operations } = rig;
    const before = operations.length;
    rig.chip.cutPowerAt({ op: rig.chip.operations + 3, how: 'before' });
    store.commit([file('a', '2')], () => {});
    rig.run();
    expect(operations.slice(before).map(({ type }) => type)).toEqual(['program', 'sync', 'program', 'sync', 'erase']);
    turnBit(rig.chip, 'config', config.size / 2 + 28);
    const events: unknown[] = [];
    const next = new PowerRig(rig.chip);
    const found = mount(next, { events });
    expect(contents(found)).toEqual({ a: '1' });
    expect(events).toEqual([{ event: 'flash.failed', detail: 'config: transaction 1 was committed, and cannot be read' }]);
    expect(commit(next, found, file('a', '3')).ok).toBe(true);
    events.length = 0;
    expect(contents(mount(new PowerRig(next.chip), { events }))).toEqual({ a: '3' });
    expect(events).toEqual([]);
  });

  it('never throws on any content of a partition', () => {
    const rig = new PowerRig(new NorFlash([config]));
    const store = mount(rig);
    for (const n of ['1', '2', '3']) commit(rig, store, file('settings/a.conf', n.repeat(300)), file(n, n));
    fuzz([rig.chip.memory('config').read(0, 4096)], 5_000, (input) => readArea(input, 256, 0xff));
  });
});
