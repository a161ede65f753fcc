/** What a source of time answers, over whichever protocol. */
import type { HalErrorKind, UnixMillis } from '../../hal/hal.js';

export type TimeSource = 'sntp' | 'https';

export type TimeAnswer =
  | { type: 'time.answer'; source: TimeSource; server: string; at: UnixMillis }
  /** `patient`: the server asked to be left alone. */
  | { type: 'time.silence'; source: TimeSource; kind: HalErrorKind; detail: string; mend: string; patient: boolean };

export type TimeGiven = Extract<TimeAnswer, { type: 'time.answer' }>;
export type TimeSilence = Extract<TimeAnswer, { type: 'time.silence' }>;
