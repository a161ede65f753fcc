/**
 * The log of transactions in one area of a partition. All numbers big-endian, all records begin at a program unit ("page") and are
 * padded to whole pages with the erased value, so that no page is ever programmed twice:
 *
 *     page 0 …   transaction   0  4  magic `BLTX`
 *                              4  4  sequence of the area, the same in all its records: the area with the higher one counts
 *                              8  4  number within the area, from 1
 *                             12  4  length of the changes
 *                             16  4  CRC-32 of the 16 octets before
 *                             20  …  changes: kind (1 octet: 0 removed, 1 put), length of path (2), length of content (4), path, content
 *     its last page  commit    0  4  magic `BLCM`
 *                              4  4  sequence
 *                              8  4  number
 *                             12  4  CRC-32 of the transaction's record, without padding
 *                             16  4  CRC-32 of the 16 octets before
 *     …          the next transaction, or erased pages up to the end of the area
 *
 * The commit record is programmed after a sync that made the transaction durable. So a power cut leaves a transaction without a valid
 * commit record, never a commit without its transaction; where the latter is found all the same, the flash is damaged, and that is said.
 */
import { concat, fromUtf8, isFilledWith, putU32, u16, u32, utf8 } from '../../hal/base/bytes.js';
import { crc32 } from './crc32.js';

export interface FileChange {
  path: string;
  /** Undefined removes the file. */
  bytes: Uint8Array | undefined;
}
export type Files = ReadonlyMap<string, Uint8Array>;

/** Where in the log a transaction stands. */
export interface LogPosition {
  /** Of the area. */
  sequence: number;
  /** Of the transaction in its area. */
  number: number;
}

/** What is in an area. */
export interface AreaLog {
  /** 0 where not even its first transaction can be read. */
  sequence: number;
  files: Files;
  /** Of the next transaction. */
  number: number;
  /** Where the next transaction begins, in octets from the area's start. */
  end: number;
  /** Everything from `end` on is erased, so that the log can go on there. */
  clean: boolean;
  /** The newest commit record whose transaction cannot be read. */
  lost?: LogPosition;
}

const TRANSACTION_MAGIC = 0x424c5458; // "BLTX"
const COMMIT_MAGIC = 0x424c434d; // "BLCM"
const TRANSACTION_HEAD = 20;
const COMMIT = 20;
const CHANGE_HEAD = 7;

const pages = (length: number, page: number): number => Math.ceil(length / page) * page;

/** Octets that a transaction of that record takes, with its commit record. */
export const transactionSize = (record: Uint8Array, page: number): number => pages(record.length, page) + pages(COMMIT, page);

/** Numbers followed by the CRC-32 of them. */
function sealed(...numbers: readonly number[]): Uint8Array {
  const out = new Uint8Array(4 * numbers.length + 4);
  for (const [index, number] of numbers.entries()) putU32(out, 4 * index, number);
  putU32(out, out.length - 4, crc32(out.subarray(0, out.length - 4)));
  return out;
}

/** The numbers before a CRC that matches them, where the first is the magic. */
function unsealed(bytes: Uint8Array, at: number, length: number, magic: number): readonly number[] | undefined {
  if (at + length > bytes.length || u32(bytes, at) !== magic) return undefined;
  if (u32(bytes, at + length - 4) !== crc32(bytes.subarray(at, at + length - 4))) return undefined;
  return Array.from({ length: length / 4 - 1 }, (_, index) => u32(bytes, at + 4 * index));
}

/** The record to program first, and the one that makes it count. */
export function encodeTransaction(at: LogPosition, changes: readonly FileChange[]): { record: Uint8Array; commit: Uint8Array } {
  const body = concat(...changes.map(encodeChange));
  const record = concat(sealed(TRANSACTION_MAGIC, at.sequence, at.number, body.length), body);
  return { record, commit: sealed(COMMIT_MAGIC, at.sequence, at.number, crc32(record)) };
}

function encodeChange({ path, bytes }: FileChange): Uint8Array {
  const name = utf8(path);
  const head = new Uint8Array(CHANGE_HEAD);
  head[0] = bytes ? 1 : 0;
  head[1] = name.length >> 8;
  head[2] = name.length;
  putU32(head, 3, bytes?.length ?? 0);
  return concat(head, name, ...(bytes ? [bytes] : []));
}

/** Reads a whole area. */
export function readArea(area: Uint8Array, page: number, erased: number): AreaLog {
  const sequence = unsealed(area, 0, TRANSACTION_HEAD, TRANSACTION_MAGIC)?.[1] ?? 0;
  const files = new Map<string, Uint8Array>();
  let number = 1;
  let end = 0;
  for (let next = readTransaction(area, end, page, { sequence, number }); next; ) {
    for (const { path, bytes } of next.changes) {
      if (bytes) files.set(path, bytes);
      else files.delete(path);
    }
    end = next.end;
    number++;
    next = readTransaction(area, end, page, { sequence, number });
  }
  const clean = isFilledWith(area.subarray(end), erased);
  const lost = clean ? undefined : findCommit(area, end, page);
  return { sequence: number > 1 ? sequence : 0, files, number, end, clean, ...(lost ? { lost } : {}) };
}

/** Whether a comes after b. */
export const isNewer = (a: LogPosition, b: LogPosition): boolean =>
  a.sequence > b.sequence || (a.sequence === b.sequence && a.number > b.number);

function readTransaction(area: Uint8Array, at: number, page: number, expected: LogPosition) {
  const head = unsealed(area, at, TRANSACTION_HEAD, TRANSACTION_MAGIC);
  if (!head || head[1] !== expected.sequence || head[2] !== expected.number) return undefined;
  const length = TRANSACTION_HEAD + head[3]!;
  const commitAt = at + pages(length, page);
  const commit = unsealed(area, commitAt, COMMIT, COMMIT_MAGIC);
  if (!commit || commit[1] !== expected.sequence || commit[2] !== expected.number) return undefined;
  const record = area.subarray(at, at + length);
  if (commit[3] !== crc32(record)) return undefined;
  const changes = decodeChanges(record.subarray(TRANSACTION_HEAD));
  return changes && { changes, end: commitAt + pages(COMMIT, page) };
}

/** Copies, so that the area's bytes can go. */
function decodeChanges(body: Uint8Array): readonly FileChange[] | undefined {
  const changes: FileChange[] = [];
  for (let at = 0; at < body.length; ) {
    if (at + CHANGE_HEAD > body.length) return undefined;
    const nameEnd = at + CHANGE_HEAD + u16(body, at + 1);
    const end = nameEnd + u32(body, at + 3);
    if (end > body.length) return undefined;
    const path = fromUtf8(body, at + CHANGE_HEAD, nameEnd);
    changes.push({ path, bytes: body[at] === 1 ? body.slice(nameEnd, end) : undefined });
    at = end;
  }
  return changes;
}

/** The newest commit record behind the readable end of the log. */
function findCommit(area: Uint8Array, from: number, page: number): LogPosition | undefined {
  let newest: LogPosition | undefined;
  for (let at = from; at < area.length; at += page) {
    const commit = unsealed(area, at, COMMIT, COMMIT_MAGIC);
    const found = commit && { sequence: commit[1]!, number: commit[2]! };
    if (found && (!newest || isNewer(found, newest))) newest = found;
  }
  return newest;
}
