/** Dates in HTTP fields (RFC 9110 part 5.6.7): the form of today, and the two of old servers that must still be understood. */
import { utc } from '../../hal/base/time.js';
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
