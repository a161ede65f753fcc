/** Lexical pieces of SIP (RFC 3261 part 25), over octet text: tokens, integers, lists and parameters. */
import { endOfQuoted, isBlankCode, skipBlanks } from '../text/octet-text.js';

/** One `;name` or `;name=value`. Names are in lower case; a value keeps its quotes. */
export interface Param {
  name: string;
  value: string | undefined;
}

const QUOTE = 34;
const COMMA = 44;
const SEMICOLON = 59;
const LESS = 60;
const EQUALS = 61;
const GREATER = 62;

const TOKEN = new Uint8Array(256);
for (const c of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~") TOKEN[c.charCodeAt(0)] = 1;

/** Is the character a `token` character (RFC 3261 25.1)? */
export const isTokenCode = (code: number): boolean => TOKEN[code] === 1;

export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (TOKEN[text.charCodeAt(i)] !== 1) return false;
  return text.length > 0;
}

/** Decimal digits only, at most `max`; undefined for anything else. */
export function readInteger(text: string, max: number): number | undefined {
  if (text.length === 0) return undefined;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
    if (value > max) return undefined;
  }
  return value;
}

/** The values of a comma-separated header field; commas inside quotes and angle brackets do not separate. */
export function splitList(text: string): string[] {
  if (text.indexOf(',') < 0) return [text.trim()];
  const values: string[] = [];
  let start = 0;
  let inAngle = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE && !inAngle) {
      const end = endOfQuoted(text, i);
      if (end < 0) break;
      i = end - 1;
    } else if (code === LESS) inAngle = true;
    else if (code === GREATER) inAngle = false;
    else if (code === COMMA && !inAngle) {
      values.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  values.push(text.slice(start).trim());
  return values;
}

/** `;a=b;c` from `at` to the end of the text, blanks allowed around each piece; undefined where it is malformed. */
export function readParams(text: string, at: number): readonly Param[] | undefined {
  let i = skipBlanks(text, at);
  if (i === text.length) return NO_PARAMS;
  const params: Param[] = [];
  while (i < text.length) {
    if (text.charCodeAt(i) !== SEMICOLON) return undefined;
    const nameStart = skipBlanks(text, i + 1);
    i = nameStart;
    while (i < text.length && TOKEN[text.charCodeAt(i)] === 1) i++;
    if (i === nameStart) return undefined;
    const name = text.slice(nameStart, i).toLowerCase();
    i = skipBlanks(text, i);
    if (text.charCodeAt(i) !== EQUALS) {
      params.push({ name, value: undefined });
      continue;
    }
    const valueStart = skipBlanks(text, i + 1);
    i = endOfParamValue(text, valueStart);
    if (i < 0) return undefined;
    params.push({ name, value: text.slice(valueStart, i) });
    i = skipBlanks(text, i);
  }
  return params;
}

export const NO_PARAMS: readonly Param[] = [];

function endOfParamValue(text: string, at: number): number {
  if (text.charCodeAt(at) === QUOTE) return endOfQuoted(text, at);
  let i = at;
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === SEMICOLON || isBlankCode(code)) break;
    if (code === QUOTE || code === COMMA) return -1;
  }
  return i;
}

/** The value of a parameter: `''` for one without a value, undefined where there is none of that name. */
export function param(params: readonly Param[], name: string): string | undefined {
  for (const p of params) if (p.name === name) return p.value ?? '';
  return undefined;
}

export function writeParams(params: readonly Param[]): string {
  let text = '';
  for (const { name, value } of params) text += value === undefined ? `;${name}` : `;${name}=${value}`;
  return text;
}
