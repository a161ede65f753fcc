/** Quantities with their units written out. */
import { DAY, HOUR, MILLISECOND, MINUTE, SECOND } from '../../hal/base/time.js';
import type { Micros } from '../../hal/hal.js';

const DURATIONS: Readonly<Record<string, Micros>> = { us: 1, ms: MILLISECOND, s: SECOND, min: MINUTE, h: HOUR, d: DAY };
const SHARES: Readonly<Record<string, number>> = { '%': 100, ppm: 1e6 };

const quantity = (text: string): { value: number; unit: string } | undefined => {
  const m = /^(\d{1,12}(?:\.\d{1,6})?) ?([a-zA-Z%/]+)$/.exec(text);
  return m ? { value: Number(m[1]), unit: m[2]! } : undefined;
};

/** `200us`, `1ms`, `4.8 s`, `2min`, `1h`, `30d`; a whole number of µs. */
export function parseDuration(text: string): Micros | undefined {
  const q = quantity(text);
  const unit = q && DURATIONS[q.unit];
  const micros = q && unit !== undefined ? q.value * unit : undefined;
  return micros !== undefined && Number.isSafeInteger(Math.round(micros)) ? Math.round(micros) : undefined;
}

/** `5%`, `200 ppm`: from 0 to 1. */
export function parseShare(text: string): number | undefined {
  const q = quantity(text);
  const whole = q && SHARES[q.unit];
  const share = q && whole !== undefined ? q.value / whole : undefined;
  return share !== undefined && share <= 1 ? share : undefined;
}

/** `1000Hz`, `1 kHz`: below half of the audio bus's 16 kHz. */
export function parseFrequency(text: string): number | undefined {
  const q = quantity(text);
  const hertz = q?.unit === 'Hz' ? q.value : q?.unit === 'kHz' ? q.value * 1000 : undefined;
  return hertz !== undefined && hertz > 0 && hertz < 8000 ? hertz : undefined;
}

/** `4.8 s`, `35 ms`, `30 min 2 s`: for people. */
export function durationText(at: Micros): string {
  if (at >= SPOKEN_IN_MINUTES) return longText(at);
  if (at >= SECOND) return `${trimmed(at / SECOND, 3)} s`;
  return at >= MILLISECOND ? `${trimmed(at / MILLISECOND, 1)} ms` : `${at} µs`;
}

/** Below it, seconds are easier to compare. */
const SPOKEN_IN_MINUTES = 2 * MINUTE;

function longText(at: Micros): string {
  const parts = [
    [Math.floor(at / DAY), 'd'],
    [Math.floor((at % DAY) / HOUR), 'h'],
    [Math.floor((at % HOUR) / MINUTE), 'min'],
    [Number(trimmed((at % MINUTE) / SECOND, 3)), 's'],
  ] as const;
  return parts.flatMap(([value, unit]) => (value > 0 ? [`${value} ${unit}`] : [])).join(' ');
}

export const shareText = (share: number): string => `${trimmed(share * 100, 1)} %`;

const trimmed = (value: number, digits: number): string => String(Number(value.toFixed(digits)));
