import { describe, expect, it } from 'vitest';
import type { FactoryContent } from '../../core/storage/factory.codec.js';
import { readFactory, writeFactory } from '../../core/storage/factory.js';
import type { HalError, Partition, Result } from '../../hal/hal.js';
import { NorFlash } from '../../sim/flash/nor-flash.js';
import { PowerRig, turnBit } from '../support/power-rig.js';

const factory: Partition = { name: 'factory', size: 8 * 4096, sector: 4096, program: 256, erased: 0xff };
const content: FactoryContent = {
  board: '8301',
  mac: '0022EE0B0002',
  serial: '1',
  made: 0,
  password: 'x',
  anchors: { set: 'test', version: '1', certificates: [new Uint8Array(9000).fill(7)] },
};

function read(rig: PowerRig): Result<FactoryContent, HalError> | undefined {
  let answer: Result<FactoryContent, HalError> | undefined;
  readFactory(rig, (result) => {
    answer = result;
  });
  expect(answer, 'answered during the call').toBeUndefined();
  rig.run();
  return answer;
}

function write(rig: PowerRig, what: FactoryContent): Result<void, HalError> | undefined {
  let answer: Result<void, HalError> | undefined;
  writeFactory(rig, what, (result) => {
    answer = result;
  });
  rig.run();
  return answer;
}

describe('the factory partition', () => {
  it('gives back what manufacture wrote, also when it was written twice', () => {
    const rig = new PowerRig(new NorFlash([factory]));
    expect(write(rig, { ...content, serial: '0' })).toEqual({ ok: true, value: undefined });
    expect(write(rig, content)).toEqual({ ok: true, value: undefined });
    expect(read(rig)).toEqual({ ok: true, value: content });
  });

  it('says that it is empty, damaged, or missing', () => {
    const rig = new PowerRig(new NorFlash([factory]));
    expect(read(rig)).toMatchObject({ error: { kind: 'not-found', detail: expect.stringContaining('no manufacture record') } });
    write(rig, content);
    turnBit(rig.chip, 'factory', 5000);
    expect(read(rig)).toMatchObject({ error: { kind: 'io', detail: expect.stringContaining('damaged') } });
    expect(read(new PowerRig(new NorFlash([{ ...factory, name: 'data' }])))).toMatchObject({ error: { kind: 'not-found' } });
  });

  it('refuses a record that does not fit, and leaves what is there', () => {
    const rig = new PowerRig(new NorFlash([factory]));
    write(rig, content);
    const certificates = [new Uint8Array(40_000)];
    expect(write(rig, { ...content, anchors: { ...content.anchors, certificates } })).toMatchObject({ error: { kind: 'full' } });
    expect(read(rig)).toEqual({ ok: true, value: content });
  });
});
