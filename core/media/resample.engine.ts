/** Between the telephone's 8 kHz and the audio bus's 16 kHz, by a half-band filter: every other tap is zero, the middle one is one. */

/** Taps on each side of the middle. With a Hamming window: flat over the telephone band to 3.4 kHz, images and aliases 54 dB down from 4.6 kHz. */
const SIDE = 12;
const TAPS = 2 * SIDE;

/** The taps at odd distances from the middle; they sum to 1. */
const FILTER = halfBand();

function halfBand(): Float64Array {
  const taps = Float64Array.from({ length: TAPS }, (_, i) => {
    const distance = i - SIDE + 0.5;
    const x = (Math.PI * distance) / SIDE;
    return (Math.sin(Math.PI * distance) / distance) * (0.54 + 0.46 * Math.cos(x));
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}

const clipped = (sample: number): number => Math.max(-32768, Math.min(32767, Math.round(sample)));

/** 8 kHz to 16 kHz, 1.5 ms late. */
export class Upsampler {
  readonly #line: Float64Array;

  /** `frame`: samples in each call. */
  constructor(frame: number) {
    this.#line = new Float64Array(TAPS + frame);
  }

  /** Twice as many samples out as in. */
  process(input: Int16Array, out: Int16Array): void {
    const line = this.#line;
    line.copyWithin(0, input.length);
    line.set(input, TAPS);
    for (let i = 0; i < input.length; i++) {
      let between = 0;
      for (let tap = 0; tap < TAPS; tap++) between += FILTER[tap]! * line[i + 1 + tap]!;
      out[2 * i] = line[i + SIDE]!;
      out[2 * i + 1] = clipped(between);
    }
  }
}

/** 16 kHz to 8 kHz, 1.5 ms late. */
export class Downsampler {
  readonly #line: Float64Array;

  /** `frame`: samples in each call, an even number. */
  constructor(frame: number) {
    this.#line = new Float64Array(2 * TAPS + frame);
  }

  /** Half as many samples out as in. */
  process(input: Int16Array, out: Int16Array): void {
    const line = this.#line;
    line.copyWithin(0, input.length);
    line.set(input, 2 * TAPS);
    for (let i = 0; i < input.length; i += 2) {
      let sum = line[i + TAPS + 1]!;
      for (let tap = 0; tap < TAPS; tap++) sum += FILTER[tap]! * line[i + 2 + 2 * tap]!;
      out[i / 2] = clipped(sum / 2);
    }
  }
}
