/**
 * Lexical pieces that the text protocols share (RFC 3261 part 25, RFC 9110 part 5.6). Text here is *octet text*: one character an octet,
 * as read off the wire, so that what is not understood survives unchanged. `octetText` makes it from ordinary text, `plainText` turns it
 * back for people.
 */
import { fromLatin1, fromUtf8, latin1, utf8 } from '../../hal/base/bytes.js';

const SPACE = 32;
const TAB = 9;
const CR = 13;
const LF = 10;
const QUOTE = 34;
const BACKSLASH = 92;

export const isBlankCode = (code: number): boolean => code === SPACE || code === TAB || code === CR || code === LF;

export function skipBlanks(text: string, at: number): number {
  let i = at;
  while (i < text.length && isBlankCode(text.charCodeAt(i))) i++;
  return i;
}

/** Index after the closing quote of the quoted string that starts at `at`; -1 where it is not closed. */
export function endOfQuoted(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === BACKSLASH) i++;
    else if (code === QUOTE) return i + 1;
  }
  return -1;
}

/** The text inside a quoted string; text without quotes is returned as it is. */
export function unquote(text: string): string {
  if (text.length < 2 || text.charCodeAt(0) !== QUOTE || text.charCodeAt(text.length - 1) !== QUOTE) return text;
  const inside = text.slice(1, -1);
  return inside.indexOf('\\') < 0 ? inside : inside.replace(/\\([\s\S])/g, '$1');
}

export const quote = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&')}"`;

/** Octet text of ordinary text, in UTF-8, as it goes on the wire. */
export const octetText = (text: string): string => latin1(utf8(text));

/** Ordinary text of octet text that holds UTF-8, for people. */
export const plainText = (text: string): string => fromUtf8(fromLatin1(text));
