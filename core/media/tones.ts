/** A steady sine, for test callers and signal tones. */

export interface ToneOptions {
  /** Hz; an integer, so that the phase is exact for ever. */
  frequency: number;
  /** Samples a second. */
  rate: number;
  /** Peak, of 32767. */
  amplitude: number;
}

export class SineTone {
  readonly #options: ToneOptions;
  #n = 0;

  constructor(options: ToneOptions) {
    this.#options = options;
  }

  /** Fills `out` with the next samples. */
  fill(out: Int16Array): void {
    const { frequency, rate, amplitude } = this.#options;
    for (let i = 0; i < out.length; i++) {
      out[i] = Math.round(amplitude * Math.sin((2 * Math.PI * this.#n) / rate));
      // The phase is counted in units of 1/rate of a turn: no rounding accumulates.
      this.#n = (this.#n + frequency) % rate;
    }
  }
}
