import { describe, expect, it } from 'vitest';
import { encodeG711 } from '../../core/media/g711.codec.js';
import { Upsampler } from '../../core/media/resample.engine.js';
import { writeRtpHeader } from '../../core/media/rtp.codec.js';
import { RtpReceiver } from '../../core/media/rtp-receiver.engine.js';
import { RtpSender } from '../../core/media/rtp-sender.engine.js';
import { SineTone } from '../../core/media/tones.js';
import { putU32, u32 } from '../../hal/base/bytes.js';
import { fuzz, randomFrom } from '../support/mutation.js';
import { shareOf, soundIn } from './tone.js';

interface Path {
  seconds?: number;
  frequency?: number;
  /** Share of packets lost on each of two links. */
  loss?: number;
  /** Longest time on each of two links beyond the shortest, in µs. */
  jitter?: number;
  duplicates?: number;
  /** How much faster the sender's clock runs. */
  ppm?: number;
  seed?: number;
  /** No packet arrives in [from, to) µs: those sent then come at its end, or never. */
  stall?: { from: number; to: number; lost: boolean };
}
interface Arrival {
  at: number;
  packet: Uint8Array;
}

const SECOND = 1_000_000;

function rtpSender(random: (limit: number) => number): RtpSender {
  const fill = (out: Uint8Array): void => {
    for (let i = 0; i < out.length; i++) out[i] = random(256);
  };
  return new RtpSender({ fill });
}

/** What arrives of a tone that is sent over the path. */
function arrivals(path: Path): Arrival[] {
  const { seconds = 20, frequency = 1000, loss = 0, jitter = 0, duplicates = 0, ppm = 0, seed = 1, stall } = path;
  const random = randomFrom(seed);
  const chance = (share: number): boolean => random(SECOND) < share * SECOND;
  const sender = rtpSender(random);
  const tone = new SineTone({ frequency, rate: 8000, amplitude: 16000 });
  const pcm = new Int16Array(160);
  const arriving: Arrival[] = [];
  for (let n = 0; n < seconds * 50; n++) {
    tone.fill(pcm);
    const packet = sender.packet('PCMU', 0, pcm, n * 160, undefined)!.slice();
    const sentAt = n * (20_000 / (1 + ppm / 1e6));
    const stalled = stall !== undefined && sentAt >= stall.from && sentAt < stall.to;
    if (chance(loss) || chance(loss) || (stalled && stall.lost)) continue;
    for (let copies = chance(duplicates) ? 2 : 1; copies > 0; copies--) {
      const at = Math.round(sentAt + 1000 + random(jitter + 1) + random(jitter + 1));
      arriving.push({ at: stalled ? Math.max(at, stall.to) : at, packet });
    }
  }
  return arriving.sort((a, b) => a.at - b.at);
}

/** What is heard of it, at 16 kHz. */
function listen(arriving: readonly Arrival[], seconds = 20): { heard: Int16Array; receiver: RtpReceiver } {
  const receiver = new RtpReceiver('PCMU', 0, undefined);
  const upsampler = new Upsampler(160);
  const narrow = new Int16Array(160);
  const heard = new Int16Array(seconds * 16_000);
  let next = 0;
  for (let frame = 0; frame < seconds * 50; frame++) {
    const now = 7_000 + frame * 20_000;
    for (; next < arriving.length && arriving[next]!.at <= now; next++) receiver.receive(arriving[next]!.packet, arriving[next]!.at);
    receiver.pull(narrow, now);
    upsampler.process(narrow, heard.subarray(frame * 320, frame * 320 + 320));
  }
  return { heard, receiver };
}

const at = (seconds: number): number => seconds * 16_000;

/** When the last sound is over, in seconds. */
function endOf(heard: Int16Array): number {
  const { first, frames } = soundIn(16_000, heard);
  return (first + frames) / 50;
}

