/** `name-addr` and `addr-spec` with header parameters: From, To, Contact, Route, Record-Route, Path (RFC 3261 20, 25.1). */

import { endOfQuoted, isBlankCode, quote, unquote } from '../text/octet-text.js';
import { isTokenCode, NO_PARAMS, type Param, param, readParams, writeParams } from './text.js';
import { readUri, type Uri, writeUri } from './uri.codec.js';

export interface Address {
  /** Display name without its quotes, as octet text; empty where there is none. */
  display: string;
  uri: Uri;
  /** Header parameters: `tag`, `expires`, `q`. */
  params: readonly Param[];
}

/** One address, or undefined where it is malformed. */
export function readAddress(text: string): Address | undefined {
  const trimmed = text.trim();
  if (trimmed.charCodeAt(0) === 34) {
    const end = endOfQuoted(trimmed, 0);
    if (end < 0) return undefined;
    const open = skipTo(trimmed, end);
    return open < 0 ? undefined : readBracketed(unquote(trimmed.slice(0, end)), trimmed, open);
  }
  const open = trimmed.indexOf('<');
  if (open < 0) return readBare(trimmed);
  const display = trimmed.slice(0, open).trim();
  return isDisplayTokens(display) ? readBracketed(display, trimmed, open) : undefined;
}

/** Index of the `<` that follows the blanks at `at`; -1 where something else does. */
function skipTo(text: string, at: number): number {
  let i = at;
  while (i < text.length && isBlankCode(text.charCodeAt(i))) i++;
  return text.charCodeAt(i) === 60 ? i : -1;
}

/** An unquoted display name is tokens and blanks; octets above 127 are taken too, since UTF-8 without quotes is common. */
function isDisplayTokens(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (!isTokenCode(code) && !isBlankCode(code) && code < 0x80) return false;
  }
  return true;
}

function readBracketed(display: string, text: string, open: number): Address | undefined {
  const close = text.indexOf('>', open);
  if (close < 0) return undefined;
  const uri = readUri(text.slice(open + 1, close));
  const params = close + 1 === text.length ? NO_PARAMS : readParams(text, close + 1);
  return uri && params ? { display, uri, params } : undefined;
}

/** Without brackets, what follows `;` belongs to the header field, and a `?` or a comma has no place (RFC 3261 20.10). */
function readBare(text: string): Address | undefined {
  const semicolon = text.indexOf(';');
  const addrSpec = semicolon < 0 ? text : text.slice(0, semicolon).trimEnd();
  if (addrSpec.indexOf('?') >= 0 || addrSpec.indexOf(',') >= 0) return undefined;
  const uri = readUri(addrSpec);
  const params = semicolon < 0 ? NO_PARAMS : readParams(text, semicolon);
  return uri && params ? { display: '', uri, params } : undefined;
}

export function writeAddress(address: Address): string {
  const display = address.display === '' ? '' : `${quote(address.display)} `;
  return `${display}<${writeUri(address.uri)}>${writeParams(address.params)}`;
}

/** The dialog tag of a From or To; undefined where there is none. */
export const tagOf = (address: Address): string | undefined => param(address.params, 'tag');

/** The same address with that tag. */
export const withTag = (address: Address, tag: string): Address => ({
  ...address,
  params: [...address.params.filter((p) => p.name !== 'tag'), { name: 'tag', value: tag }],
});
