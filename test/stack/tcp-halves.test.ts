/** The two halves of a connection by themselves: what leaves, when, and what is offered. */
import { describe, expect, it } from 'vitest';
import { MILLISECOND, SECOND } from '../../hal/base/time.js';
import type { Micros } from '../../hal/hal.js';
import { ByteRing } from '../../hal/stack/byte-ring.js';
import { Congestion } from '../../hal/stack/tcp-congestion.js';
import { Reassembly } from '../../hal/stack/tcp-reassembly.js';
import { TcpReceiver } from '../../hal/stack/tcp-receiver.js';
import { RetransmissionTimeout } from '../../hal/stack/tcp-rto.js';
import { type Chunk, TcpSender } from '../../hal/stack/tcp-sender.js';
import { advance, distance } from '../../hal/stack/tcp-sequence.js';
import { pattern } from './streams.js';
import { seeded } from './wire.js';

/** Sequence numbers that wrap early. */
const FIRST = 0xffffff00;

function opened(window: number, mss = 1000): TcpSender {
  const sender = new TcpSender(FIRST);
  sender.open({ mss, window, windowFrom: 1, synLost: false, roundTrip: 100 * MILLISECOND });
  return sender;
}

function all(sender: TcpSender, now: Micros): Chunk[] {
  const chunks: Chunk[] = [];
  for (let chunk = sender.next(now); chunk; chunk = sender.next(now)) chunks.push(chunk);
  return chunks;
}

const lengths = (chunks: readonly Chunk[]): number[] => chunks.map(({ length }) => length);
const ack = (octets: number, window: number) => ({ sequence: 1, acknowledgment: advance(FIRST, octets), window, bare: true });

describe('sequence numbers', () => {
  it('wrap', () => {
    expect(advance(0xffffffff, 2)).toBe(1);
    expect(distance(0xffffffff, 1)).toBe(2);
    expect(distance(1, 0xffffffff)).toBe(-2);
  });
});

