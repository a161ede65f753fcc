/**
 * ASN.1: a strict DER reader whose values are slices of the input, a DER writer, and BER through node-forge.
 *
 * Signatures cover octets, so the reader gives back the very octets it was given; forge's tree does not keep them, and it takes BER for
 * DER, which would let two readers see two certificates in one. What forge is good at is BER: files that people upload.
 */
import forge, { type ForgeValue } from 'node-forge/lib/asn1.js';
import { concat, fromLatin1, latin1 } from '../../hal/base/bytes.js';
import { err, ok } from '../../hal/base/result.js';
import { calendar } from '../../hal/base/time.js';
import type { Result, UnixMillis } from '../../hal/hal.js';

/** Identifier octets (X.690 part 8.1.2) of the types that certificates and keys use. */
export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Context-specific tag `[n]`. */
export const context = (n: number, constructed = true): number => 0x80 | (constructed ? 0x20 : 0) | n;

/** Why input is not the DER that its reader expects; `offset` counts octets from the start of what was read. */
export interface DerFault {
  detail: string;
  offset: number;
}

/** One value: all its octets, and those of its content. */
export interface DerValue {
  readonly tag: number;
  readonly der: Uint8Array;
  readonly content: Uint8Array;
  /** Of `content`, from the start of what was read. */
  readonly offset: number;
}

/** Leaves a reader from any depth; `readDer` is where it ends, so that readers stay flat and nothing leaves them by throwing. */
class Malformed extends Error {
  constructor(
    readonly detail: string,
    readonly offset: number,
  ) {
    super(detail);
  }
}

/** Reads one DER value that is all of `octets`. Total: whatever `read` meets that does not fit is a fault. */
export function readDer<T>(octets: Uint8Array, read: (top: DerCursor) => T): Result<T, DerFault> {
  try {
    const top = new DerCursor(octets, 0);
    const value = read(top);
    top.end();
    return ok(value);
  } catch (fault) {
    if (fault instanceof Malformed) return err({ detail: fault.detail, offset: fault.offset });
    throw fault;
  }
}

/** Walks the values of one content. Its methods may be called within `readDer` only. */
export class DerCursor {
  #at = 0;

  constructor(
    readonly octets: Uint8Array,
    /** Of these octets within what was read. */
    readonly base: number,
  ) {}

  get more(): boolean {
    return this.#at < this.octets.length;
  }

