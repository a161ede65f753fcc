/** Distinguished names: RFC 5280 part 4.1.2.4, as text by RFC 4514, compared by RFC 5280 part 7.1. */
import { fromUtf8, hex, latin1, u16, u32 } from '../../hal/base/bytes.js';
import type { Der } from '../../hal/hal.js';
import { DerCursor, type DerValue, oidText, Tag } from './asn1.js';
import { Attribute, COMMON_NAME } from './oids.js';

export interface Name {
  readonly der: Der;
  /** RFC 4514, most specific first, at most `TEXT_MAX` characters. */
  readonly text: string;
  /** One comparable text an RDN, in the order of the certificate: what differs in case or spaces only is equal. */
  readonly key: readonly string[];
  readonly attributes: readonly NameAttribute[];
}
interface NameAttribute {
  /** Dotted object identifier. */
  readonly type: string;
  readonly value: string;
}

/** Names stand in events and logs; a hostile certificate may hold kilobytes. */
const TEXT_MAX = 256;

/** Reads a Name at a cursor. */
export function readName(at: DerCursor): Name {
  const whole = at.value(Tag.sequence);
  const rdns = DerCursor.within(whole).each(readRdn);
  const text = rdns
    .map((rdn) => rdn.map(attributeText).join('+'))
    .reverse()
    .join(',');
  return {
    der: whole.der,
    text: text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX - 1)}…` : text,
    key: rdns.map((rdn) => rdn.map(attributeKey).sort().join('+')),
    attributes: rdns.flat(),
  };
}

/** Equality of whole names. */
export const sameName = (a: Name, b: Name): boolean => a.key.length === b.key.length && a.key.every((rdn, i) => rdn === b.key[i]);

/** Whether `name` lies in the subtree that begins with `base` (RFC 5280 part 4.2.1.10). */
export const nameWithin = (name: Name, base: Name): boolean =>
  base.key.length <= name.key.length && base.key.every((rdn, i) => rdn === name.key[i]);

/** The most specific CN. */
export const commonName = (name: Name): string | undefined => name.attributes.filter(({ type }) => type === COMMON_NAME).at(-1)?.value;

interface ReadAttribute extends NameAttribute {
  /** A value that is no text stands as its octets. */
  readonly octets?: Uint8Array;
}

function readRdn(at: DerCursor): ReadAttribute[] {
  const set = at.enter(Tag.set);
  if (!set.more) return set.fail('a relative distinguished name has no attribute');
  return set.each((member) => {
    const attribute = member.enter();
    const type = oidText(attribute.value(Tag.oid));
    const value = attribute.value();
    attribute.end();
    const text = directoryString(value);
    return text === undefined ? { type, value: `#${hex(value.der)}`, octets: value.der } : { type, value: text };
  });
}

/** Text of the string types; undefined for any other type. */
function directoryString({ tag, content }: DerValue): string | undefined {
  switch (tag) {
    case Tag.utf8String:
      return fromUtf8(content);
    case Tag.printableString:
    case Tag.ia5String:
    case Tag.teletexString:
    case Tag.numericString:
      return latin1(content);
    case Tag.bmpString:
      return codes(content, 2, u16);
    case Tag.universalString:
      return codes(content, 4, u32);
    default:
      return undefined;
  }
}

function codes(content: Uint8Array, size: number, read: (octets: Uint8Array, at: number) => number): string {
  let text = '';
  for (let at = 0; at + size <= content.length; at += size) {
    const code = read(content, at);
    text += code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
  }
  return text;
}

function attributeText({ type, value, octets }: ReadAttribute): string {
  return `${Attribute[type] ?? type}=${octets ? value : escaped(value)}`;
}

/** RFC 4514 part 2.4; control characters too, so that a name cannot forge a line of a log. */
function escaped(value: string): string {
  return value
    .replace(/[\\",+<>;]/g, '\\$&')
    .replace(/[\p{Cc}\u2028\u2029]/gu, (c) => `\\${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
    .replace(/^[ #]/, '\\$&')
    .replace(/ $/, '\\ ');
}

const attributeKey = ({ type, value }: ReadAttribute): string =>
  `${type}=${value
    .trim()
    .replace(/\s+/g, ' ')
    .toLowerCase()
    .replace(/[+=\\]/g, '\\$&')}`;
