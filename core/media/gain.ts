/** The page volume: a source made quieter. */
import type { AudioBus, AudioSource } from './audio-bus.js';

/** A bus whose sources sound `decibels` louder (negative: quieter) than they would. */
export function withGain(bus: Pick<AudioBus, 'attach'>, decibels: number): Pick<AudioBus, 'attach'> {
  const factor = 10 ** (decibels / 20);
  return factor === 1 ? bus : { attach: (source) => bus.attach(scaled(source, factor)) };
}

const scaled =
  (source: AudioSource, factor: number): AudioSource =>
  (out, at) => {
    source(out, at);
    for (let i = 0; i < out.length; i++) out[i] = Math.round(out[i]! * factor);
  };
