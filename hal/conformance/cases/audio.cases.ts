import { expectOk } from '../../base/result.js';
import { MILLISECOND, SECOND } from '../../base/time.js';
import type { AudioFormat, AudioStream, Hal, Micros } from '../../hal.js';
import { type Bench, type ConformanceCase, check, given, PATIENCE, pass } from '../bench.js';

/** The core's audio bus: 20 ms at 16 kHz. */
const FORMAT: AudioFormat = { rate: 16_000, frame: 320 };
const FRAME_TIME: Micros = 20 * MILLISECOND;
const FRAMES = 50;
/**
 * How far eight frames in ten may lie apart, when each is measured against its place in an even pace: a jitter buffer takes this up, a
 * drift it would not. The others are the host's: one that is busy is late now and then.
 */
const SPREAD: Micros = 10 * MILLISECOND;

/** The board's own stamps of `FRAMES` frames in a row against an even pace. */
async function evenPace(bench: Bench, stream: AudioStream, stamps: readonly Micros[]): Promise<void> {
  await bench.until(`${FRAMES} frames`, () => (stamps.length >= FRAMES ? true : undefined), 3 * SECOND);
  stream.close();
  const offsets = stamps
    .slice(0, FRAMES)
    .map((at, i) => at - i * FRAME_TIME)
    .sort((a, b) => a - b);
  const spread = offsets[FRAMES - FRAMES / 10 - 1]! - offsets[FRAMES / 10]!;
  check(spread <= SPREAD, `eight frames in ten lie ${spread} µs apart in their pace`);
}

async function silentAfterClose(hal: Hal, bench: Bench, stream: AudioStream, count: () => number): Promise<void> {
  await bench.until('a frame', () => (count() > 0 ? true : undefined), PATIENCE);
  stream.close();
  stream.close();
  const before = count();
  await pass(hal, bench, 3 * FRAME_TIME);
  check(count() === before, 'a frame came after close');
}

export const audioCases: readonly ConformanceCase[] = [
  {
    id: 'audio-even-pace',
    law: 'contract',
    title: 'the loudspeaker pulls frames of the asked size at an even pace, and not during open',
    needs: [],
    run: async (hal, bench) => {
      const stamps: Micros[] = [];
      const sizes = new Set<number>();
      const opened = hal.audio.open(FORMAT, (out, at) => {
        sizes.add(out.length);
        stamps.push(at);
      });
      check(stamps.length === 0, 'a frame was pulled during open');
      await evenPace(bench, expectOk(opened, 'the loudspeaker'), stamps);
      check(sizes.size === 1 && sizes.has(FORMAT.frame), `frames of ${[...sizes].join()} samples`);
    },
  },
  {
    id: 'audio-close-silent',
    law: 5,
    title: 'close is idempotent, nothing is pulled after it, and the loudspeaker can be opened again',
    needs: [],
    run: async (hal, bench) => {
      for (let turn = 0; turn < 2; turn++) {
        let count = 0;
        const opened = hal.audio.open(FORMAT, () => count++);
        await silentAfterClose(hal, bench, expectOk(opened, 'the loudspeaker'), () => count);
      }
    },
  },
  {
    id: 'audio-one-at-a-time',
    law: 4,
    title: 'a loudspeaker that is open already is full',
    needs: [],
    run: (hal) => {
      const first = expectOk(
        hal.audio.open(FORMAT, () => undefined),
        'the loudspeaker',
      );
      const second = hal.audio.open(FORMAT, () => undefined);
      first.close();
      check(!second.ok && second.error.kind === 'full', 'it was opened twice');
    },
  },
  {
    id: 'audio-input-even-pace',
    law: 'contract',
    title: 'the microphone brings frames of the asked size at an even pace',
    needs: ['microphone'],
    run: async (hal, bench) => {
      const stamps: Micros[] = [];
      const sizes = new Set<number>();
      const opened = given(hal.audio.openInput, 'microphone')(FORMAT, (pcm, at) => {
        sizes.add(pcm.length);
        stamps.push(at);
      });
      check(stamps.length === 0, 'a frame came during openInput');
      await evenPace(bench, expectOk(opened, 'the microphone'), stamps);
      check(sizes.size === 1 && sizes.has(FORMAT.frame), `frames of ${[...sizes].join()} samples`);
    },
  },
];
