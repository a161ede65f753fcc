import { describe, expect, it } from 'vitest';
import { MILLISECOND, SECOND } from '../../hal/base/time.js';
import { Lan, type LanPlug, type LanPort } from '../../sim/lan/lan.js';
import type { LinkFaults } from '../../sim/lan/link.js';
import { World } from '../../sim/world/world.js';
import { alwaysQuiet } from '../support/quiet.js';

const BROADCAST = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
const mac = (n: number): number[] => [2, 0, 0, 0, 0, n];
/** A frame with a number in its payload. */
const frame = (to: number[], from: number[], n = 0, length = 60): Uint8Array => {
  const bytes = new Uint8Array(length);
  bytes.set([...to, ...from, 0x88, 0xb5, n >> 8, n & 255]);
  return bytes;
};
const number = (bytes: Uint8Array): number => (bytes[14]! << 8) | bytes[15]!;

interface Received {
  n: number;
  at: number;
}
interface Station {
  port: LanPort;
  plug: LanPlug;
  received: Received[];
}

function build(faults: Partial<LinkFaults> = {}, seed = 1): { world: World; lan: Lan; station(name: string): Station } {
  const world = new World({ seed, platform: { quiet: alwaysQuiet }, start: 0 });
  const lan = new Lan(world, faults);
  const station = (name: string): Station => {
    const port = lan.attach(name);
    const plug = port.plug({ now: () => world.now });
    const received: Received[] = [];
    plug.frames.onFrame((bytes, at) => received.push({ n: number(bytes), at }));
    return { port, plug, received };
  };
  return { world, lan, station };
}

/** Sends `count` frames from a to b, one every `gap`, and runs until all are through. */
async function stream(faults: Partial<LinkFaults>, count: number, gap: number, seed = 1) {
  const { world, station } = build(faults, seed);
  const [a, b] = [station('a'), station('b')];
  b.plug.frames.send(frame(mac(1), mac(2)));
  for (let n = 0; n < count; n++) world.at(SECOND + n * gap, () => a.plug.frames.send(frame(mac(2), mac(1), n)));
  await world.run(2 * SECOND + count * gap);
  return { a, b };
}

describe('switch', () => {
  it('floods what it does not know, forwards what it has learned, and never sends back', async () => {
    const { world, station } = build({ latency: MILLISECOND });
    const [a, b, c] = [station('a'), station('b'), station('c')];
    a.plug.frames.send(frame(mac(2), mac(1), 1));
    await world.run(10 * MILLISECOND);
    expect([a.received, b.received, c.received]).toEqual([[], [{ n: 1, at: 2 * MILLISECOND }], [{ n: 1, at: 2 * MILLISECOND }]]);
    b.plug.frames.send(frame(mac(1), mac(2), 2));
    a.plug.frames.send(frame(mac(1), mac(1), 3));
    a.plug.frames.send(frame(BROADCAST, mac(1), 4));
    await world.run(20 * MILLISECOND);
    expect([a, b, c].map((s) => s.received.map((r) => r.n))).toEqual([[2], [1, 4], [1, 4]]);
  });

  it('follows a host that moves to another port', async () => {
    const { world, station } = build();
    const [a, b, c] = [station('a'), station('b'), station('c')];
    a.plug.frames.send(frame(BROADCAST, mac(1), 1));
    await world.run(1);
    c.plug.frames.send(frame(BROADCAST, mac(1), 2));
    await world.run(2);
    b.plug.frames.send(frame(mac(1), mac(2), 3));
    await world.run(3);
    expect(a.received.map((r) => r.n)).toEqual([2]);
    expect(c.received.map((r) => r.n)).toEqual([1, 3]);
  });

  it('gives every receiver bytes of its own, and leaves the sender its buffer', async () => {
    const { world, station } = build();
    const [a, b, c] = [station('a'), station('b'), station('c')];
    const seen: Uint8Array[] = [];
    b.plug.frames.onFrame((bytes) => seen.push(bytes.fill(0)));
    c.plug.frames.onFrame((bytes) => seen.push(bytes));
    const buffer = frame(BROADCAST, mac(1), 7);
    a.plug.frames.send(buffer);
    buffer.fill(9);
    await world.run(1);
    expect(number(seen[1]!)).toBe(7);
  });

  it('takes no runt, no giant and no second port of a name', () => {
    const { station, lan } = build();
    const a = station('a');
    expect(() => a.plug.frames.send(new Uint8Array(13))).toThrowError(/contract violation: frame of 13/);
    expect(() => a.plug.frames.send(new Uint8Array(1515))).toThrowError(/contract violation: frame of 1515/);
    expect(() => lan.attach('a')).toThrowError(/two ports named a/);
  });
});

