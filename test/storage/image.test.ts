import { describe, expect, it } from 'vitest';
import { boards } from '../../boards/index.js';
import { crc32 } from '../../core/storage/crc32.js';
import { decodePartitionTable, encodePartitionTable, placePartitions } from '../../core/storage/image.codec.js';
import { utf8 } from '../../hal/base/bytes.js';
import { expectOk } from '../../hal/base/result.js';
import type { Partition } from '../../hal/hal.js';
import { fuzz } from '../support/mutation.js';

const partition = (name: string, size: number): Partition => ({ name, size, sector: 4096, program: 256, erased: 0xff });
const two = [partition('factory', 8192), partition('config', 16384)];

describe('CRC-32', () => {
  it('gives the check value of the catalogue', () => expect(crc32(utf8('123456789'))).toBe(0xcbf43926));
  it('goes on where it stopped', () => expect(crc32(utf8('6789'), crc32(utf8('12345')))).toBe(0xcbf43926));
});

describe('the partition table of a flash image', () => {
  it.each([...boards.values()])('round trips for $id', (board) => {
    const decoded = expectOk(decodePartitionTable(encodePartitionTable(board.flash)), 'table');
    expect(decoded).toEqual(placePartitions(board.flash).partitions);
  });

  it('lays the partitions out behind the first sector', () => {
    const { partitions, size } = placePartitions(two);
    expect(partitions.map((p) => p.offset)).toEqual([4096, 4096 + 8192]);
    expect(size).toBe(4096 + 8192 + 16384);
  });

  it('reads the table of a whole sector, whatever lies behind it', () => {
    const sector = new Uint8Array(4096).fill(0xff);
    sector.set(encodePartitionTable(two));
    expect(decodePartitionTable(sector).ok).toBe(true);
  });

  it.each([
    ['an empty file', new Uint8Array(0), 'not a Belfry flash image'],
    ['a foreign file', utf8('#!/bin/sh and more'), 'not a Belfry flash image'],
    ['a table cut short', encodePartitionTable(two).slice(0, 50), 'cut short'],
  ])('says what is wrong with %s', (_name, bytes, words) => {
    expect(decodePartitionTable(bytes)).toEqual({ ok: false, error: expect.stringContaining(words) });
  });

  it('notices every single octet that changed', () => {
    const table = encodePartitionTable(two);
    for (let at = 0; at < table.length; at++) {
      const damaged = table.slice();
      damaged[at]! ^= 0x10;
      expect(decodePartitionTable(damaged).ok).toBe(false);
    }
  });

  it('refuses partitions that are not made of whole sectors, or share a name', () => {
    expect(decodePartitionTable(encodePartitionTable([partition('config', 5000)]))).toMatchObject({
      error: expect.stringContaining('not made of whole sectors'),
    });
    expect(decodePartitionTable(encodePartitionTable([two[0]!, two[0]!]))).toMatchObject({
      error: expect.stringContaining('two partitions are named factory'),
    });
    expect(decodePartitionTable(encodePartitionTable([partition('../x', 4096)]))).toMatchObject({
      error: expect.stringContaining('no proper name'),
    });
  });

  it('never throws', () => fuzz([encodePartitionTable(two)], 20_000, (input) => decodePartitionTable(input)));
});
