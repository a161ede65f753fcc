/**
 * Files in a flash partition, changed in transactions: after a power cut at any operation, a transaction is wholly there or not at all.
 *
 * The partition's sectors make two areas. One holds the log (`log.codec.ts` has the bytes): a commit appends a transaction to it. When
 * the log is full, or its end was left torn by a cut, a commit writes all files to the other area as its first transaction, with the next
 * sequence number: the switch. The area left behind is erased after the switch.
 *
 * Mounting only reads: what a cut left half done is passed over, and cleared by the next commit that needs the room. So a second boot
 * finds what the first one found. Sectors are erased when they are not erased already, and never otherwise.
 */
import { BoundedQueue } from '../../hal/base/bounded-queue.js';
import { equal } from '../../hal/base/bytes.js';
import { fail, ok } from '../../hal/base/result.js';
import type { Done, Flash, FlashOp, HalError, Micros, Partition, Result } from '../../hal/hal.js';
import type { Emit } from '../kernel/events.js';
import { isErased, programPages, readFlash, runSequence, soon } from './flash-sequence.js';
import { type AreaLog, encodeTransaction, type FileChange, type Files, isNewer, readArea, transactionSize } from './log.codec.js';

export type { FileChange } from './log.codec.js';

export interface FileStore {
  /** Paths, sorted, of all files or of those that begin with `prefix`. */
  list(prefix?: string): readonly string[];
  /** The content as last committed; a RAM copy, not to be changed. */
  read(path: string): Uint8Array | undefined;
  /**
   * All changes or none. Commits run one after the other; `read` shows a commit from the moment at which `done` is called.
   * Fails with `full` (the detail says what is too big), `unsupported` (a path that is none) or `io`; the files then stay as they were.
   */
  commit(changes: readonly FileChange[], done: Done<void>): void;
}

export interface FileStoreOptions {
  flash: Flash;
  /** Name of the partition; it needs two sectors at least. */
  partition: string;
  /**
   * Content that a commit replaces or removes leaves the chip with it, at the price of erases: for partitions with keys and passwords.
   * Where power fails between the switch and the erase it stays until the next commit that replaces something.
   */
  scrub?: boolean;
  /** Hears of `flash.committed`, and of `flash.failed` where committed files cannot be read any more. */
  emit?: Emit;
}

/** Fails with `not-found` where there is no such partition, `unsupported` where it is too small, and `io`. An empty partition is an empty store. */
export function mountFileStore(options: FileStoreOptions, done: Done<FileStore>): void {
  const { flash } = options;
  const partition = flash.partitions.find((p) => p.name === options.partition);
  const sectors = partition ? Math.floor(partition.size / partition.sector / 2) : 0;
  if (!partition || sectors === 0) {
    const error = partition
      ? fail('unsupported', `partition ${options.partition} has no two sectors`)
      : fail('not-found', `there is no flash partition ${options.partition}`);
    soon(flash, (at) => done(error, at));
    return;
  }
  const size = sectors * partition.sector;
  const areas: [Area, Area] = [
    { offset: 0, size },
    { offset: size, size },
  ];
  readNewestLog(flash, partition, areas, (result, at) =>
    done(result.ok ? ok(new FlashFileStore(options, partition, areas, result.value)) : result, at),
  );
}

interface Area {
  offset: number;
  size: number;
}
/** The present state of the log. */
interface Log extends Pick<AreaLog, 'sequence' | 'number' | 'end' | 'clean' | 'files'> {
  /** Undefined where none can be read: in an empty partition, and in a damaged one. */
  area: 0 | 1 | undefined;
  /** What should be there and is not: a transaction that was committed and cannot be read. */
  damage?: string;
}
interface Commit {
  /** Content by path; undefined removes. */
  wanted: ReadonlyMap<string, Uint8Array | undefined>;
  done: Done<void>;
}

/** More waiting commits than any part of the device makes at once; the next one is refused. */
const MAX_WAITING = 16;
const MAX_PATH = 255;
const EMPTY_AREA: AreaLog = { sequence: 0, number: 1, end: 0, clean: true, files: new Map() };

class FlashFileStore implements FileStore {
  #log: Log;
  #busy = false;
  readonly #waiting = new BoundedQueue<Commit>(MAX_WAITING);

  constructor(
    private readonly options: FileStoreOptions,
    private readonly partition: Partition,
    private readonly areas: readonly [Area, Area],
    log: Log,
  ) {
    this.#log = log;
    if (log.damage !== undefined) options.emit?.('flash.failed', { detail: `${partition.name}: ${log.damage}` });
  }

