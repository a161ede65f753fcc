/**
 * Domain names on the wire (RFC 1035 part 3.1, compression part 4.1.4). As text: labels joined by dots, no dot at the end, the root
 * as `.`; a dot, a backslash or an octet outside printable ASCII inside a label is escaped as in master files (part 5.1).
 */
import { u16 } from '../base/bytes.js';

/** Octets of a name on the wire, length octets included (RFC 1035 part 2.3.4). */
const NAME_LIMIT = 255;
const LABEL_LIMIT = 63;
/** A name has at most 127 labels, so that more pointers than that cannot be honest. */
const POINTER_LIMIT = 127;
const POINTER = 0xc0;

/** The name at `at`, and where reading goes on. Undefined for a name that is cut off, too long, or points in a circle. */
export function readName(message: Uint8Array, at: number): { name: string; end: number } | undefined {
  const labels: string[] = [];
  let end: number | undefined;
  let octets = 1;
  let pointers = 0;
  for (let i = at; ; ) {
    const length = message[i];
    if (length === undefined) return undefined;
    if (length === 0) return { name: labels.length === 0 ? '.' : labels.join('.'), end: end ?? i + 1 };
    if (length >= POINTER) {
      if (i + 1 >= message.length || ++pointers > POINTER_LIMIT) return undefined;
      end ??= i + 2;
      i = u16(message, i) & 0x3fff;
      continue;
    }
    octets += 1 + length;
    if (length > LABEL_LIMIT || octets > NAME_LIMIT || i + 1 + length > message.length) return undefined;
    labels.push(labelText(message.subarray(i + 1, i + 1 + length)));
    i += 1 + length;
  }
}

function labelText(label: Uint8Array): string {
  let text = '';
  for (const octet of label) {
    if (octet === 0x2e || octet === 0x5c) text += `\\${String.fromCharCode(octet)}`;
    else if (octet > 0x20 && octet < 0x7f) text += String.fromCharCode(octet);
    else text += `\\${String(octet).padStart(3, '0')}`;
  }
  return text;
}

const LABEL = /(?:\\\d{3}|\\.|[^.\\])+/y;

/** The octets of a name, uncompressed; a dot at the end is allowed. Undefined for text that is no domain name. */
export function encodeName(name: string): Uint8Array | undefined {
  if (name === '.') return Uint8Array.of(0);
  const out: number[] = [];
  const text = name.endsWith('.') && !name.endsWith('\\.') ? name.slice(0, -1) : name;
  for (let at = 0; at <= text.length; at++) {
    LABEL.lastIndex = at;
    const label = LABEL.exec(text)?.[0];
    const octets = label && labelOctets(label);
    if (!octets) return undefined;
    out.push(octets.length, ...octets);
    at += label.length;
    if (at < text.length && text[at] !== '.') return undefined;
  }
  return out.length + 1 > NAME_LIMIT ? undefined : Uint8Array.of(...out, 0);
}

function labelOctets(label: string): number[] | undefined {
  const octets = Array.from(label.matchAll(/\\(\d{3})|\\(.)|(.)/gs), ([, decimal, escaped, plain]) =>
    decimal === undefined ? (escaped ?? plain!).charCodeAt(0) : Number(decimal),
  );
  return octets.length > LABEL_LIMIT || octets.some((octet) => octet > 255) ? undefined : octets;
}

/** Names are equal without regard to ASCII case (RFC 1035 part 2.3.3). */
export const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
