import { describe, expect, it } from 'vitest';
import { nodePlatform } from '../../hal/node/index.js';
import { createQuietProbe } from '../../hal/node/quiet.js';

describe('the platform of a simulation', () => {
  it('makes a test key once a process', () => {
    expect(nodePlatform().testKey(0)).toBe(nodePlatform().testKey(0));
    expect(nodePlatform().testKey(0).key.spki).not.toEqual(nodePlatform().testKey(1).key.spki);
    expect(() => nodePlatform().testKey(64)).toThrow('contract violation');
  });

  // The second probe is that of a Node without a way to run its ticks at once.
  it.each([
    ['with the tick queue in hand', createQuietProbe()],
    ['by turns alone', createQuietProbe(null)],
  ])('is busy while something is deferred, and quiet after: %s', async (_how, probe) => {
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      const go = (): void => {
        if (probe.busy()) probe.turn(go);
        else {
          order.push('quiet');
          resolve();
        }
      };
      setImmediate(() => {
        process.nextTick(() => {
          order.push('tick');
          setImmediate(() => order.push('immediate'));
        });
        void Promise.resolve().then(() => order.push('microtask'));
        probe.drain();
        go();
      });
    });
    expect(order).toEqual(['tick', 'microtask', 'immediate', 'quiet']);
  });
});