describe('the sender', () => {
  it('fills the window with full segments, and marks the last', () => {
    const sender = opened(16_000);
    sender.write(pattern(2500));
    expect(all(sender, 0)).toMatchObject([
      { sequence: FIRST, length: 1000, push: false },
      { sequence: advance(FIRST, 1000), length: 1000, push: false },
      { sequence: advance(FIRST, 2000), length: 500, push: true },
    ]);
  });

  it('does not use a silly window, until nothing better comes', () => {
    const sender = opened(2000);
    sender.write(pattern(5000));
    expect(lengths(all(sender, 0))).toEqual([1000, 1000]);
    sender.acknowledge(ack(2000, 100), SECOND);
    expect(lengths(all(sender, SECOND))).toEqual([]);
    const { deadline } = sender;
    expect(deadline).toBeGreaterThan(SECOND);
    expect(sender.expire(deadline!)).toBe(true);
    expect(lengths(all(sender, deadline!))).toEqual([100]);
  });

  it('asks a closed window with an empty segment before it, and goes back to its old pace when it opens', () => {
    const sender = opened(1000);
    sender.write(pattern(3000));
    all(sender, 0);
    sender.acknowledge(ack(1000, 0), MILLISECOND);
    let now = MILLISECOND;
    for (let i = 0; i < 10; i++) {
      expect(all(sender, now)).toEqual([]);
      now = sender.deadline!;
      sender.expire(now);
      expect(all(sender, now)).toMatchObject([{ sequence: advance(FIRST, 999), length: 0 }]);
      sender.acknowledge(ack(1000, 0), now);
    }
    sender.acknowledge(ack(1000, 1000), now);
    expect(lengths(all(sender, now))).toEqual([1000]);
    expect(sender.deadline! - now).toBeLessThanOrEqual(SECOND);
  });

  it('does not measure the round trip of what it sent twice (Karn)', () => {
    const sender = opened(16_000);
    sender.write(pattern(1000));
    all(sender, 0);
    const first = sender.deadline!;
    sender.expire(first);
    all(sender, first);
    // The ACK comes long after the first and right after the second: either way it says nothing about the path.
    sender.acknowledge(ack(1000, 16_000), first + 10);
    sender.write(pattern(1000));
    all(sender, first + 10);
    expect(sender.deadline! - (first + 10)).toBe(first);
  });

  it('sends the first again on the third duplicate, and each hole that partial ACKs show', () => {
    const sender = opened(16_000);
    sender.write(pattern(10_000));
    expect(all(sender, 0)).toHaveLength(10);
    for (let i = 0; i < 2; i++) sender.acknowledge(ack(0, 16_000), 1);
    expect(all(sender, 1)).toEqual([]);
    sender.acknowledge(ack(0, 16_000), 1);
    expect(all(sender, 1)).toMatchObject([{ sequence: FIRST, length: 1000 }]);
    sender.acknowledge(ack(4000, 16_000), 2);
    expect(all(sender, 2)[0]).toMatchObject({ sequence: advance(FIRST, 4000), length: 1000 });
    sender.acknowledge(ack(10_000, 16_000), 3);
    expect(all(sender, 3)).toEqual([]);
    expect(sender.deadline).toBeUndefined();
  });

  it('lets new data out on the first duplicates (RFC 3042)', () => {
    const sender = new TcpSender(FIRST);
    sender.open({ mss: 1000, window: 16_000, windowFrom: 1, synLost: true });
    sender.write(pattern(4000));
    expect(lengths(all(sender, 0))).toEqual([1000]);
    sender.acknowledge(ack(0, 16_000), 1);
    expect(lengths(all(sender, 1))).toEqual([1000]);
  });

  it('counts neither window updates nor answers with data as duplicates', () => {
    const sender = opened(16_000);
    sender.write(pattern(5000));
    all(sender, 0);
    for (let i = 0; i < 5; i++) sender.acknowledge(ack(0, 15_000 + i), 1);
    for (let i = 0; i < 5; i++) sender.acknowledge({ ...ack(0, 15_004), bare: false }, 1);
    expect(all(sender, 1)).toEqual([]);
  });

  it('sends a FIN with the last data or alone, again when it was lost, and knows when it arrived', () => {
    const sender = opened(16_000);
    sender.write(pattern(100));
    all(sender, 0);
    sender.end();
    expect(sender.write(pattern(1))).toBe(0);
    expect(all(sender, 1)).toMatchObject([{ length: 0, fin: true }]);
    const now = sender.deadline!;
    sender.expire(now);
    expect(all(sender, now)).toMatchObject([{ sequence: FIRST, length: 100, fin: true }]);
    sender.acknowledge(ack(100, 16_000), now);
    expect(sender.done).toBe(false);
    sender.acknowledge(ack(101, 16_000), now);
    expect(sender.done).toBe(true);
    expect(all(sender, now)).toEqual([]);
  });

  it('sends smaller segments when the path turns out to be narrow', () => {
    const sender = opened(16_000);
    sender.write(pattern(3000));
    all(sender, 0);
    sender.shrink(536);
    expect(lengths(all(sender, 1))).toEqual([536]);
    sender.acknowledge(ack(536, 16_000), 2);
    expect(lengths(all(sender, 2))).toEqual([536, 536]);
  });
});

describe('the receiver', () => {
  const W = 16 * 1024;

  it('puts segments in order, whatever the order and overlap', () => {
    const random = seeded(4);
    for (let round = 0; round < 50; round++) {
      const receiver = new TcpReceiver(advance(FIRST, -1), 1460);
      const data = pattern(8000, round);
      for (let tries = 0; distance(FIRST, receiver.next) < data.length && tries < 50_000; tries++) {
        const start = Math.floor(random() * data.length);
        const end = Math.min(data.length, start + 1 + Math.floor(random() * 1460));
        const sequence = advance(FIRST, start);
        if (receiver.acceptable(sequence, end - start)) receiver.accept(sequence, data.subarray(start, end), false);
      }
      expect(Buffer.compare(receiver.read(), data)).toBe(0);
    }
  });

  it('takes a FIN only after all before it', () => {
    const receiver = new TcpReceiver(FIRST, 1460);
    const start = advance(FIRST, 1);
    expect(receiver.accept(advance(start, 10), pattern(10), true)).toBe(false);
    expect(receiver.finished).toBe(false);
    expect(receiver.accept(start, pattern(10), false)).toBe(true);
    expect(receiver.finished).toBe(true);
    expect(receiver.next).toBe(advance(start, 21));
    expect(receiver.readable).toBe(20);
  });

  it('never takes its offer back, and offers no silly window', () => {
    const receiver = new TcpReceiver(FIRST, 1460);
    const start = advance(FIRST, 1);
    expect(receiver.offer()).toBe(W);
    receiver.accept(start, pattern(W), false);
    expect(receiver.offer()).toBe(0);
    expect(receiver.acceptable(receiver.next, 1)).toBe(false);
    expect(receiver.acceptable(receiver.next, 0)).toBe(true);
    receiver.read();
    expect(receiver.windowOpened).toBe(true);
    expect(receiver.offer()).toBe(W);
    receiver.accept(receiver.next, pattern(1000), false);
    receiver.read();
    expect(receiver.windowOpened).toBe(false);
    expect(receiver.offer()).toBe(W - 1000);
    receiver.accept(receiver.next, pattern(1000), false);
    receiver.read();
    expect(receiver.offer()).toBe(W);
  });

  it('holds a bounded number of early segments', () => {
    const early = new Reassembly();
    for (let i = 100; i > 0; i--) early.hold(i * 10, pattern(1));
    let held = 0;
    for (let at = 0; at <= 1000; at++) if (early.next(at)) held++;
    expect(held).toBe(16);
  });
});

