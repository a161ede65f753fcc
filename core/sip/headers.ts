/**
 * Header fields of a message in their order. Names are kept in lower case and in full (`v` is `via`); values are octet text
 * (text.ts), decoded from the message's octets when first asked for.
 */
import { EMPTY, latin1 } from '../../hal/base/bytes.js';
import { splitList } from './text.js';

/** Names as they are written; the compact forms of RFC 3261 7.3.3, RFC 3515, RFC 3841, RFC 4028, RFC 6665 and RFC 8224. */
const WIRE_NAMES = [
  ...['Accept', 'Accept-Encoding', 'Accept-Language', 'Alert-Info', 'Allow', 'Allow-Events', 'Answer-Mode', 'Authentication-Info'],
  ...['Authorization', 'Call-ID', 'Call-Info', 'Contact', 'Content-Disposition', 'Content-Encoding', 'Content-Language'],
  ...['Content-Length', 'Content-Type', 'CSeq', 'Date', 'Error-Info', 'Event', 'Expires', 'From', 'In-Reply-To', 'Identity'],
  ...['Max-Forwards', 'Min-Expires', 'Min-SE', 'MIME-Version', 'Organization', 'P-Asserted-Identity', 'Path', 'Priority', 'Privacy'],
  ...['Proxy-Authenticate', 'Proxy-Authorization', 'Proxy-Require', 'RAck', 'Reason', 'Record-Route', 'Refer-To', 'Referred-By'],
  ...['Replaces', 'Reply-To', 'Request-Disposition', 'Require', 'Retry-After', 'Route', 'RSeq', 'Server', 'Service-Route'],
  ...['Session-Expires', 'Subject', 'Subscription-State', 'Supported', 'Timestamp', 'To', 'Unsupported', 'User-Agent', 'Via'],
  ...['Warning', 'WWW-Authenticate'],
];
const COMPACT: Readonly<Record<string, string>> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  d: 'request-disposition',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  j: 'reject-contact',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
  y: 'identity',
};

const WIRE_NAME_OF = new Map(WIRE_NAMES.map((name) => [name.toLowerCase(), name]));

/** `call-id` as `Call-ID`; an unknown `x-name` as `X-Name`. */
export const wireName = (name: string): string =>
  WIRE_NAME_OF.get(name) ?? name.replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase());

const fold = (code: number): number => (code >= 65 && code <= 90 ? code + 32 : code);

/** Known names by a hash of their folded octets: a name that is known costs no string. */
const BY_HASH = new Map<number, string>();
// Property keys are the engine's own copies of a string: compared with a literal they cost a comparison of addresses.
const KNOWN_NAMES = Object.keys(Object.fromEntries(WIRE_NAME_OF));
for (const name of [...KNOWN_NAMES, ...Object.keys(COMPACT)]) {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) | 0;
  BY_HASH.set(hash, name);
}

/** The name in `bytes[start, end)` in lower case and in full. */
export function readName(bytes: Uint8Array, start: number, end: number): string {
  let hash = 0;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + fold(bytes[i]!)) | 0;
  const known = BY_HASH.get(hash);
  if (known !== undefined && isSpelled(bytes, start, end, known)) return COMPACT[known] ?? known;
  return latin1(bytes, start, end).toLowerCase();
}

function isSpelled(bytes: Uint8Array, start: number, end: number, name: string): boolean {
  if (end - start !== name.length) return false;
  for (let i = 0; i < name.length; i++) if (fold(bytes[start + i]!) !== name.charCodeAt(i)) return false;
  return true;
}

export class Headers {
  readonly #bytes: Uint8Array;
  readonly #names: string[] = [];
  readonly #values: (string | undefined)[] = [];
  /** Where a value not yet decoded lies in the octets: start and end, two numbers a field. */
  readonly #spans: number[] = [];

  /** `bytes` are what `addSpan` refers to; they must not change afterwards. */
  constructor(bytes: Uint8Array = EMPTY) {
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#names.length;
  }

  /** Adds a field whose value lies at `[start, end)` of the octets; `name` in lower case and in full. */
  addSpan(name: string, start: number, end: number): void {
    this.#names.push(name);
    this.#values.push(undefined);
    this.#spans.push(start, end);
  }

  /** Adds a field at the end. Line ends in a value would start another field: they become blanks. */
  add(name: string, value: string): this {
    this.#names.push(name);
    this.#values.push(value.replace(/[\r\n]+/g, ' '));
    this.#spans.push(0, 0);
    return this;
  }

  has(name: string): boolean {
    return this.#names.indexOf(name) >= 0;
  }

  count(name: string): number {
    let n = 0;
    for (const own of this.#names) if (own === name) n++;
    return n;
  }

  /** The first field of that name, its folds resolved. */
  get(name: string): string | undefined {
    const at = this.#names.indexOf(name);
    return at < 0 ? undefined : this.#value(at);
  }

  /** Every field of that name, one entry a field. */
  all(name: string): readonly string[] {
    const values: string[] = [];
    for (let i = 0; i < this.#names.length; i++) if (this.#names[i] === name) values.push(this.#value(i));
    return values;
  }

  /** Every value of that name, for fields whose values are separated by commas. Empty values are left out. */
  list(name: string): readonly string[] {
    const values: string[] = [];
    for (const field of this.all(name)) for (const value of splitList(field)) if (value !== '') values.push(value);
    return values;
  }

  /** Puts another value in the place of the first field of that name. */
  replaceFirst(name: string, value: string): void {
    const at = this.#names.indexOf(name);
    if (at < 0) this.add(name, value);
    else this.#values[at] = value;
  }

  /** Name and value of each field, in order. */
  *[Symbol.iterator](): Generator<readonly [name: string, value: string]> {
    for (let i = 0; i < this.#names.length; i++) yield [this.#names[i]!, this.#value(i)];
  }

  #value(at: number): string {
    const known = this.#values[at];
    if (known !== undefined) return known;
    const raw = latin1(this.#bytes, this.#spans[2 * at]!, this.#spans[2 * at + 1]!);
    const value = raw.indexOf('\n') < 0 ? raw : raw.replace(/[ \t]*\r?\n[ \t]+/g, ' ').trim();
    this.#values[at] = value;
    return value;
  }
}