  list(prefix = ''): readonly string[] {
    return [...this.#log.files.keys()].filter((path) => path.startsWith(prefix)).sort();
  }

  read(path: string): Uint8Array | undefined {
    return this.#log.files.get(path);
  }

  commit(changes: readonly FileChange[], done: Done<void>): void {
    // The last change of a path is the one that counts; the bytes are the caller's again when this returns.
    const last = new Map(changes.map(({ path, bytes }) => [path, bytes?.slice()]));
    const wrong = [...last.keys()].find((path) => !isStorePath(path));
    if (wrong !== undefined) this.#answer(done, fail('unsupported', `${JSON.stringify(wrong)} is no path of a file`));
    else if (!this.#waiting.push({ wanted: last, done })) this.#answer(done, fail('full', `${MAX_WAITING} commits wait already`));
    else this.#next();
  }

  #next(): void {
    const commit = this.#busy ? undefined : this.#waiting.shift();
    if (!commit) return;
    this.#busy = true;
    this.#run(commit.wanted, (result, at) => {
      this.#busy = false;
      commit.done(result, at);
      this.#next();
    });
  }

  #run(wanted: Commit['wanted'], done: Done<void>): void {
    const changed: FileChange[] = [];
    for (const [path, bytes] of wanted) if (!same(this.#log.files.get(path), bytes)) changed.push({ path, bytes });
    if (changed.length === 0) this.#answer(done, ok(undefined));
    else this.#write(changed, (result, at) => this.#written(changed, result, at, done));
  }

  #written(changed: readonly FileChange[], result: Result<Log, HalError>, at: Micros, done: Done<void>): void {
    if (result.ok) {
      this.#log = result.value;
      this.options.emit?.('flash.committed', { files: changed.map(({ path }) => path) });
      done(ok(undefined), at);
      return;
    }
    // What was programmed before the failure stays where it is: the log can only go on in the other area.
    if (result.error.kind !== 'full') this.#log = { ...this.#log, clean: false };
    done(result, at);
  }

  /** Appends to the log where that is possible, and else switches to the other area. */
  #write(changed: readonly FileChange[], done: Done<Log>): void {
    const log = this.#log;
    const files = applied(log.files, changed);
    const area = log.area === undefined ? undefined : this.areas[log.area];
    const replaces = this.options.scrub === true && changed.some(({ path }) => log.files.has(path));
    const { record, commit } = encodeTransaction(log, changed);
    const end = log.end + transactionSize(record, this.partition.program);
    if (!area || !log.clean || replaces || end > area.size) this.#switch(files, changed, done);
    else {
      this.#program(area.offset + log.end, record, commit, (result, at) =>
        done(result.ok ? ok({ ...log, files, number: log.number + 1, end }) : result, at),
      );
    }
  }

  /** Writes all files to the other area and makes it the one that counts. */
  #switch(files: Files, changed: readonly FileChange[], done: Done<Log>): void {
    const { partition } = this;
    const target = this.#log.area === 0 ? 1 : 0;
    const area = this.areas[target];
    const sequence = this.#log.sequence + 1;
    const all = [...files].map(([path, bytes]) => ({ path, bytes }));
    const { record, commit } = encodeTransaction({ sequence, number: 1 }, all);
    const end = transactionSize(record, partition.program);
    if (end > area.size) {
      const sizes = changed.map(({ path, bytes }) => `${path} (${bytes?.length ?? 0} octets)`).join(', ');
      const detail = `with ${sizes} the files of partition ${partition.name} take ${end} octets, of ${area.size}`;
      this.#answer(done, fail('full', detail));
      return;
    }
    this.#erase(area, (erased, at) => {
      if (!erased.ok) return done(erased, at);
      this.#program(area.offset, record, commit, (programmed, atEnd) => {
        if (!programmed.ok) return done(programmed, atEnd);
        // The commit stands whether or not this erase succeeds: the next switch erases what is left.
        this.#erase(this.areas[1 - target]!, (_erased, atLast) =>
          done(ok({ area: target, sequence, number: 2, end, clean: true, files }), atLast),
        );
      });
    });
  }

  /** A transaction at an offset of the partition: the record, durable, and only then what makes it count. */
  #program(offset: number, record: Uint8Array, commit: Uint8Array, done: Done<void>): void {
    const data = programPages(this.partition, offset, record);
    const end = offset + data.length * this.partition.program;
    runSequence(this.options.flash, [...data, this.#sync(), ...programPages(this.partition, end, commit), this.#sync()], done);
  }

  /** Erases the sectors of an area that are not erased, the first one first: without its first transaction an area counts no more. */
  #erase(area: Area, done: Done<void>): void {
    const erases: FlashOp[] = [];
    const look = (offset: number): void =>
      this.#read(offset, this.partition.sector, (bytes, at) => {
        if (!bytes.ok) return done(bytes, at);
        if (!isErased(this.partition, bytes.value)) erases.push({ type: 'erase', partition: this.partition.name, offset });
        const next = offset + this.partition.sector;
        if (next < area.offset + area.size) look(next);
        else if (erases.length === 0) done(ok(undefined), at);
        else runSequence(this.options.flash, [...erases, this.#sync()], done);
      });
    look(area.offset);
  }

  #read(offset: number, length: number, done: Done<Uint8Array>): void {
    readFlash(this.options.flash, this.partition.name, offset, length, done);
  }

  #sync(): FlashOp {
    return { type: 'sync', partition: this.partition.name };
  }

  /** Answers without a change. */
  #answer<T>(done: Done<T>, result: Result<T, HalError>): void {
    soon(this.options.flash, (at) => done(result, at));
  }
}

