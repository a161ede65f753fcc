/**
 * The partition table in the first sector of a flash image, big-endian:
 *
 *     0   4  magic `BLFY`
 *     4   1  version, 1
 *     5   1  count of entries
 *     6   2  zero
 *     8  32  an entry each: name (16 octets of ASCII, padded with zeros), offset, size, sector (4 octets each),
 *            program (2 octets), erased (1 octet), zero (1 octet)
 *     …   4  CRC-32 of all before
 *
 * An image is the bytes of the chip: it can be written to a real one as it is.
 */
import { fromLatin1, latin1, putU16, putU32, u16, u32 } from '../../hal/base/bytes.js';
import { err, ok } from '../../hal/base/result.js';
import type { Partition, Result } from '../../hal/hal.js';
import { crc32 } from './crc32.js';

/** A partition and where it begins on the chip, in octets. */
export interface PlacedPartition extends Partition {
  offset: number;
}

/** The first sector; what a reader needs at most to find everything else. */
export const TABLE_SECTOR = 4096;

const MAGIC = 0x424c4659; // "BLFY"
const VERSION = 1;
const HEAD = 8;
const ENTRY = 32;
const NAME = 16;
/** One octet counts them, and a sector has room for fewer. */
const MAX_ENTRIES = 64;

/** Partitions lie in the order of the profile, one after the other, behind the table's sector. */
export function placePartitions(partitions: readonly Partition[]): { partitions: readonly PlacedPartition[]; size: number } {
  let offset = TABLE_SECTOR;
  const placed = partitions.map((partition) => {
    const at = offset;
    offset += partition.size;
    return { ...partition, offset: at };
  });
  return { partitions: placed, size: offset };
}

/** The table's octets; the rest of its sector stays erased. */
export function encodePartitionTable(partitions: readonly Partition[]): Uint8Array {
  const out = new Uint8Array(HEAD + ENTRY * partitions.length + 4);
  putU32(out, 0, MAGIC);
  out[4] = VERSION;
  out[5] = partitions.length;
  placePartitions(partitions).partitions.forEach((partition, index) => {
    const at = HEAD + ENTRY * index;
    out.set(fromLatin1(partition.name).subarray(0, NAME), at);
    putU32(out, at + NAME, partition.offset);
    putU32(out, at + NAME + 4, partition.size);
    putU32(out, at + NAME + 8, partition.sector);
    putU16(out, at + NAME + 12, partition.program);
    out[at + NAME + 14] = partition.erased;
  });
  putU32(out, out.length - 4, crc32(out.subarray(0, out.length - 4)));
  return out;
}

/** Reads the first sector; the error says in words what is wrong with it. */
export function decodePartitionTable(sector: Uint8Array): Result<readonly PlacedPartition[], string> {
  if (sector.length < HEAD || u32(sector, 0) !== MAGIC) return err('not a Belfry flash image: it does not begin with BLFY');
  if (sector[4] !== VERSION) return err(`the image has format version ${sector[4]}, this is version ${VERSION}`);
  const count = sector[5]!;
  const end = HEAD + ENTRY * count;
  if (count > MAX_ENTRIES || sector.length < end + 4) return err(`the partition table is cut short: ${count} entries announced`);
  if (u32(sector, end) !== crc32(sector.subarray(0, end))) return err('the partition table is damaged: its checksum does not match');
  const partitions: PlacedPartition[] = [];
  let next = TABLE_SECTOR;
  for (let at = HEAD; at < end; at += ENTRY) {
    const partition = decodeEntry(sector, at);
    if (typeof partition === 'string') return err(partition);
    if (partition.offset !== next) return err(`partition ${partition.name} begins at ${partition.offset}, not at ${next}`);
    if (partitions.some((p) => p.name === partition.name)) return err(`two partitions are named ${partition.name}`);
    next += partition.size;
    partitions.push(partition);
  }
  return ok(partitions);
}

function decodeEntry(sector: Uint8Array, at: number): PlacedPartition | string {
  const name = latin1(sector, at, at + NAME).replace(/\0+$/, '');
  const offset = u32(sector, at + NAME);
  const size = u32(sector, at + NAME + 4);
  const eraseUnit = u32(sector, at + NAME + 8);
  const program = u16(sector, at + NAME + 12);
  const erased = sector[at + NAME + 14];
  if (!/^[a-z][a-z0-9-]{0,15}$/.test(name)) return 'a partition has no proper name';
  const whole = size > 0 && eraseUnit > 0 && program > 0 && size % eraseUnit === 0 && eraseUnit % program === 0;
  if (!whole) return `partition ${name} of ${size} octets is not made of whole sectors (${eraseUnit}) and pages (${program})`;
  if (erased !== 0x00 && erased !== 0xff) return `partition ${name} erases to ${erased}, neither 0 nor 255`;
  return { name, offset, size, sector: eraseUnit, program, erased };
}