  /** The identifier octet of the next value. */
  get tag(): number | undefined {
    return this.octets[this.#at];
  }

  /** The next value; with `tag`, it has to have that identifier. */
  value(tag?: number): DerValue {
    const start = this.#at;
    const actual = this.octets[start];
    if (actual === undefined) return this.fail('a value is missing');
    if (tag !== undefined && actual !== tag) return this.fail(`expected tag 0x${tag.toString(16)}, found 0x${actual.toString(16)}`);
    if ((actual & 0x1f) === 0x1f) return this.fail('tag numbers above 30 are not used here');
    const { length, from } = this.#length(start + 1);
    if (from + length > this.octets.length) return this.fail('the value is longer than what holds it');
    this.#at = from + length;
    return {
      tag: actual,
      der: this.octets.subarray(start, this.#at),
      content: this.octets.subarray(from, this.#at),
      offset: this.base + from,
    };
  }

  /** The next value if its identifier is `tag`. */
  optional(tag: number): DerValue | undefined {
    return this.tag === tag ? this.value(tag) : undefined;
  }

  /** A cursor over the content of the next value. */
  enter(tag: number = Tag.sequence): DerCursor {
    return DerCursor.within(this.value(tag));
  }

  /** All that is left, each by `read`. */
  each<T>(read: (cursor: DerCursor) => T): T[] {
    const all: T[] = [];
    while (this.more) all.push(read(this));
    return all;
  }

  /** Nothing may be left. */
  end(): void {
    if (this.more) this.fail('octets are left over');
  }

  fail(detail: string): never {
    throw new Malformed(detail, this.base + this.#at);
  }

  static within(value: DerValue): DerCursor {
    return new DerCursor(value.content, value.offset);
  }

  /** Definite and shortest form only (X.690 part 10.1). */
  #length(at: number): { length: number; from: number } {
    const first = this.octets[at];
    if (first === undefined) return this.fail('the length is missing');
    if (first < 0x80) return { length: first, from: at + 1 };
    const count = first & 0x7f;
    if (count === 0 || count > 4) return this.fail(count === 0 ? 'indefinite length' : 'a length of more than four octets');
    let length = 0;
    for (let i = 1; i <= count; i++) length = length * 256 + (this.octets[at + i] ?? 0);
    const shortest = length >= 0x80 && length >= 256 ** (count - 1);
    return shortest ? { length, from: at + 1 + count } : this.fail('the length is not in its shortest form');
  }
}

const OID_MAX_OCTETS = 64;

/** Dotted text of an OBJECT IDENTIFIER's content. */
export function oidText(value: DerValue): string {
  const cursor = DerCursor.within(value);
  const { content } = value;
  if (content.length === 0 || content.length > OID_MAX_OCTETS || content.at(-1)! >= 0x80) return cursor.fail('object identifier');
  const arcs: number[] = [];
  let arc = 0;
  for (const octet of content) {
    if (arc === 0 && octet === 0x80) return cursor.fail('object identifier with a padded arc');
    arc = arc * 128 + (octet & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER) return cursor.fail('object identifier with an arc of more than 53 bits');
    if (octet >= 0x80) continue;
    if (arcs.length === 0) arcs.push(Math.min(2, Math.floor(arc / 40)), arc - 40 * Math.min(2, Math.floor(arc / 40)));
    else arcs.push(arc);
    arc = 0;
  }
  return arcs.join('.');
}

/** A BOOLEAN, which DER writes in two ways only. */
export function boolean(value: DerValue): boolean {
  const octet = value.content[0];
  if (value.content.length !== 1 || (octet !== 0 && octet !== 0xff)) return DerCursor.within(value).fail('boolean');
  return octet === 0xff;
}

/** An INTEGER's content in two's complement, in its shortest form. */
export function integerOctets(value: DerValue): Uint8Array {
  const [first, second] = value.content;
  const padded = second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
  if (first === undefined || padded) return DerCursor.within(value).fail('integer');
  return value.content;
}

/** A small INTEGER that may not be negative. */
export function smallInteger(value: DerValue): number {
  const octets = integerOctets(value);
  if (octets.length > 4 || octets[0]! >= 0x80) return DerCursor.within(value).fail('an integer from 0 to 2147483647 was expected');
  return octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

/** A BIT STRING: octets, and how many bits of the last are not used. */
export function bits(value: DerValue): { octets: Uint8Array; unused: number } {
  const unused = value.content[0];
  const octets = value.content.subarray(1);
  const padding = unused === undefined || octets.length === 0 ? 0 : octets.at(-1)! & ((1 << unused) - 1);
  if (unused === undefined || unused > 7 || (octets.length === 0 && unused > 0) || padding !== 0) {
    return DerCursor.within(value).fail('bit string');
  }
  return { octets, unused };
}

/** Deep enough for any PKCS#7 or PKCS#12 file, shallow enough for any stack. */
const BER_MAX_DEPTH = 32;

/**
 * The same value in DER: uploads come from tools that write indefinite lengths. Undefined where it is not BER. What is DER already is given
 * back as it is: it may be signed.
 */
export function derFromBer(octets: Uint8Array): Uint8Array | undefined {
  if (readDer(octets, (top) => walk(top.value(), BER_MAX_DEPTH)).ok) return octets;
  try {
    const value = forge.fromDer(latin1(octets), { strict: true, parseAllBytes: true, decodeBitStrings: false, maxDepth: BER_MAX_DEPTH });
    return isKept(value) ? fromLatin1(forge.toDer(value).getBytes()) : undefined;
  } catch {
    return undefined;
  }
}

/** Fails where a value in it is not framed as DER has it. */
function walk(value: DerValue, depth: number): void {
  if ((value.tag & 0x20) === 0) return;
  const inside = DerCursor.within(value);
  if (depth === 0) inside.fail('values are nested too deep');
  while (inside.more) walk(inside.value(), depth - 1);
}

/** Forge shortens what it takes for an INTEGER with octets to spare, and takes any primitive value numbered 2 for one, `[2]` too. */
function isKept({ type, value }: ForgeValue): boolean {
  if (typeof value !== 'string') return value.every(isKept);
  if (type !== Tag.integer || value.length < 2) return true;
  const [first, second] = [value.charCodeAt(0), value.charCodeAt(1)];
  return (first !== 0 && first !== 0xff) || (first ^ second) >= 0x80;
}

/** One value of these contents. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = concat(...contents);
  const { length } = content;
  if (length < 0x80) return concat(Uint8Array.of(tag, length), content);
  const size = length < 0x100 ? 1 : length < 0x10000 ? 2 : length < 0x1000000 ? 3 : 4;
  const header = new Uint8Array(2 + size);
  header[0] = tag;
  header[1] = 0x80 | size;
  for (let i = 0; i < size; i++) header[2 + i] = length >>> (8 * (size - 1 - i));
  return concat(header, content);
}

export const sequence = (...values: readonly Uint8Array[]): Uint8Array => der(Tag.sequence, ...values);

/** INTEGER of unsigned big-endian octets. */
export function unsigned(octets: Uint8Array): Uint8Array {
  let from = 0;
  while (from < octets.length - 1 && octets[from] === 0) from++;
  const shortest = octets.subarray(from);
  return der(Tag.integer, shortest[0]! >= 0x80 ? Uint8Array.of(0) : new Uint8Array(0), shortest);
}

export function oid(text: string): Uint8Array {
  const [first, second, ...rest] = text.split('.').map(Number);
  const octets: number[] = [];
  for (const arc of [first! * 40 + second!, ...rest]) {
    const groups = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) groups.unshift((left % 128) | 0x80);
    octets.push(...groups);
  }
  return der(Tag.oid, Uint8Array.from(octets));
}

/** BIT STRING with no unused bits. */
export const bitString = (octets: Uint8Array): Uint8Array => der(Tag.bitString, Uint8Array.of(0), octets);

/** BIT STRING of named bits: bit 0 first, trailing zeros left out (X.690 part 11.2.2). */
export function namedBits(numbers: readonly number[]): Uint8Array {
  const last = Math.max(...numbers);
  const octets = new Uint8Array((last >> 3) + 1);
  for (const n of numbers) octets[n >> 3]! |= 0x80 >> (n & 7);
  return der(Tag.bitString, Uint8Array.of(7 - (last & 7)), octets);
}

/** UTCTime until 2049, GeneralizedTime from 2050 (RFC 5280 part 4.1.2.5). */
export function time(at: UnixMillis): Uint8Array {
  const { year, month, day, hour, minute, second } = calendar(at);
  const rest = [month, day, hour, minute, second].map((n) => String(n).padStart(2, '0')).join('');
  const short = year >= 1950 && year < 2050;
  const digits = short ? String(year % 100).padStart(2, '0') : String(year).padStart(4, '0');
  return der(short ? Tag.utcTime : Tag.generalizedTime, fromLatin1(`${digits}${rest}Z`));
}
