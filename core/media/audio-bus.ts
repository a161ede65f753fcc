/** The endpoint's loudspeaker: 16 kHz, frames of 20 ms. Open while anything sounds, and closed when nothing does, so that the amplifier rests. */
import { ok } from '../../hal/base/result.js';
import type { Audio, AudioStream, Cancel, HalError, Micros, Result } from '../../hal/hal.js';

export const BUS_RATE = 16_000;
/** Samples of 20 ms. */
export const BUS_FRAME = 320;

/** Fills `out`, BUS_FRAME samples, with its share of the sound from `at` on. It neither attaches nor detaches while it does. */
export type AudioSource = (out: Int16Array, at: Micros) => void;

export class AudioBus {
  readonly #audio: Audio;
  readonly #sources: AudioSource[] = [];
  readonly #frame = new Int16Array(BUS_FRAME);
  readonly #sum = new Int32Array(BUS_FRAME);
  #output: AudioStream | undefined;

  constructor(audio: Audio) {
    this.#audio = audio;
  }

  /** Lets a source sound until it is cancelled. Fails as the board's audio does. */
  attach(source: AudioSource): Result<Cancel, HalError> {
    if (!this.#output) {
      const opened = this.#audio.open({ rate: BUS_RATE, frame: BUS_FRAME }, (out, at) => this.#pull(out, at));
      if (!opened.ok) return opened;
      this.#output = opened.value;
    }
    this.#sources.push(source);
    return ok(() => this.#detach(source));
  }

  #detach(source: AudioSource): void {
    const at = this.#sources.indexOf(source);
    if (at < 0) return;
    this.#sources.splice(at, 1);
    if (this.#sources.length > 0) return;
    this.#output?.close();
    this.#output = undefined;
  }

  /** The sum of all sources, clipped: two loud voices distort rather than wrap. */
  #pull(out: Int16Array, at: Micros): void {
    const sum = this.#sum.fill(0);
    const frame = this.#frame;
    for (const source of this.#sources) {
      source(frame, at);
      for (let i = 0; i < BUS_FRAME; i++) sum[i]! += frame[i]!;
    }
    for (let i = 0; i < BUS_FRAME; i++) out[i] = Math.max(-32768, Math.min(32767, sum[i]!));
  }
}