function readNewestLog(flash: Flash, partition: Partition, areas: readonly [Area, Area], done: Done<Log>): void {
  readOneArea(flash, partition, areas[0], (first, at) => {
    if (!first.ok) return done(first, at);
    readOneArea(flash, partition, areas[1], (second, atEnd) => done(second.ok ? ok(newestOf(first.value, second.value)) : second, atEnd));
  });
}

/** Of an area that was left, or never written, the first page is erased: no more of it is read. */
function readOneArea(flash: Flash, partition: Partition, area: Area, done: Done<AreaLog>): void {
  readFlash(flash, partition.name, area.offset, partition.program, (page, at) => {
    if (!page.ok) return done(page, at);
    if (isErased(partition, page.value)) return done(ok(EMPTY_AREA), at);
    readSectors(flash, partition, area, (bytes, atEnd) =>
      done(bytes.ok ? ok(readArea(bytes.value, partition.program, partition.erased)) : bytes, atEnd),
    );
  });
}

/** The log of the area with the higher sequence: the one before it was left for good. A commit record that is newer still tells of damage. */
function newestOf(first: AreaLog, second: AreaLog): Log {
  const [area, log] = second.sequence > first.sequence ? ([1, second] as const) : ([0, first] as const);
  const present: Log = { ...log, area: log.sequence > 0 ? area : undefined };
  const last = { sequence: log.sequence, number: log.number - 1 };
  const lost = [first, second].flatMap((each) => (each.lost && isNewer(each.lost, last) ? each.lost : []));
  const [gone] = lost.sort((a, b) => (isNewer(a, b) ? -1 : 1));
  if (!gone) return present;
  const missing = gone.sequence === log.sequence ? log.number : 1;
  // What comes next must be newer than what is lost, should that be readable again one day.
  return { ...present, sequence: gone.sequence, clean: false, damage: `transaction ${missing} was committed, and cannot be read` };
}

/** A whole area, a sector at a time, so that a port never has to hold more. */
function readSectors(flash: Flash, partition: Partition, area: Area, done: Done<Uint8Array>): void {
  const bytes = new Uint8Array(area.size);
  const step = (from: number): void =>
    readFlash(flash, partition.name, area.offset + from, partition.sector, (sector, at) => {
      if (!sector.ok) return done(sector, at);
      bytes.set(sector.value, from);
      if (from + partition.sector < area.size) step(from + partition.sector);
      else done(ok(bytes), at);
    });
  step(0);
}

/** Relative, of plain segments: what an upload calls itself never names a place outside the store. */
const isStorePath = (path: string): boolean =>
  path.length <= MAX_PATH && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && isPlain(part));

const isPlain = (text: string): boolean => [...text].every((c) => c >= ' ' && c !== '\x7f' && c !== '\\');

const same = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean => (a && b ? equal(a, b) : a === b);

function applied(files: Files, changes: readonly FileChange[]): Files {
  const next = new Map(files);
  for (const { path, bytes } of changes) {
    if (bytes) next.set(path, bytes);
    else next.delete(path);
  }
  return next;
}
