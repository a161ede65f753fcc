/** IP addresses as certificates hold them: 4 or 16 octets. */
import type { IpAddress } from '../../hal/hal.js';

/** Octets of a dotted quad or of RFC 4291 text, with or without brackets; undefined for anything else. */
export function addressOctets(text: string): Uint8Array | undefined {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  return bare.includes(':') ? ipv6(bare) : ipv4(bare);
}

function ipv4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) return undefined;
  return Uint8Array.from(parts, Number);
}

function ipv6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map(groups);
  if (!head || (halves.length === 2 && !tail)) return undefined;
  const missing = 16 - head.length - (tail?.length ?? 0);
  if (tail ? missing < 2 : missing !== 0) return undefined;
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...(tail ?? [])]);
}

/** Octets of colon-separated groups, the last of which may be a dotted quad. */
function groups(text: string): number[] | undefined {
  if (text === '') return [];
  const octets: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    const quad = i === parts.length - 1 && part.includes('.') ? ipv4(part) : undefined;
    if (quad) octets.push(...quad);
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) octets.push(Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 255);
    else return undefined;
  }
  return octets.length <= 16 ? octets : undefined;
}

/** Dotted quad, or RFC 5952 text; undefined where there are neither 4 nor 16 octets. */
export function addressText(octets: Uint8Array): IpAddress | undefined {
  if (octets.length === 4) return octets.join('.');
  if (octets.length !== 16) return undefined;
  const words = Array.from({ length: 8 }, (_, i) => ((octets[2 * i]! << 8) | octets[2 * i + 1]!).toString(16));
  const zeros = longestZeros(words);
  if (!zeros) return words.join(':');
  return `${words.slice(0, zeros.start).join(':')}::${words.slice(zeros.start + zeros.length).join(':')}`;
}

/** The first longest run of at least two zero groups (RFC 5952 part 4.2). */
function longestZeros(words: readonly string[]): { start: number; length: number } | undefined {
  let best: { start: number; length: number } | undefined;
  for (let start = 0; start < words.length; start++) {
    let length = 0;
    while (words[start + length] === '0') length++;
    if (length > Math.max(1, best?.length ?? 0)) best = { start, length };
  }
  return best;
}
