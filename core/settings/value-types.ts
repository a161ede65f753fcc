/** The types that a setting's text can have, each with what it accepts in words. */
import { err, ok } from '../../hal/base/result.js';
import type { Result } from '../../hal/hal.js';

/** Reads the text of a value; the error says what would be accepted. Total. */
export type ReadValue<T> = (text: string) => Result<T, string>;

/** A server by name or address, with a port where one is given. */
export interface HostPort {
  host: string;
  port?: number;
}

/** What a type accepts: no typed value has a zero octet, so that the type says what it would have liked. */
export const valuesInWords = (read: ReadValue<unknown>): string => {
  const value = read('\0');
  return value.ok ? 'text' : value.error;
};

export const text: ReadValue<string> = (value) => ok(value);

/** Booleans are `0` and `1`. */
export const flag: ReadValue<boolean> = (value) => (value === '0' || value === '1' ? ok(value === '1') : err('0 or 1'));

export const whole =
  (min: number, max: number): ReadValue<number> =>
  (value) => {
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    return number >= min && number <= max ? ok(number) : err(`a whole number from ${min} to ${max}`);
  };

export const choice =
  <const T extends string>(...values: readonly T[]): ReadValue<T> =>
  (value) => {
    const found = values.find((allowed) => allowed === value);
    const named = values.map((v) => (v === '' ? 'blank' : v)).join(', ');
    return found === undefined ? err(values.length === 1 ? named : `one of ${named}`) : ok(found);
  };

/** Lists are written with commas, with or without one at the end: `1,8,9,`. At least one item. */
export const listOf =
  <const T extends string>(...values: readonly T[]): ReadValue<readonly T[]> =>
  (value) => {
    const items = value
      .replace(/,$/, '')
      .split(',')
      .map(choice(...values));
    const known = items.flatMap((item) => (item.ok ? [item.value] : []));
    return known.length === items.length ? ok(known) : err(`a comma list of ${values.join(', ')}`);
  };

/** `host`, `host:port` or `[v6]:port`; blank is undefined. */
export const hostPort: ReadValue<HostPort | undefined> = (value) => {
  if (value === '') return ok(undefined);
  const m = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9._-]{1,253}))(?::(\d{1,5}))?$/.exec(value);
  const port = m?.[3] === undefined ? undefined : Number(m[3]);
  if (!m || (port !== undefined && (port < 1 || port > 65535))) return err('a host, or host:port');
  const host = (m[1] ?? m[2])!;
  return ok(port === undefined ? { host } : { host, port });
};

/** `02:30`, in minutes since midnight; blank is undefined. */
export const timeOfDay: ReadValue<number | undefined> = (value) => {
  if (value === '') return ok(undefined);
  const m = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(value);
  return m ? ok(Number(m[1]) * 60 + Number(m[2])) : err('a time of day such as 02:30, or blank');
};

/**
 * Decibels from 0 down to -45 in steps of 3: `-18dB`, or on older units the level, of which 10 is 0 dB and each one less is -3 dB.
 */
export const volume: ReadValue<number> = (value) => {
  const m = /^(?:(-?\d{1,2})dB|(\d{1,2}))$/.exec(value);
  const decibels = m ? (m[1] !== undefined ? Number(m[1]) : (Number(m[2]) - 10) * 3) : Number.NaN;
  return decibels <= 0 && decibels >= -45 && decibels % 3 === 0 ? ok(decibels === 0 ? 0 : decibels) : err('0dB to -45dB in steps of 3dB');
};
