import { describe, expect, it } from 'vitest';
import { MILLISECOND, SECOND } from '../../hal/base/time.js';
import type { AudioStream, HalError, Result } from '../../hal/hal.js';
import { type AudioOptions, type PlayedFrame, simAudio } from '../../sim/hal/audio.js';
import { simGpio } from '../../sim/hal/gpio.js';
import type { Host } from '../../sim/world/host.js';
import { World } from '../../sim/world/world.js';
import { alwaysQuiet } from '../support/quiet.js';

const BUS = { rate: 16000, frame: 320 } as const;

async function boardAt(bootedAt: number): Promise<{ world: World; host: Host }> {
  const world = new World({ seed: 1, platform: { quiet: alwaysQuiet }, start: 0 });
  await world.run(bootedAt);
  return { world, host: world.host({ name: 'lobby' }) };
}
const opened = (result: Result<AudioStream, HalError>): AudioStream => {
  if (!result.ok) throw new Error(result.error.detail);
  return result.value;
};
const audioOf = (host: Host, options: Partial<AudioOptions>) =>
  simAudio({ host, speaker: true, microphone: true, onPlayed: () => {}, heard: () => {}, ...options });

describe('simulated audio', () => {
  it('pulls a frame every 20 ms, by absolute deadlines, and hands it on with its time', async () => {
    const { world, host } = await boardAt(777);
    const played: PlayedFrame[] = [];
    const audio = audioOf(host, { onPlayed: (frame) => played.push(frame) });
    let n = 0;
    const stream = opened(
      audio.open(BUS, (out, at) => {
        expect(at).toBe(host.now());
        out.fill(++n);
      }),
    );
    expect(n).toBe(0);
    await world.run(world.now + SECOND);
    expect(played.map((frame) => frame.at)).toEqual(Array.from({ length: 50 }, (_, i) => (i + 1) * 20 * MILLISECOND));
    expect(played[49]!.pcm).toEqual(new Int16Array(320).fill(50));
    stream.close();
    stream.close();
    await world.run(world.now + SECOND);
    expect(played).toHaveLength(50);
  });

  it('does not drift where a frame is no whole number of microseconds', async () => {
    const { world, host } = await boardAt(0);
    const at: number[] = [];
    opened(audioOf(host, { onPlayed: (frame) => at.push(frame.at) }).open({ rate: 48000, frame: 128 }, () => {}));
    await world.run(8 * SECOND);
    expect(at).toHaveLength(3000);
    expect(at.at(-1)).toBe(8 * SECOND);
  });

  it('has one stream at a time, and is free again once it is closed', async () => {
    const { host } = await boardAt(0);
    const audio = audioOf(host, {});
    const first = opened(audio.open(BUS, () => {}));
    expect(audio.open(BUS, () => {})).toMatchObject({ ok: false, error: { kind: 'full' } });
    first.close();
    const second = opened(audio.open(BUS, () => {}));
    first.close();
    expect(audio.open(BUS, () => {})).toMatchObject({ ok: false, error: { kind: 'full' } });
    second.close();
  });

  it('hears what the world lets it hear, and has no microphone where the board has none', async () => {
    const { world, host } = await boardAt(0);
    const audio = audioOf(host, { heard: (out) => out.fill(7), speaker: false });
    const heard: number[] = [];
    opened(audio.openInput!(BUS, (pcm) => heard.push(pcm[0]!)));
    await world.run(40 * MILLISECOND);
    expect(heard).toEqual([7, 7]);
    expect(audio.open(BUS, () => {})).toMatchObject({ ok: false, error: { kind: 'unsupported' } });
    expect(audioOf(host, { microphone: false }).openInput).toBeUndefined();
  });

  it('is still when the power is off', async () => {
    const { world, host } = await boardAt(0);
    let pulls = 0;
    opened(audioOf(host, {}).open(BUS, () => pulls++));
    await world.run(20 * MILLISECOND);
    host.powerOff();
    await world.run(SECOND);
    expect(pulls).toBe(1);
  });
});

describe('simulated lines', () => {
  it('report what the firmware sets, once a change, and refuse what they are not', async () => {
    const { world, host } = await boardAt(5);
    const seen: unknown[] = [];
    const gpio = simGpio(
      host,
      [
        { name: 'relay', kind: 'relay' },
        { name: 'call', kind: 'button' },
      ],
      (line, on, at) => seen.push([line, on, at]),
    );
    const edges: unknown[] = [];
    gpio.edges$.subscribe((edge) => edges.push(edge));
    expect([gpio.set('relay', true), gpio.set('relay', true)]).toEqual([
      { ok: true, value: undefined },
      { ok: true, value: undefined },
    ]);
    expect(gpio.set('call', true)).toMatchObject({ ok: false, error: { kind: 'unsupported' } });
    expect(gpio.set('door', true)).toMatchObject({ ok: false, error: { kind: 'not-found' } });
    await world.run(10);
    gpio.drive('call', true);
    gpio.drive('call', true);
    expect(() => gpio.drive('relay', true)).toThrowError(/line relay is no input/);
    host.powerOff();
    gpio.drive('call', false);
    expect([seen, edges]).toEqual([[['relay', true, 0]], [{ line: 'call', on: true, at: 5 }]]);
  });
});