describe('a tone', () => {
  it.each([300, 440, 1000, 3000])('of %i Hz arrives pure over a good network, 60 ms after it was sent', (frequency) => {
    const { heard, receiver } = listen(arrivals({ frequency, jitter: 2_000 }));
    const sound = soundIn(16_000, heard);
    expect(shareOf(frequency, 16_000, heard.subarray(at(0.4)))).toBeGreaterThan(0.998);
    expect(sound.silent).toBe(0);
    expect(sound.first).toBeLessThanOrEqual(4);
    expect(receiver.reception.lost).toBe(0);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('survives a loss of 5 in 100 and 30 ms jitter on each of two links, seed %i', (seed) => {
    const { heard, receiver } = listen(arrivals({ loss: 0.05, jitter: 30_000, duplicates: 0.01, seed }));
    const sound = soundIn(16_000, heard);
    expect(shareOf(1000, 16_000, heard)).toBeGreaterThan(0.99);
    expect(sound.silent / sound.frames).toBeLessThan(0.01);
    expect(receiver.reception.lost).toBeGreaterThan(50);
    expect(receiver.reception.duplicates).toBeGreaterThan(0);
  });

  it.each([-200, 200])('from a sender whose clock is off by %i ppm stays whole and near for 15 minutes', (ppm) => {
    const { heard, receiver } = listen(arrivals({ ppm, seconds: 900 }), 901);
    expect(shareOf(1000, 16_000, heard.subarray(at(0.4), at(899)))).toBeGreaterThan(0.99);
    expect(soundIn(16_000, heard).silent).toBe(0);
    expect(receiver.late).toBe(0);
    // What drifts apart in that time is 180 ms.
    const sentUntil = 900 / (1 + ppm / 1e6);
    expect(endOf(heard) - sentUntil).toBeLessThan(0.16);
  });

  it('is delayed as much as the path asks for: hardly a packet late at 60 ms jitter on each of two links', () => {
    const before = listen(arrivals({ jitter: 60_000, seconds: 5 }), 5).receiver;
    const { heard, receiver } = listen(arrivals({ jitter: 60_000, seconds: 60 }), 60);
    // The first five seconds, while it learns, have their share of late ones.
    expect((receiver.late - before.late) / (receiver.reception.packets - before.reception.packets)).toBeLessThan(0.01);
    expect(shareOf(1000, 16_000, heard.subarray(at(5)))).toBeGreaterThan(0.99);
  });

  it('is near again a minute after the path has calmed down', () => {
    const rough = arrivals({ jitter: 80_000, seconds: 60 }).filter(({ at }) => at < 5 * SECOND);
    const calm = arrivals({ seconds: 60 }).filter(({ at }) => at >= 5 * SECOND);
    const { heard } = listen([...rough, ...calm], 61);
    // 40 ms of delay, and 80 ms in which the concealment fades.
    expect(endOf(heard) - 60).toBeLessThan(0.16);
    expect(shareOf(1000, 16_000, heard.subarray(at(6), at(60)))).toBeGreaterThan(0.99);
  });

  it.each([
    ['lost', true],
    ['held back', false],
  ])('is silent while half a second is %s, and whole again at once', (_what, lost) => {
    const { heard } = listen(arrivals({ stall: { from: 5 * SECOND, to: 5.5 * SECOND, lost } }));
    expect(soundIn(16_000, heard.subarray(at(4), at(7))).gap).toBeLessThanOrEqual(28);
    expect(shareOf(1000, 16_000, heard.subarray(at(7)))).toBeGreaterThan(0.99);
    expect(soundIn(16_000, heard.subarray(at(6))).silent).toBe(0);
  });

  it('comes back after ten seconds of a cut link', () => {
    const { heard } = listen(arrivals({ seconds: 30, stall: { from: 5 * SECOND, to: 15 * SECOND, lost: true } }), 30);
    expect(shareOf(1000, 16_000, heard.subarray(at(15.3)))).toBeGreaterThan(0.99);
    expect(soundIn(16_000, heard.subarray(at(15.3))).silent).toBe(0);
    // A dead stream fades instead of humming.
    expect(soundIn(16_000, heard.subarray(at(5.3), at(15))).frames).toBe(0);
  });
});

describe('a stream', () => {
  /** Two tones of five seconds, one after the other. */
  const twice = (change: (packet: Uint8Array) => void): Arrival[] => {
    const first = arrivals({ seconds: 5 });
    const second = arrivals({ seconds: 5, seed: 2 }).map(({ at, packet }) => ({ at: at + 5 * SECOND, packet }));
    for (const { packet } of second) change(packet);
    return [...first, ...second];
  };

  it('from another SSRC takes over', () => {
    const { heard, receiver } = listen(
      twice(() => {}),
      10,
    );
    expect(soundIn(16_000, heard).gap).toBeLessThanOrEqual(4);
    expect(shareOf(1000, 16_000, heard.subarray(at(5.4)))).toBeGreaterThan(0.99);
    expect(receiver.reception.packets).toBe(499);
    expect(receiver.reception.lost).toBe(0);
  });

  it('with one SSRC whose sequence and time jump takes over too', () => {
    const [before] = arrivals({ seconds: 1 });
    const ssrc = before!.packet.slice(8, 12);
    const { heard } = listen(
      twice((packet) => packet.set(ssrc, 8)),
      10,
    );
    expect(shareOf(1000, 16_000, heard.subarray(at(5.4)))).toBeGreaterThan(0.99);
  });

  it('whose time alone jumps, either way, is heard again within a second', () => {
    for (const jump of [0x10000000, -0x10000000]) {
      const arriving = arrivals({ seconds: 10 });
      for (const { packet } of arriving.slice(250)) putU32(packet, 4, u32(packet, 4) + jump);
      const { heard } = listen(arriving, 10);
      expect(soundIn(16_000, heard).gap).toBeLessThanOrEqual(10);
      expect(shareOf(1000, 16_000, heard.subarray(at(6)))).toBeGreaterThan(0.99);
    }
  });

  it('is not disturbed by single packets of another', () => {
    const strays = arrivals({ seconds: 20, seed: 2 }).filter((_, i) => i % 3 === 0);
    const { heard } = listen([...arrivals({}), ...strays].sort((a, b) => a.at - b.at));
    expect(shareOf(1000, 16_000, heard.subarray(at(0.4)))).toBeGreaterThan(0.99);
  });

  it.each([80, 240, 320, 480])('in packets of %i samples is as whole', (samples) => {
    const random = randomFrom(1);
    const tone = new SineTone({ frequency: 1000, rate: 8000, amplitude: 16000 });
    const pcm = new Int16Array(samples);
    const arriving: Arrival[] = [];
    for (let n = 0; n * samples < 20 * 8000; n++) {
      const packet = new Uint8Array(12 + samples);
      writeRtpHeader(packet, { marker: false, payloadType: 0, sequence: n, timestamp: n * samples, ssrc: 1 });
      tone.fill(pcm);
      encodeG711('PCMU', pcm, packet, 12);
      if (random(20) > 0) arriving.push({ at: n * samples * 125 + random(10_000), packet });
    }
    const { heard } = listen(arriving);
    expect(shareOf(1000, 16_000, heard.subarray(at(0.4)))).toBeGreaterThan(0.98);
  });

  it('that pauses, as with silence suppression, is silent between and whole after', () => {
    const first = u32(arrivals({})[0]!.packet, 4);
    const talk = arrivals({}).filter(({ packet }) => Math.floor(((u32(packet, 4) - first) >>> 0) / 8000) % 2 === 0);
    const { heard } = listen(talk);
    expect(soundIn(16_000, heard.subarray(at(1.3), at(2))).frames).toBe(0);
    expect(shareOf(1000, 16_000, heard.subarray(at(2.2), at(3)))).toBeGreaterThan(0.99);
  });
});

it('is total: 20,000 mutated packets, then a tone', () => {
  const receiver = new RtpReceiver('PCMU', 0, undefined);
  const out = new Int16Array(160);
  let now = 0;
  fuzz(
    arrivals({ seconds: 2 }).map(({ packet }) => packet),
    20_000,
    (input) => {
      now += 5_000;
      receiver.receive(input, now);
      if (now % 20_000 === 0) receiver.pull(out, now);
    },
  );
  for (const { at, packet } of arrivals({ seconds: 4, seed: 9 })) {
    receiver.receive(packet, now + at);
    receiver.pull(out, now + at);
  }
  expect(Math.max(...out)).toBeGreaterThan(15_000);
});
