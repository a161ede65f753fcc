import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectOk } from '../../hal/base/result.js';
import { SECOND } from '../../hal/base/time.js';
import { createNodeAudio } from '../../hal/node/audio.js';
import { decodeWav, readWav, resample, WavWriter } from '../../hal/node/wav.js';
import { realNow, until } from '../conformance/real-bench.js';

const FORMAT = { rate: 16_000, frame: 320 } as const;

describe('WAV', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'belfry-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const file = (name: string): string => join(folder, name);

  it('is read back as it was written', () => {
    const writer = expectOk(WavWriter.create(file('a.wav')), 'writer');
    const samples = Int16Array.from([0, 1, -1, 32_767, -32_768]);
    writer.append(samples, 16_000);
    writer.append(samples, 16_000);
    writer.close();
    expect(readWav(file('a.wav'))).toEqual({ ok: true, value: { rate: 16_000, samples: Int16Array.from([...samples, ...samples]) } });
  });

  it('mixes two channels, and passes over chunks that it does not know', () => {
    const body = Buffer.from('LIST\x03\0\0\0abc\0fmt \x10\0\0\0\x01\0\x02\0\x80\xbb\0\0\0\xee\x02\0\x04\0\x10\0data\x08\0\0\0', 'latin1');
    const samples = Buffer.alloc(8);
    for (const [i, sample] of [100, 200, -100, 100].entries()) samples.writeInt16LE(sample, 2 * i);
    const wav = Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE', 'latin1'), body, samples]);
    expect(decodeWav(wav)).toEqual({ ok: true, value: { rate: 48_000, samples: Int16Array.from([150, 0]) } });
    for (let length = 0; length < wav.length; length++) expect(() => decodeWav(wav.subarray(0, length))).not.toThrow();
  });

  it('says why it cannot read a file', () => {
    writeFileSync(file('text.wav'), 'this is no sound at all, is it?');
    expect(readWav(file('text.wav'))).toMatchObject({
      ok: false,
      error: { kind: 'unsupported', detail: expect.stringContaining('no WAV file') },
    });
    expect(readWav(file('none.wav'))).toMatchObject({ ok: false, error: { kind: 'not-found' } });
    expect(createNodeAudio({ speaker: join(folder, 'no', 'such.wav'), clock: { now: realNow }, onFailure: () => undefined }).ok).toBe(
      false,
    );
  });

  it.each([8_000, 48_000])('keeps a tone when %i samples a second become 16,000', (rate) => {
    const tone = (hz: number) => (_: number, i: number) => 10_000 * Math.sin((2 * Math.PI * 500 * i) / hz);
    const heard = resample({ rate, samples: Int16Array.from({ length: rate }, tone(rate)) }, 16_000);
    const wanted = Int16Array.from({ length: 16_000 }, tone(16_000));
    expect(heard).toHaveLength(16_000);
    const error = Math.max(...heard.subarray(0, 15_990).map((sample, i) => Math.abs(sample - wanted[i]!)));
    expect(error).toBeLessThan(250);
  });

  it('is a second of sound after a second, playable before its end, and whole after close', async () => {
    const { audio, close } = expectOk(
      createNodeAudio({ speaker: file('speaker.wav'), clock: { now: realNow }, onFailure: () => undefined }),
      'audio',
    );
    let frames = 0;
    const start = realNow();
    const stream = expectOk(
      audio.open(FORMAT, (out) => out.fill(++frames)),
      'speaker',
    );
    await until('55 frames', () => (frames >= 55 ? true : undefined), 5 * SECOND);
    const took = realNow() - start;
    expect(took).toBeGreaterThanOrEqual(1.1 * SECOND);
    expect(took).toBeLessThan(1.3 * SECOND);
    stream.close();
    // Not closed yet: the header of the last full second is there.
    expect(expectOk(readWav(file('speaker.wav')), 'a file that grows').samples.length).toBe(50 * FORMAT.frame);
    expect(audio.open({ rate: 8_000, frame: 160 }, () => undefined)).toMatchObject({ ok: false, error: { kind: 'unsupported' } });
    close();
    const { samples } = expectOk(readWav(file('speaker.wav')), 'the file');
    expect(samples).toHaveLength(frames * FORMAT.frame);
    expect(samples.at(-1)).toBe(frames);
    expect(readFileSync(file('speaker.wav')).subarray(0, 4).toString()).toBe('RIFF');
  });

  it('hears a file at the asked rate, and silence after its end', async () => {
    const writer = expectOk(WavWriter.create(file('mic.wav')), 'writer');
    writer.append(new Int16Array(240).fill(1_000), 8_000); // 30 ms
    writer.close();
    const { audio } = expectOk(
      createNodeAudio({ microphone: file('mic.wav'), clock: { now: realNow }, onFailure: () => undefined }),
      'audio',
    );
    const heard: number[] = [];
    const stream = expectOk(
      audio.openInput!(FORMAT, (pcm) => heard.push(...pcm)),
      'microphone',
    );
    await until('three frames', () => (heard.length >= 960 ? true : undefined), SECOND);
    stream.close();
    expect(heard.slice(0, 479).every((sample) => sample === 1_000)).toBe(true);
    expect(heard.slice(480, 960).every((sample) => sample === 0)).toBe(true);
  });
});