describe('the retransmission timeout (RFC 6298)', () => {
  it('starts at 1 s, 3 s after a lost SYN, and follows the path', () => {
    expect(new RetransmissionTimeout(false).value).toBe(SECOND);
    const rto = new RetransmissionTimeout(true);
    expect(rto.value).toBe(3 * SECOND);
    rto.sample(100 * MILLISECOND);
    expect(rto.value).toBe(300 * MILLISECOND);
    for (let i = 0; i < 100; i++) rto.sample(100 * MILLISECOND);
    expect(rto.value).toBe(200 * MILLISECOND);
  });

  it('doubles up to a minute', () => {
    const rto = new RetransmissionTimeout(false);
    const values = Array.from({ length: 8 }, () => {
      rto.backOff();
      return rto.value / SECOND;
    });
    expect(values).toEqual([2, 4, 8, 16, 32, 60, 60, 60]);
    rto.progress();
    expect(rto.value).toBe(SECOND);
  });
});

describe('the congestion window', () => {
  it('starts with ten segments, or one after a lost SYN, doubles, and then grows by a segment a round trip', () => {
    const congestion = new Congestion(1460, false);
    expect(congestion.window).toBe(14_600);
    expect(new Congestion(1460, true).window).toBe(1460);
    for (let i = 0; i < 10; i++) congestion.acknowledged(1460);
    expect(congestion.window).toBe(29_200);
    congestion.timeout(29_200, false);
    expect(congestion.window).toBe(1460);
    for (let i = 0; i < 9; i++) congestion.acknowledged(1460);
    expect(congestion.window).toBe(14_600);
    for (let i = 0; i < 10; i++) congestion.acknowledged(1460);
    expect(congestion.window).toBeGreaterThan(15_900);
    expect(congestion.window).toBeLessThan(16_100);
  });

  it('halves at a loss, once for one segment, and ends recovery without a burst', () => {
    const congestion = new Congestion(1000, false);
    congestion.enterRecovery(10_000);
    expect(congestion.window).toBe(8000);
    congestion.duplicate();
    expect(congestion.window).toBe(9000);
    congestion.partial(3000);
    expect(congestion.window).toBe(7000);
    congestion.leaveRecovery(1000);
    expect(congestion.window).toBe(2000);
    congestion.timeout(10_000, false);
    congestion.timeout(1000, true);
    for (let i = 0; i < 4; i++) congestion.acknowledged(1000);
    expect(congestion.window).toBe(5000);
    congestion.acknowledged(1000);
    expect(congestion.window).toBe(5200);
  });
});

describe('the ring', () => {
  it('keeps octets in order through growth and wrapping, within its limit, and frees its memory', () => {
    const random = seeded(6);
    const ring = new ByteRing(5000);
    const data = pattern(100_000);
    const out: Uint8Array[] = [];
    let written = 0;
    let read = 0;
    while (read < data.length) {
      const piece = data.subarray(written, written + Math.floor(random() * 3000));
      const room = ring.room;
      const taken = ring.push(piece);
      expect(taken).toBe(Math.min(piece.length, room));
      written += taken;
      const length = Math.floor(random() * (ring.length + 1));
      const part = new Uint8Array(length + 3);
      if (length > 0) ring.copy(0, length, part, 3);
      ring.drop(length);
      out.push(part.subarray(3));
      read += length;
    }
    expect(Buffer.compare(Buffer.concat(out), data)).toBe(0);
    expect(ring.take()).toHaveLength(0);
  });
});
