/** Dates in HTTP fields (RFC 9110 part 5.6.7): the form of today, and the two of old servers that must still be understood. */
import { calendar, utc } from '../../hal/base/time.js';
import type { UnixMillis } from '../../hal/hal.js';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MONTH = `(?<month>${MONTHS.join('|')})`;
const TIME = '(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)';

const FORMS: readonly RegExp[] = [
  // Sun, 06 Nov 1994 08:49:37 GMT
  new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`),
  // Sunday, 06-Nov-94 08:49:37 GMT
  new RegExp(`^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\\d\\d)-${MONTH}-(?<year>\\d\\d) ${TIME} GMT$`),
  // Sun Nov  6 08:49:37 1994
  new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${MONTH} (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`),
];

/** Undefined for what is no date, also for the 30th of February. The name of the day is not compared: a wrong one makes no other time. */
export function readHttpDate(text: string): UnixMillis | undefined {
  for (const form of FORMS) {
    const parts = form.exec(text)?.groups;
    if (!parts) continue;
    const number = (name: string): number => Number(parts[name]);
    // A leap second has no number of its own in Unix time.
    const second = number('second') === 60 ? 59 : number('second');
    const month = MONTHS.indexOf(parts['month']!) + 1;
    return utc(fullYear(number('year'), parts['year']!.length), month, number('day'), number('hour'), number('minute'), second);
  }
  return undefined;
}

/** Two digits are a year of the century around 2000 (ours: HTTP is younger than 1970). */
const fullYear = (year: number, digits: number): number => (digits === 4 ? year : year < 70 ? 2000 + year : 1900 + year);

const DAYS = ['Thu', 'Fri', 'Sat', 'Sun', 'Mon', 'Tue', 'Wed'];
const DAY_MS = 86_400_000;

/** The form of today: `Sun, 06 Nov 1994 08:49:37 GMT`. */
export function writeHttpDate(at: UnixMillis): string {
  const { year, month, day, hour, minute, second } = calendar(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  // 1970-01-01 was a Thursday.
  const name = DAYS[Math.floor(at / DAY_MS) % 7];
  return `${name}, ${two(day)} ${MONTHS[month - 1]} ${String(year).padStart(4, '0')} ${two(hour)}:${two(minute)}:${two(second)} GMT`;
}
