/** Where a board keeps what, on a NOR flash of 4 KiB sectors and 256-byte pages, the geometry of the common SPI NOR parts. */
import type { Partition } from '../hal/hal.js';

export const KIB = 1024;
export const MIB = 1024 * KIB;

/** The chip's first sector holds the partition table and belongs to no partition. */
const TABLE = 4 * KIB;

const nor = (name: string, size: number): Partition => ({ name, size, sector: 4 * KIB, program: 256, erased: 0xff });

/**
 * The partitions of a chip of `chip` octets, in the order in which they lie on it (sizes are ours: the vendor's are not published).
 * `factory` is written once, at manufacture, and survives a factory reset; `data` takes what the others leave.
 */
export const partitions = (chip: number, sizes: { factory: number; config: number; certs: number }): readonly Partition[] => [
  nor('factory', sizes.factory),
  nor('config', sizes.config),
  nor('certs', sizes.certs),
  nor('data', chip - TABLE - sizes.factory - sizes.config - sizes.certs),
];
