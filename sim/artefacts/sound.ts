/** What a stretch of sound holds: how long it sounds, how much of it is silent, and how much of its energy is one tone. */
export interface Sound {
  samples: Int16Array;
  /** Samples a second. */
  rate: number;
}

/** Times in seconds from the first to the last sounding frame. */
export interface SoundReport {
  begins: number;
  seconds: number;
  /** Share of that time which is silent, from 0 to 1. */
  silent: number;
  /** Root mean square of that time, from 0 to 1. */
  level: number;
}

/** Frames of 20 ms: a packet of voice. */
const FRAMES_A_SECOND = 50;
/** Root mean square of a frame below which it is silent: -40 dB of full scale. */
const SILENCE = 0.01;
const FULL_SCALE = 32_768;

export function soundReport(sound: Sound): SoundReport {
  const { samples } = sound;
  const [first, last] = soundingFrames(sound);
  if (first === undefined || last === undefined) return { begins: 0, seconds: 0, silent: 1, level: 0 };
  const size = frameSize(sound);
  let silent = 0;
  for (let i = first; i <= last; i++) if (level(samples, i * size, size) <= SILENCE) silent++;
  const frames = last + 1 - first;
  return {
    begins: first / FRAMES_A_SECOND,
    seconds: frames / FRAMES_A_SECOND,
    silent: silent / frames,
    level: level(samples, first * size, frames * size),
  };
}

/** The part that sounds, without the silence before and after it; a view. */
export function sounding(sound: Sound): Sound {
  const [first, last] = soundingFrames(sound);
  const size = frameSize(sound);
  const samples =
    first === undefined || last === undefined ? sound.samples.subarray(0, 0) : sound.samples.subarray(first * size, (last + 1) * size);
  return { samples, rate: sound.rate };
}

/** Share of the energy at a frequency, from 0 to 1, by blocks of 100 ms (Goertzel, "An Algorithm for the Evaluation of Finite Trigonometric Series", 1958). */
export function toneShare({ samples, rate }: Sound, hertz: number): number {
  const block = Math.floor(rate / 10);
  const turn = 2 * Math.cos((2 * Math.PI * hertz) / rate);
  let tone = 0;
  let total = 0;
  for (let from = 0; from + block <= samples.length; from += block) {
    let before = 0;
    let last = 0;
    for (let i = from; i < from + block; i++) {
      const sample = samples[i]! / FULL_SCALE;
      [before, last] = [last, sample + turn * last - before];
      total += sample * sample;
    }
    tone += ((before * before + last * last - turn * before * last) * 2) / block;
  }
  return total > 0 ? tone / total : 0;
}

function soundingFrames(sound: Sound): [first: number | undefined, last: number | undefined] {
  const size = frameSize(sound);
  let first: number | undefined;
  let last: number | undefined;
  for (let i = 0; (i + 1) * size <= sound.samples.length; i++) {
    if (level(sound.samples, i * size, size) <= SILENCE) continue;
    first ??= i;
    last = i;
  }
  return [first, last];
}

const frameSize = ({ rate }: Sound): number => Math.floor(rate / FRAMES_A_SECOND);

function level(samples: Int16Array, from: number, length: number): number {
  let sum = 0;
  for (let i = from; i < from + length; i++) sum += (samples[i]! / FULL_SCALE) ** 2;
  return Math.sqrt(sum / length);
}
