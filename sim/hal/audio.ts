/** A simulated loudspeaker and microphone: frames at an even pace, by absolute deadlines of the board's own clock. */
import { fail, ok } from '../../hal/base/result.js';
import { SECOND } from '../../hal/base/time.js';
import type { Audio, AudioFormat, AudioStream, HalError, Micros, Result } from '../../hal/hal.js';
import type { Host } from '../world/host.js';

/** One frame as the loudspeaker played it; `at` is when its first sample sounded, in the board's time. The samples are the receiver's. */
export interface PlayedFrame {
  pcm: Int16Array;
  rate: AudioFormat['rate'];
  at: Micros;
}

export interface AudioOptions {
  host: Host;
  speaker: boolean;
  microphone: boolean;
  onPlayed(frame: PlayedFrame): void;
  /** Fills a frame with what is heard at the microphone; what it leaves is silence. */
  heard(out: Int16Array, rate: AudioFormat['rate'], at: Micros): void;
}

export function simAudio(options: AudioOptions): Audio {
  const { host } = options;
  const output = exclusive(host, 'loudspeaker', options.speaker);
  const input = exclusive(host, 'microphone', options.microphone);
  const open: Audio['open'] = (format, pull) =>
    output(format, (at) => {
      const pcm = new Int16Array(format.frame);
      pull(pcm, at);
      options.onPlayed({ pcm, rate: format.rate, at });
    });
  const openInput: NonNullable<Audio['openInput']> = (format, push) =>
    input(format, (at) => {
      const pcm = new Int16Array(format.frame);
      options.heard(pcm, format.rate, at);
      push(pcm, at);
    });
  return options.microphone ? { open, openInput } : { open };
}

type OpenPaced = (format: AudioFormat, frame: (at: Micros) => void) => Result<AudioStream, HalError>;

/** A converter that the board may have, and that serves one stream at a time. */
function exclusive(host: Host, what: string, fitted: boolean): OpenPaced {
  let taken = false;
  return (format, frame) => {
    if (!fitted) return fail('unsupported', `the board has no ${what}`);
    if (taken) return fail('full', `the ${what} is open already`);
    taken = true;
    const stop = pace(host, format, frame);
    return ok({
      close: () => {
        if (stop()) taken = false;
      },
    });
  };
}

/** Calls `frame` once a frame from now on: frame n at start + n · frame / rate. Returns what ends it, true the first time. */
function pace(host: Host, format: AudioFormat, frame: (at: Micros) => void): () => boolean {
  const start = host.now();
  let running = true;
  const schedule = (n: number): void => {
    const due = start + Math.round((n * format.frame * SECOND) / format.rate);
    host.at(due, () => {
      if (!running) return;
      schedule(n + 1);
      frame(due);
    });
  };
  // The first frame one frame from now: a converter plays what it was given the frame before (and law 1).
  schedule(1);
  return () => {
    const first = running;
    running = false;
    return first;
  };
}
