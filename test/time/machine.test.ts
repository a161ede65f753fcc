import { beforeEach, describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { actorClock } from '../../core/kernel/actor-clock.js';
import type { EndpointEvent } from '../../core/kernel/events.js';
import { createKernel, type Kernel } from '../../core/kernel/kernel.js';
import { timeMachine } from '../../core/time/time.machine.js';
import { createTimeDeps } from '../../core/time/time-deps.js';
import { DAY, iso8601, MILLISECOND, SECOND } from '../../hal/base/time.js';
import type { ClockTrust } from '../../hal/hal.js';
import { date, testEntropy } from '../certs/support.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { FakeNet } from './fake-net.js';
import { type ReplyOptions, serverReply } from './server.js';

const NOW = date('2026-06-01');
const A = '192.0.2.1';
const B = '192.0.2.2';

let clock: VirtualClock;
let kernel: Kernel;
let net: FakeNet;
let events: EndpointEvent[];
let settled: number[];
let servers: string[];

function start(trust: ClockTrust = 'none') {
  clock = new VirtualClock(0, trust);
  events = [];
  settled = [];
  net = new FakeNet();
  kernel = createKernel(clock, (event) => events.push(event));
  const deps = createTimeDeps({
    kernel,
    clock,
    net,
    entropy: testEntropy(),
    servers: () => servers,
    notify: () => settled.push(kernel.now()),
  });
  const actor = createActor(timeMachine, { input: { deps }, clock: actorClock(kernel) });
  actor.start();
  return actor;
}
/** The server that was asked last answers, 10 ms after. */
function answer(options: ReplyOptions = {}, from?: string): void {
  const sent = net.sent.at(-1)!;
  clock.run(10 * MILLISECOND);
  const address = from === undefined ? sent.to : { address: from, port: 123 };
  kernel.turn(clock.now(), () => sent.reply(serverReply(sent.bytes, NOW, options), address));
}
const asked = (): string[] => net.sent.map(({ to }) => to.address);
const named = (): string[] => events.map(({ event }) => event);

beforeEach(() => {
  servers = [A];
});

describe('the clock comes to be trusted', () => {
  it('by the answer of a time server', () => {
    start();
    expect(net.sent[0]).toMatchObject({ to: { address: A, port: 123 } });
    answer();
    expect(events).toEqual([{ at: 10_000, event: 'time.set', source: 'sntp', trust: 'network' }]);
    expect(clock.wall()).toMatchObject({ at: NOW + 5, trust: 'network' });
    expect(settled).toEqual([10_000]);
    expect(net.open).toBe(0);
  });

  it('through a name', () => {
    servers = ['ntp.example.test'];
    start();
    kernel.turn(clock.now(), () => net.answer());
    expect(events).toMatchObject([{ event: 'time.failed', kind: 'not-found', retryIn: SECOND }]);
    net.names.set('ntp.example.test', B);
    clock.run(SECOND);
    kernel.turn(clock.now(), () => net.answer());
    answer();
    expect(asked()).toEqual([B]);
    expect(named()).toEqual(['time.failed', 'time.set']);
  });

  it('once a day anew', () => {
    start();
    answer();
    clock.run(DAY - SECOND);
    expect(net.sent).toHaveLength(1);
    clock.run(SECOND);
    expect(net.sent).toHaveLength(2);
    answer();
    expect(iso8601(clock.wall().at)).toBe(iso8601(NOW + 5));
    expect(settled).toHaveLength(1);
  });

  it('not by an answer that is somebody else’s', () => {
    start();
    answer({ originate: new Uint8Array(8) });
    answer({}, '203.0.113.9');
    expect(clock.wall().trust).toBe('none');
    answer();
    expect(clock.wall().trust).toBe('network');
  });
});

describe('silence', () => {
  it('is met with growing patience, up to a minute, each server in turn', () => {
    servers = [A, B];
    start();
    clock.runTo(600 * SECOND);
    const at = events.flatMap((event) => (event.event === 'time.failed' ? [event.at / SECOND] : []));
    // Two seconds of waiting each, then rests of 1, 2, 4, … 64 s.
    expect(at.slice(0, 9)).toEqual([2, 5, 9, 15, 25, 43, 77, 143, 209]);
    expect(asked().slice(0, 4)).toEqual([A, B, A, B]);
    expect(net.open).toBeLessThanOrEqual(1);
  });

  it('does not hold the boot for longer than 8 s', () => {
    start();
    clock.runTo(75 * SECOND);
    expect(settled).toEqual([8 * SECOND]);
    answer();
    expect(clock.wall().trust).toBe('network');
    expect(settled).toHaveLength(1);
  });

  it('does not hold a boot with a real-time clock at all', () => {
    start('rtc');
    expect(settled).toEqual([0]);
    expect(events).toEqual([{ at: 0, event: 'time.set', source: 'rtc', trust: 'rtc' }]);
    expect(net.sent).toHaveLength(1);
  });

  it('is not waited for where there is no server to ask; one that comes later is asked', () => {
    servers = [];
    start();
    expect(settled).toEqual([0]);
    clock.runTo(200 * SECOND);
    expect(events).toEqual([]);
    servers = [B];
    clock.runTo(256 * SECOND);
    expect(asked()).toEqual([B]);
  });
});

describe('a kiss of death', () => {
  it('RATE: the server is left alone for a minute', () => {
    start();
    answer({ kiss: 'RATE' });
    expect(events).toMatchObject([{ event: 'time.failed', kind: 'refused', retryIn: 64 * SECOND }]);
    clock.run(63 * SECOND);
    expect(net.sent).toHaveLength(1);
    clock.run(SECOND);
    expect(net.sent).toHaveLength(2);
  });

  it('DENY: the server is not asked again, another is', () => {
    servers = [A, B];
    start();
    answer({ kiss: 'DENY' });
    clock.run(1000 * SECOND);
    expect(new Set(asked().slice(1))).toEqual(new Set([B]));
  });
});

it('a stopped machine leaves neither a socket nor a timer', () => {
  const actor = start();
  actor.stop();
  expect(net.open).toBe(0);
  expect(kernel.pendingTimers()).toEqual([]);
});
