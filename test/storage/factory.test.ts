import { describe, expect, it } from 'vitest';
import { decodeFactory, encodeFactory, type FactoryContent } from '../../core/storage/factory.codec.js';
import { utf8 } from '../../hal/base/bytes.js';
import { expectOk } from '../../hal/base/result.js';
import { fuzz } from '../support/mutation.js';

const der = (fill: number): Uint8Array => new Uint8Array(40).fill(fill);
const content: FactoryContent = {
  board: '8180-g2',
  mac: '0022EE0A0001',
  serial: 'BF-000001',
  made: 1_767_225_600_000,
  password: 'correct horse',
  identity: { chain: [der(1), der(2)], pkcs8: der(3) },
  anchors: { set: 'Mozilla', version: '2025-12', certificates: [der(4), der(5), der(6)] },
};

describe('the manufacture record', () => {
  it('round trips', () => expect(expectOk(decodeFactory(encodeFactory(content)), 'record')).toEqual(content));

  it('round trips for a unit from before 2019, which has no device certificate', () => {
    const { identity: _, ...old } = content;
    const decoded = expectOk(decodeFactory(encodeFactory(old)), 'record');
    expect(decoded).toEqual(old);
    expect(decoded).not.toHaveProperty('identity');
  });

  it('does not care what lies behind it in the partition', () => {
    const partition = new Uint8Array(8192).fill(0xff);
    partition.set(encodeFactory(content));
    expect(expectOk(decodeFactory(partition), 'record')).toEqual(content);
  });

  it.each([
    ['an erased partition', new Uint8Array(64).fill(0xff), 'no manufacture record'],
    ['nothing', new Uint8Array(0), 'no manufacture record'],
    ['a later format', Uint8Array.from([...utf8('BLFF'), 9, ...new Uint8Array(20)]), 'format version 9'],
    ['a record cut short', encodeFactory(content).slice(0, 100), 'cut short'],
  ])('says what is wrong with %s', (_name, bytes, words) => {
    expect(decodeFactory(bytes)).toEqual({ ok: false, error: expect.stringContaining(words) });
  });

  it('notices every single octet that changed, the three reserved ones apart', () => {
    const record = encodeFactory(content);
    for (let at = 0; at < record.length; at++) {
      if (at >= 5 && at < 8) continue;
      const damaged = record.slice();
      damaged[at]! ^= 0x01;
      expect(decodeFactory(damaged).ok, `octet ${at}`).toBe(false);
    }
  });

  it('never throws', () => fuzz([encodeFactory(content)], 20_000, (input) => decodeFactory(input)));
});
