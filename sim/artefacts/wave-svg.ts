/** Pictures of a sound: all of it, as the highest and lowest sample of each column; and a moment of it from near, sample by sample. */
import { type Html, html } from './html.js';
import type { Sound } from './sound.js';

const WIDTH = 600;
const HEIGHT = 96;
const MIDDLE = HEIGHT / 2;
const FULL_SCALE = 32_768;
/** Sound is seldom at full scale; the picture may be. */
const ZOOM = 1.6;

export function waveSvg({ samples, rate }: Sound, label: string): Html {
  const columns = Array.from({ length: WIDTH }, (_, x) =>
    extremes(samples, Math.floor((x * samples.length) / WIDTH), Math.floor(((x + 1) * samples.length) / WIDTH)),
  );
  const upper = columns.map(([, high], x) => `${x},${y(high)}`);
  const lower = columns.map(([low], x) => `${x},${y(low)}`).reverse();
  const seconds = samples.length / rate;
  const marks = Array.from({ length: Math.max(0, Math.ceil(seconds) - 1) }, (_, i) => Math.round(((i + 1) * WIDTH) / seconds));
  return html`<svg class="wave" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${label}">
<path class="second" d="${marks.map((x) => `M${x},0V${HEIGHT}`).join('')}"/><polygon points="${upper.join(' ')} ${lower.join(' ')}"/></svg>`;
}

function extremes(samples: Int16Array, from: number, to: number): [low: number, high: number] {
  let low = 0;
  let high = 0;
  for (let i = from; i < to; i++) {
    const sample = samples[i]!;
    if (sample < low) low = sample;
    if (sample > high) high = sample;
  }
  return [low, high];
}

/** A moment from the middle: long enough for a tone to show its shape, short enough to see it. */
const MOMENT = 0.012;

export function momentSvg({ samples, rate }: Sound, label: string): Html {
  const length = Math.min(samples.length, Math.round(MOMENT * rate));
  const from = Math.floor((samples.length - length) / 2);
  const points = Array.from(
    samples.subarray(from, from + length),
    (sample, i) => `${((i * WIDTH) / Math.max(1, length - 1)).toFixed(1)},${y(sample)}`,
  );
  return html`<svg class="wave moment" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${label}">
<path class="second" d="M0,${MIDDLE}H${WIDTH}"/><polyline points="${points.join(' ')}"/></svg>`;
}

const y = (sample: number): string => (MIDDLE - Math.max(-1, Math.min(1, (sample / FULL_SCALE) * ZOOM)) * (MIDDLE - 2)).toFixed(1);
