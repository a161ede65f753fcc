import { describe, expect, it } from 'vitest';
import { AudioBus, BUS_FRAME } from '../../core/media/audio-bus.js';
import { openMicrophone } from '../../core/media/microphone.js';
import { Downsampler, Upsampler } from '../../core/media/resample.engine.js';
import { SineTone } from '../../core/media/tones.js';
import { expectOk, fail, ok } from '../../hal/base/result.js';
import type { Audio } from '../../hal/hal.js';
import { shareOf } from './tone.js';

describe('resampling', () => {
  it.each([100, 1000, 2000, 3000])('carries a tone of %i Hz up and down without loss', (frequency) => {
    const up = new Upsampler(160);
    const down = new Downsampler(320);
    const source = new SineTone({ frequency, rate: 8000, amplitude: 20_000 });
    const [narrow, wide, back] = [new Int16Array(160), new Int16Array(320), new Int16Array(160)];
    const at16: number[] = [];
    const at8: number[] = [];
    for (let n = 0; n < 100; n++) {
      source.fill(narrow);
      up.process(narrow, wide);
      down.process(wide, back);
      at16.push(...wide);
      at8.push(...back);
    }
    expect(shareOf(frequency, 16_000, at16.slice(1600))).toBeGreaterThan(0.9999);
    expect(shareOf(frequency, 8_000, at8.slice(800))).toBeGreaterThan(0.9999);
    const rms = Math.sqrt(at8.slice(800).reduce((sum, sample) => sum + sample ** 2, 0) / (at8.length - 800));
    expect(rms / (20_000 / Math.SQRT2)).toBeCloseTo(1, 2);
  });

  it('keeps what 8 kHz cannot hold from coming back as another tone', () => {
    const down = new Downsampler(320);
    const source = new SineTone({ frequency: 6000, rate: 16_000, amplitude: 20_000 });
    const [wide, narrow] = [new Int16Array(320), new Int16Array(160)];
    for (let n = 0; n < 10; n++) {
      source.fill(wide);
      down.process(wide, narrow);
    }
    // 54 dB down.
    expect(Math.max(...narrow)).toBeLessThan(40);
  });
});

/** A converter that a test turns by hand. */
function converter() {
  const state = {
    opened: 0,
    closed: 0,
    pull: (_out: Int16Array, _at: number): void => undefined,
    push: (_pcm: Int16Array): void => undefined,
  };
  const audio: Audio = {
    open: (_format, pull) => {
      state.opened++;
      state.pull = pull;
      return ok({ close: () => state.closed++ });
    },
    openInput: (_format, push) => {
      state.push = (pcm) => push(pcm, 0);
      return ok({ close: () => state.closed++ });
    },
  };
  return { state, audio };
}

describe('the audio bus', () => {
  const level = (value: number) => (out: Int16Array) => void out.fill(value);

  it('is open exactly while something sounds', () => {
    const { state, audio } = converter();
    const bus = new AudioBus(audio);
    const first = expectOk(bus.attach(level(1)), 'first');
    const second = expectOk(bus.attach(level(1)), 'second');
    expect(state).toMatchObject({ opened: 1, closed: 0 });
    first();
    first();
    expect(state.closed).toBe(0);
    second();
    expect(state.closed).toBe(1);
    expectOk(bus.attach(level(1)), 'again');
    expect(state.opened).toBe(2);
  });

  it('sums its sources and clips, either way', () => {
    const { state, audio } = converter();
    const bus = new AudioBus(audio);
    const out = new Int16Array(BUS_FRAME);
    const heard = (...levels: number[]): number => {
      const cancels = levels.map((value) => expectOk(bus.attach(level(value)), 'attach'));
      state.pull(out, 0);
      for (const cancel of cancels) cancel();
      return out[7]!;
    };
    expect([heard(1000, -300, 5), heard(30_000, 30_000), heard(-30_000, -30_000)]).toEqual([705, 32767, -32768]);
  });

  it('fails as the board does', () => {
    const bus = new AudioBus({ open: () => fail('unsupported', 'no loudspeaker') });
    expect(bus.attach(level(1))).toMatchObject({ ok: false, error: { kind: 'unsupported' } });
  });
});

describe('the microphone', () => {
  it('is heard at 8 kHz, in order, with silence where nothing waits', () => {
    const { state, audio } = converter();
    const microphone = expectOk(openMicrophone(audio), 'microphone');
    const out = new Int16Array(160).fill(9);
    microphone.talk(out);
    expect(out.every((sample) => sample === 0)).toBe(true);
    for (const value of [1000, 2000]) state.push(new Int16Array(320).fill(value));
    microphone.talk(out);
    expect(out[100]).toBe(1000);
    microphone.talk(out);
    expect(out[100]).toBe(2000);
    microphone.close();
    expect(state.closed).toBe(1);
  });

  it('drops the oldest where nobody listens', () => {
    const { state, audio } = converter();
    const microphone = expectOk(openMicrophone(audio), 'microphone');
    for (let n = 1; n <= 10; n++) state.push(new Int16Array(320).fill(n * 100));
    const out = new Int16Array(160);
    const levels = Array.from({ length: 4 }, () => {
      microphone.talk(out);
      return out[100];
    });
    expect(levels).toEqual([800, 900, 1000, 0]);
  });

  it('is missing where the board has none', () => {
    expect(openMicrophone({ open: () => fail('unsupported', '') })).toMatchObject({ ok: false, error: { kind: 'unsupported' } });
  });
});
