/** The endpoint's microphone as a talker of 8 kHz. */
import { fail, ok } from '../../hal/base/result.js';
import type { Audio, HalError, Result } from '../../hal/hal.js';
import { BUS_FRAME, BUS_RATE } from './audio-bus.js';
import { Downsampler } from './resample.engine.js';

/** Samples of 20 ms at 8 kHz. */
const FRAME = BUS_FRAME / 2;
/** Frames that wait to be sent: what the microphone's clock and the sender's may drift apart before one is dropped. The oldest goes. */
const WAITING = 3;

export interface Microphone {
  /** Fills `out`, 160 samples, with what was said next, or with silence where nothing waits. */
  talk(out: Int16Array): void;
  close(): void;
}

export function openMicrophone(audio: Audio): Result<Microphone, HalError> {
  if (!audio.openInput) return fail('unsupported', 'the board has no microphone');
  const downsampler = new Downsampler(BUS_FRAME);
  const frames = Array.from({ length: WAITING }, () => new Int16Array(FRAME));
  let oldest = 0;
  let waiting = 0;
  const opened = audio.openInput({ rate: BUS_RATE, frame: BUS_FRAME }, (pcm) => {
    if (waiting === WAITING) {
      oldest = (oldest + 1) % WAITING;
      waiting--;
    }
    downsampler.process(pcm, frames[(oldest + waiting) % WAITING]!);
    waiting++;
  });
  if (!opened.ok) return opened;
  const talk = (out: Int16Array): void => {
    if (waiting === 0) return void out.fill(0);
    out.set(frames[oldest]!);
    oldest = (oldest + 1) % WAITING;
    waiting--;
  };
  return ok({ talk, close: () => opened.value.close() });
}