describe('link', () => {
  it('loses frames at the rate asked for, on each link', async () => {
    const { a, b } = await stream({ loss: 0.05 }, 20_000, MILLISECOND);
    expect(a.port.stats.up.dropped / a.port.stats.up.sent).toBeCloseTo(0.05, 2);
    expect(b.port.stats.down.dropped / b.port.stats.down.sent).toBeCloseTo(0.05, 2);
    expect(b.received.length / 20_000).toBeCloseTo(0.95 ** 2, 2);
    expect(b.port.stats.down.delivered).toBe(b.received.length);
  });

  it('spreads delay evenly over the jitter, and counts the frames it puts out of order', async () => {
    const { a, b } = await stream({ latency: MILLISECOND, jitter: 30 * MILLISECOND }, 5_000, 20 * MILLISECOND);
    const delays = b.received.map(({ n, at }) => at - SECOND - n * 20 * MILLISECOND);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(2 * MILLISECOND);
    expect(Math.max(...delays)).toBeLessThanOrEqual(62 * MILLISECOND);
    const mean = delays.reduce((sum, delay) => sum + delay, 0) / delays.length;
    expect(mean / MILLISECOND).toBeCloseTo(32, 0);
    expect(a.port.stats.up.reordered).toBeGreaterThan(100);
    expect(b.received.some(({ n }, i) => i > 0 && n < b.received[i - 1]!.n)).toBe(true);
  });

  it('delays a burst alike: frames of one instant keep their order', async () => {
    const { a, b } = await stream({ latency: MILLISECOND, jitter: 30 * MILLISECOND }, 1_000, 0);
    expect(b.received.map((r) => r.n)).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
    expect(a.port.stats.up.reordered).toBe(0);
  });

  it('keeps the order without jitter', async () => {
    const { a, b } = await stream({ latency: MILLISECOND }, 1_000, 1);
    expect(b.received.map((r) => r.n)).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
    expect(a.port.stats.up.reordered).toBe(0);
  });

  it('duplicates and holds back frames at the rate asked for', async () => {
    const { b } = await stream({ duplicate: 0.1, reorder: 0.02 }, 10_000, 20 * MILLISECOND);
    const { down } = b.port.stats;
    expect(down.duplicated / down.sent).toBeCloseTo(0.1, 2);
    expect(down.reordered / down.delivered).toBeCloseTo(0.02, 2);
    expect(down.delivered).toBe(down.sent + down.duplicated);
  });

  it('takes the time of its rate, frame after frame', async () => {
    const { world, station } = build({ rate: 1_000_000 });
    const [a, b] = [station('a'), station('b')];
    for (const n of [0, 1]) a.plug.frames.send(frame(mac(2), mac(1), n, 1000));
    await world.run(SECOND);
    expect(b.received.map((r) => r.at)).toEqual([16_000, 24_000]);
  });

  it('drops what a full queue cannot take', async () => {
    const { world, station } = build({ rate: 1_000_000 });
    const a = station('a');
    for (let n = 0; n < 10_000; n++) a.plug.frames.send(frame(mac(2), mac(1), n));
    await world.run(100 * SECOND);
    expect(a.port.stats.up).toMatchObject({ sent: 10_000, delivered: 8_192, dropped: 10_000 - 8_192 });
  });

  it('follows its seed alone: same seed same arrivals, another seed others', async () => {
    const faults = { latency: MILLISECOND, jitter: 5 * MILLISECOND, loss: 0.1, duplicate: 0.1 };
    const run = async (seed: number) => (await stream(faults, 500, MILLISECOND, seed)).b.received;
    expect(await run(7)).toEqual(await run(7));
    expect(await run(7)).not.toEqual(await run(8));
  });

  it('has a stream for each fault: jitter does not change which frames are lost', async () => {
    const lost = async (jitter: number) => {
      const { b } = await stream({ loss: 0.1, jitter }, 500, 10 * MILLISECOND);
      return b.received.map((r) => r.n).sort((x, y) => x - y);
    };
    expect(await lost(0)).toEqual(await lost(MILLISECOND));
  });

  it('changes its faults for one port alone', async () => {
    const { world, station } = build();
    const [a, b, c] = [station('a'), station('b'), station('c')];
    b.port.set({ loss: 1 });
    a.plug.frames.send(frame(BROADCAST, mac(1), 1));
    await world.run(1);
    expect([b.received.length, c.received.length]).toEqual([0, 1]);
  });
});

describe('a cut link', () => {
  it('loses what is under way, tells the host, and carries again when restored', async () => {
    const { world, station } = build({ latency: MILLISECOND });
    const [a, b] = [station('a'), station('b')];
    const states: unknown[] = [];
    b.plug.link$.subscribe((state) => states.push(state));
    a.plug.frames.send(frame(mac(2), mac(1), 1));
    world.at(1_500, () => b.port.cut());
    world.at(1_600, () => b.port.restore());
    world.at(5_000, () => b.port.cut());
    world.at(5_001, () => {
      expect(b.plug.frames.send(frame(mac(1), mac(2)))).toBe(false);
      a.plug.frames.send(frame(mac(2), mac(1), 2));
    });
    world.at(10_000, () => {
      b.port.restore();
      b.port.restore();
      a.plug.frames.send(frame(mac(2), mac(1), 3));
    });
    await world.run(SECOND);
    expect(b.received).toEqual([{ n: 3, at: 12_000 }]);
    expect(states).toEqual([
      { up: false, at: 1_500 },
      { up: true, mbps: 100, at: 1_600 },
      { up: false, at: 5_000 },
      { up: true, mbps: 100, at: 10_000 },
    ]);
    expect(b.port.stats.down).toMatchObject({ sent: 3, delivered: 1, dropped: 2 });
    expect(b.port.stats.up).toMatchObject({ sent: 1, delivered: 0, dropped: 1 });
  });

  it('delivers nothing to a host that was unplugged or replaced', async () => {
    const { world, station } = build();
    const [a, b] = [station('a'), station('b')];
    const again: number[] = [];
    const next = b.port.plug({ now: () => 42 });
    next.frames.onFrame((_bytes, at) => again.push(at));
    a.plug.frames.send(frame(BROADCAST, mac(1)));
    await world.run(1);
    expect([b.received, again]).toEqual([[], [42]]);
    expect(b.plug.frames.send(frame(BROADCAST, mac(2)))).toBe(false);
    b.plug.unplug();
    next.unplug();
    a.plug.frames.send(frame(BROADCAST, mac(1)));
    await world.run(2);
    expect(again).toEqual([42]);
    expect(next.link()).toEqual({ up: false });
  });
});
