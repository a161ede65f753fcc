/** Units and calendar. The one place that touches `Date`, and only as arithmetic: nothing here asks what time it is. */
import type { Micros, UnixMillis } from '../hal.js';

export const MILLISECOND: Micros = 1_000;
export const SECOND: Micros = 1_000_000;
export const MINUTE: Micros = 60 * SECOND;
export const HOUR: Micros = 60 * MINUTE;
export const DAY: Micros = 24 * HOUR;

/** ISO 8601 in UTC with milliseconds; `?` outside the years 0 to 9999. */
export function iso8601(at: UnixMillis): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) || date.getUTCFullYear() < 0 || date.getUTCFullYear() > 9999 ? '?' : date.toISOString();
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?Z)?$/;

/** `2026-01-01` or `2026-01-01T00:00:00Z`; undefined for anything else, also for the 30th of February. */
export function fromIso8601(text: string): UnixMillis | undefined {
  const m = ISO.exec(text);
  if (!m) return undefined;
  const at = utc(+m[1]!, +m[2]!, +m[3]!, +(m[4] ?? 0), +(m[5] ?? 0), +(m[6] ?? 0));
  return at === undefined ? undefined : at + Number((m[7] ?? '').padEnd(3, '0'));
}

/** A UTC calendar date; months from 1. Undefined where there is no such date. */
export function utc(year: number, month: number, day: number, hour = 0, minute = 0, second = 0): UnixMillis | undefined {
  const date = new Date(Date.UTC(2000, month - 1, day, hour, minute, second));
  date.setUTCFullYear(year, month - 1, day);
  const same = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  return same ? date.getTime() : undefined;
}

export interface CalendarDate {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

export function calendar(at: UnixMillis): CalendarDate {
  const date = new Date(at);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
  };
}
