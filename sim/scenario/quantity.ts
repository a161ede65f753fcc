/** Readers of quantities. */
import { parsed } from './reader.js';
import { parseDuration, parseFrequency, parseShare } from './units.js';

export const duration = parsed(parseDuration, 'a time with its unit, such as 200ms or 10s', { pattern: '^[0-9.]+ ?(us|ms|s|min|h|d)$' });
export const share = parsed(parseShare, 'a share from 0% to 100%', { pattern: '^[0-9.]+ ?(%|ppm)$' });
export const frequency = parsed(parseFrequency, 'a frequency below 8000Hz, such as 1000Hz', { pattern: '^[0-9.]+ ?k?Hz$' });
