/**
 * The vendor's settings files: `key = value`, one a line. `#` begins a comment at column 0 only, anywhere else it belongs to the value;
 * a blank value is a value (Null). A byte order mark, CRLF and missing spaces round `=` are tolerated; of a key given twice the last counts.
 */
import { fromUtf8, utf8 } from '../../hal/base/bytes.js';

/** Values as text by key, in the order of the file. Keys that nobody knows are kept, so that an export returns them. */
export type ConfValues = ReadonlyMap<string, string>;

interface ConfProblem {
  /** From 1. */
  line: number;
  detail: string;
}

/** The whole file counts or none of it: whoever applies it refuses it when there are problems. */
export interface Conf {
  values: ConfValues;
  problems: readonly ConfProblem[];
}

/** Limits are ours: an export of a device with every feature has some 600 keys in 20 kB. */
export const CONF_LIMITS = { octets: 64 * 1024, lines: 4096, key: 64, value: 1024, problems: 8 } as const;

const KEY = /^[A-Za-z0-9][A-Za-z0-9._/-]*$/;
const BYTE_ORDER_MARK = '\ufeff';

export const isConfKey = (key: string): boolean => key.length <= CONF_LIMITS.key && KEY.test(key);

/** A value that a file can carry: one line, no white space at its ends, no control characters. */
export const isConfValue = (value: string): boolean => value.length <= CONF_LIMITS.value && value === value.trim() && !hasControl(value);

/** Total: what cannot be read becomes problems, the first eight of them. */
export function decodeConf(bytes: Uint8Array): Conf {
  if (bytes.length > CONF_LIMITS.octets) return { values: new Map(), problems: [{ line: 1, detail: tooMany(bytes.length, 'octets') }] };
  const text = fromUtf8(bytes);
  const lines = (text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text).split(/\r\n|\n|\r/);
  if (lines.length > CONF_LIMITS.lines) return { values: new Map(), problems: [{ line: 1, detail: tooMany(lines.length, 'lines') }] };
  const values = new Map<string, string>();
  const problems: ConfProblem[] = [];
  lines.forEach((line, index) => {
    const detail = readLine(line, values);
    if (detail !== undefined && problems.length < CONF_LIMITS.problems) problems.push({ line: index + 1, detail });
  });
  return { values, problems };
}

/** Sorted by key, as the vendor exports; what `decodeConf` reads back to the same values. */
export function encodeConf(values: ConfValues): Uint8Array {
  const keys = [...values.keys()].filter((key) => isConfKey(key) && isConfValue(values.get(key)!)).sort();
  return utf8(keys.map((key) => `${key} =${values.get(key) === '' ? '' : ` ${values.get(key)}`}\n`).join(''));
}

/** Adds the line's value, or says what is wrong with it. */
function readLine(line: string, values: Map<string, string>): string | undefined {
  if (line.startsWith('#') || line.trim() === '') return undefined;
  const equals = line.indexOf('=');
  if (equals < 0) return 'there is no "=" in the line';
  const key = line.slice(0, equals).trim();
  const value = line.slice(equals + 1).trim();
  if (!isConfKey(key)) return 'what stands before "=" is no key';
  if (!isConfValue(value)) return `the value of ${key} is too long or has control characters`;
  values.set(key, value);
  return undefined;
}

const tooMany = (count: number, unit: 'octets' | 'lines'): string =>
  `the file has ${count} ${unit}, at most ${CONF_LIMITS[unit]} are taken`;

/** Tabs within a value are kept; other control characters cannot come from an honest file. */
function hasControl(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return true;
  }
  return false;
}
