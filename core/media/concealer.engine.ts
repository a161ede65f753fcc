/**
 * Hides what is missing (after ITU-T G.711 Appendix I): the last period of the sound is repeated in step with it, and fades when the
 * gap lasts. Works on samples of 8 kHz.
 */

/** Periods of 5 to 15 ms are looked for, in samples: Appendix I's range of pitch. Every steadier tone has a multiple of its period there. */
const SHORTEST = 40;
export const LONGEST_PERIOD = 120;
/** Samples compared in the search: 15 ms. */
const COMPARED = 120;
const HISTORY = COMPARED + LONGEST_PERIOD;
/** A lost packet of 20 ms is hidden whole; then the sound fades, so that a dead stream does not hum. */
const STEADY = 160;
const FADE = 480;
/** Samples over which the real sound takes over again: 5 ms. */
export const BLEND = 40;

export class Concealer {
  /** What was played last, newest at the end. */
  readonly #history = new Int16Array(HISTORY);
  readonly #cycle = new Float64Array(LONGEST_PERIOD);
  #period = 0;
  #phase = 0;
  /** Samples made up since the last real one. */
  #made = 0;

  /** Whether what was played last was made up. */
  get active(): boolean {
    return this.#made > 0;
  }

  /** Notes real sound, `pcm[from, to)`, and blends its beginning with what was made up before it. */
  real(pcm: Int16Array, from: number, to: number): void {
    if (this.#made > 0) {
      const blend = Math.min(BLEND, to - from);
      for (let i = 0; i < blend; i++) {
        const share = (i + 1) / (blend + 1);
        pcm[from + i] = Math.round(pcm[from + i]! * share + this.#next() * (1 - share));
      }
      this.#made = 0;
    }
    this.#remember(pcm, from, to);
  }

  /** Makes up `pcm[from, to)`. */
  conceal(pcm: Int16Array, from: number, to: number): void {
    if (this.#made === 0) this.#prepare();
    for (let i = from; i < to; i++) pcm[i] = Math.round(this.#next());
    this.#remember(pcm, from, to);
  }

  /** The period of the sound last heard, in samples: made-up sound of that length joins without a seam. */
  period(): number {
    if (this.#made === 0) this.#prepare();
    return this.#period;
  }

  #remember(pcm: Int16Array, from: number, to: number): void {
    const count = Math.min(HISTORY, to - from);
    this.#history.copyWithin(0, count);
    this.#history.set(pcm.subarray(to - count, to), HISTORY - count);
  }

  /** One sample of the repeated cycle, faded by how long it goes on. */
  #next(): number {
    const gain = Math.max(0, Math.min(1, 1 - (this.#made - STEADY) / FADE));
    const sample = this.#cycle[this.#phase]! * gain;
    this.#phase = (this.#phase + 1) % this.#period;
    this.#made++;
    return sample;
  }

  /** Takes the last period as the cycle; its end is blended into what came before its beginning, so that it repeats without a click. */
  #prepare(): void {
    const h = this.#history;
    this.#period = bestPeriod(h);
    this.#phase = 0;
    const start = HISTORY - this.#period;
    const blend = this.#period >> 2;
    for (let i = 0; i < this.#period; i++) {
      const share = Math.max(0, i - (this.#period - blend) + 1) / (blend + 1);
      this.#cycle[i] = h[start + i]! * (1 - share) + h[start + i - this.#period]! * share;
    }
  }
}

/** The shift at which the end of the sound is most like what came before it, by normalised correlation. */
function bestPeriod(h: Int16Array): number {
  const start = HISTORY - COMPARED;
  let best = LONGEST_PERIOD;
  let most = 0;
  for (let shift = SHORTEST; shift <= LONGEST_PERIOD; shift++) {
    let product = 0;
    let energy = 1;
    for (let i = start; i < HISTORY; i++) {
      const before = h[i - shift]!;
      product += h[i]! * before;
      energy += before * before;
    }
    const likeness = product / Math.sqrt(energy);
    if (likeness > most) {
      most = likeness;
      best = shift;
    }
  }
  return best;
}
