import { beforeEach, describe, expect, it } from 'vitest';
import { DAY, iso8601, MILLISECOND, SECOND } from '../../hal/base/time.js';
import { boot, NOW, type Rig } from './rig.js';

const A = '192.0.2.1';
const B = '192.0.2.2';

let rig: Rig;
const asked = (): string[] => rig.net.sent.map(({ to }) => to.address);

beforeEach(() => {
  rig = boot({ servers: [A] });
});

describe('the clock comes to be trusted', () => {
  it('by the answer of a time server', () => {
    rig.start();
    expect(rig.net.sent[0]).toMatchObject({ to: { address: A, port: 123 } });
    rig.answer();
    expect(rig.events).toEqual([{ at: 10_000, event: 'time.set', source: 'sntp', trust: 'network', clock: iso8601(NOW + 5) }]);
    expect(rig.under.wall()).toMatchObject({ at: NOW + 5, trust: 'network' });
    expect([rig.settled, rig.set]).toEqual([[10_000], 1]);
    expect(rig.net.open).toBe(0);
  });

  it('through a name', () => {
    rig.servers = ['ntp.example.test'];
    rig.start();
    rig.kernel.turn(rig.clock.now(), () => rig.net.answer());
    expect(rig.events).toMatchObject([{ event: 'time.failed', kind: 'not-found', mend: expect.stringContaining('123'), retryIn: SECOND }]);
    rig.net.names.set('ntp.example.test', B);
    rig.under.run(SECOND);
    rig.kernel.turn(rig.clock.now(), () => rig.net.answer());
    rig.answer();
    expect(asked()).toEqual([B]);
    expect(rig.named()).toEqual(['time.failed', 'time.set']);
  });

  it('once a day anew', () => {
    rig.start();
    rig.answer();
    rig.under.run(DAY - SECOND);
    expect(rig.net.sent).toHaveLength(1);
    rig.under.run(SECOND);
    expect(rig.net.sent).toHaveLength(2);
    rig.answer();
    expect(iso8601(rig.clock.wall().at)).toBe(iso8601(NOW + 5));
    expect(rig.settled).toHaveLength(1);
  });

  it('not by an answer that is somebody else’s', () => {
    rig.start();
    rig.answer({ originate: new Uint8Array(8) });
    rig.answer({}, '203.0.113.9');
    expect(rig.clock.wall().trust).toBe('none');
    rig.answer();
    expect(rig.clock.wall().trust).toBe('network');
  });
});

describe('silence', () => {
  it('is met with growing patience, up to a minute, each server in turn', () => {
    rig.servers = [A, B];
    rig.start();
    rig.under.runTo(600 * SECOND);
    const at = rig.events.flatMap((event) => (event.event === 'time.failed' ? [event.at / SECOND] : []));
    // Two seconds of waiting each, then rests of 1, 2, 4, … 64 s.
    expect(at.slice(0, 9)).toEqual([2, 5, 9, 15, 25, 43, 77, 143, 209]);
    expect(asked().slice(0, 4)).toEqual([A, B, A, B]);
    expect(rig.net.open).toBeLessThanOrEqual(1);
  });

  it('is borne for longer by some than by others: devices that lost their power together do not ask together for ever', () => {
    const asked = Array.from({ length: 20 }, (_, seed) => {
      const one = boot({ servers: [A], seed });
      one.start();
      one.under.runTo(1_000 * SECOND);
      return Math.floor(one.events.at(-1)!.at / SECOND);
    });
    // In the long run a question every 66 to 98 s.
    expect(new Set(asked).size).toBeGreaterThan(12);
    expect(Math.max(...asked) - Math.min(...asked)).toBeGreaterThan(40);
  });

  it('begins with a second again once the clock was set', () => {
    rig.start();
    rig.under.runTo(24 * SECOND);
    rig.answer();
    rig.events.length = 0;
    rig.under.run(DAY + 6 * SECOND);
    expect(rig.events.map((event) => event.event === 'time.failed' && event.retryIn)).toEqual([SECOND, 2 * SECOND]);
  });

  it('does not hold the boot for longer than 8 s', () => {
    rig.start();
    rig.under.runTo(75 * SECOND);
    expect(rig.settled).toEqual([8 * SECOND]);
    rig.answer();
    expect(rig.clock.wall().trust).toBe('network');
    expect(rig.settled).toHaveLength(1);
  });

  it('does not hold a boot with a real-time clock at all', () => {
    rig = boot({ wall: NOW, trust: 'rtc', servers: [A] });
    rig.start();
    expect(rig.settled).toEqual([0]);
    expect(rig.net.sent).toHaveLength(1);
  });

  it('is not waited for where there is no server to ask; one that comes later is asked', () => {
    rig.servers = [];
    rig.start();
    expect(rig.settled).toEqual([0]);
    rig.under.runTo(200 * SECOND);
    expect(rig.events).toEqual([]);
    rig.servers = [B];
    rig.under.runTo(256 * SECOND);
    expect(asked()).toEqual([B]);
  });
});

describe('a kiss of death', () => {
  it('RATE: the server is left alone for a minute', () => {
    rig.start();
    rig.answer({ kiss: 'RATE' });
    expect(rig.events).toMatchObject([{ event: 'time.failed', kind: 'refused', retryIn: 64 * SECOND }]);
    rig.under.run(63 * SECOND);
    expect(rig.net.sent).toHaveLength(1);
    rig.under.run(SECOND);
    expect(rig.net.sent).toHaveLength(2);
  });

  it('DENY: the server is not asked again, another is', () => {
    rig.servers = [A, B];
    rig.start();
    rig.answer({ kiss: 'DENY' });
    rig.under.run(1000 * SECOND);
    expect(new Set(asked().slice(1))).toEqual(new Set([B]));
  });
});

it('a stopped machine leaves neither a socket nor a timer', () => {
  const actor = rig.start();
  actor.stop();
  expect(rig.net.open).toBe(0);
  expect(rig.timers()).toEqual([]);
  rig.under.run(100 * MILLISECOND);
  expect(rig.events).toEqual([]);
});
