/** Every reader of what strangers send, over mutations of what it takes: it never throws, always ends, keeps nothing, holds what it must. */
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../hal/base/bytes.js';
import { Found, GROWTH_MAX, hunt, inputOf, type Target, told } from './hunt.js';
import { targets } from './targets.js';

/** Of each reader; `npm run fuzz` goes on from there. */
const EXECUTIONS = 12_500;

describe('readers of hostile octets', () => {
  it.each(targets)('$name', (target) => {
    const figures = hunt(target, { executions: EXECUTIONS, seed: 1 });
    console.log(told(figures));
    // Mutations that are all refused at the first octet would prove little, and so would ones that are all taken.
    expect(figures.taken).toBeGreaterThan(EXECUTIONS / 200);
    expect(EXECUTIONS - figures.taken).toBeGreaterThan(EXECUTIONS / 200);
    expect(figures.growth).toBeLessThan(GROWTH_MAX);
  });
});

describe('the hunt', () => {
  const reader = (read: Target['read']): Target => ({ name: 'reader', samples: [utf8('length=12;name=value')], tokens: [utf8('=')], read });
  const found = (target: Target): Found => {
    try {
      hunt(target, { executions: 20_000, seed: 1, patience: 500 });
    } catch (error) {
      if (error instanceof Found) return error;
    }
    throw new Error('nothing was found');
  };

  it('finds what throws, and names a run that can be done again', () => {
    const target = reader((input) => {
      if (String.fromCharCode(...input.subarray(0, 100)).includes('==')) throw new Error('two signs');
      return true;
    });
    const { run, seed, input, message } = found(target);
    expect(inputOf(target, seed, run).input).toEqual(input);
    expect(message).toContain(Buffer.from(input).toString('hex'));
    expect(() => hunt(target, { executions: 1, seed, from: run })).toThrow(Found);
  });

  it('finds what does not end', () => {
    const { cause } = found(
      reader((input) => {
        // What stands behind the sign is not there: the reader waits for it without end.
        while (input.at(-1) === 0x3d);
        return true;
      }),
    );
    expect(cause).toMatchObject({ code: 'ERR_SCRIPT_EXECUTION_TIMEOUT' });
  });

  it('sees what is kept', () => {
    const kept: Uint8Array[] = [];
    const { growth } = hunt(
      reader(() => kept.push(new Uint8Array(1024)) > 0),
      { executions: 10_000, seed: 1 },
    );
    expect(growth).toBeGreaterThan(GROWTH_MAX);
  });
});
