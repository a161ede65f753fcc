/** Challenges and credentials as HTTP and SIP write them (RFC 9110 part 11, RFC 3261 part 25): a scheme and its parameters. */
import { endOfQuoted, isBlankCode, skipBlanks, unquote } from '../text/octet-text.js';

export interface AuthScheme {
  /** Lower case: `basic`, `digest`. */
  scheme: string;
  /** Names in lower case, values without quotes. Empty for a scheme with a token68 in their place. */
  params: ReadonlyMap<string, string>;
}

/** tchar of RFC 9110 part 5.6.2, which has all that a SIP token has. */
const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]*/y;
/** token68 of RFC 9110 part 11.2, whole: behind it comes the next scheme or nothing. */
const TOKEN68 = /[A-Za-z0-9._~+/-]+=*[ \t]*(?=,|$)/y;

/**
 * All schemes of one field value, in order. A comma parts parameters as well as schemes: a token without `=` behind it begins a scheme.
 * Undefined where the text is malformed.
 */
export function readAuthSchemes(text: string): readonly AuthScheme[] | undefined {
  const schemes: AuthScheme[] = [];
  for (let at = skipCommas(text, 0); at < text.length; ) {
    const nameEnd = endOf(TOKEN, text, at);
    if (nameEnd === at) return undefined;
    const params = new Map<string, string>();
    schemes.push({ scheme: text.slice(at, nameEnd).toLowerCase(), params });
    at = readArguments(text, nameEnd, params);
    if (at < 0) return undefined;
  }
  return schemes;
}

/** Reads what belongs to the scheme that ends at `from`; where the next one begins, or -1. */
function readArguments(text: string, from: number, params: Map<string, string>): number {
  if (from < text.length && text[from] !== ',' && !isBlankCode(text.charCodeAt(from))) return -1;
  let at = skipBlanks(text, from);
  const alone = endOf(TOKEN68, text, at);
  if (alone > at) return skipCommas(text, alone);
  while (at < text.length) {
    const next = skipCommas(text, at);
    const nameEnd = endOf(TOKEN, text, next);
    const equals = skipBlanks(text, nameEnd);
    if (nameEnd === next || text[equals] !== '=') return next === text.length || (next > at && nameEnd > next) ? next : -1;
    const valueStart = skipBlanks(text, equals + 1);
    const valueEnd = endOfValue(text, valueStart);
    if (valueEnd < 0) return -1;
    params.set(text.slice(next, nameEnd).toLowerCase(), unquote(text.slice(valueStart, valueEnd)));
    at = skipBlanks(text, valueEnd);
    if (at < text.length && text[at] !== ',') return -1;
  }
  return at;
}

/** Servers leave out quotes where they should not: a bare value goes as far as the next comma or blank. */
function endOfValue(text: string, at: number): number {
  if (text[at] === '"') return endOfQuoted(text, at);
  let i = at;
  while (i < text.length && text[i] !== ',' && !isBlankCode(text.charCodeAt(i))) i++;
  return i;
}

function skipCommas(text: string, at: number): number {
  let i = skipBlanks(text, at);
  while (text[i] === ',') i = skipBlanks(text, i + 1);
  return i;
}

/** The end of what a sticky pattern matches at `at`; `at` where it matches nothing. */
function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return at + (pattern.exec(text)?.[0].length ?? 0);
}
