/** PEM (RFC 7468): blocks in any order, with any text between them. */
import { base64, fromBase64, latin1 } from '../../hal/base/bytes.js';
import { err, ok } from '../../hal/base/result.js';
import type { Result } from '../../hal/hal.js';

export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY`, … */
  label: string;
  octets: Uint8Array;
  /** Of RFC 1421, by name: those of a key that is encrypted in the way that came before PKCS#8. */
  headers: Readonly<Record<string, string>>;
}
/** `line` counts from 1. */
export interface PemFault {
  detail: string;
  line: number;
}

/** A whole set of public authorities has some 150 certificates. */
const MAX_BLOCKS = 512;
const BEGIN = /^-----BEGIN ([A-Z0-9 ]+)-----\s*$/;
const END = /^-----END ([A-Z0-9 ]+)-----\s*$/;

/** All blocks, in their order; a file without any has none. A block that is cut off or is not base64 is a fault. */
export function readPem(file: Uint8Array): Result<PemBlock[], PemFault> {
  const blocks: PemBlock[] = [];
  let open: { label: string; line: number; body: string[]; headers: Record<string, string> } | undefined;
  const lines = latin1(file).split(/\r\n|\n|\r/);
  for (const [index, line] of lines.entries()) {
    const line1 = index + 1;
    const begin = BEGIN.exec(line);
    const end = END.exec(line);
    if (begin) {
      if (open) return err({ detail: `${open.label} does not end before another block begins`, line: line1 });
      if (blocks.length === MAX_BLOCKS) return err({ detail: `more than ${MAX_BLOCKS} blocks`, line: line1 });
      open = { label: begin[1]!, line: line1, body: [], headers: {} };
    } else if (end) {
      if (!open || end[1] !== open.label) return err({ detail: `END ${end[1]} without its BEGIN`, line: line1 });
      const octets = fromBase64(open.body.join(''));
      if (!octets) return err({ detail: `${open.label} is not base64`, line: open.line });
      blocks.push({ label: open.label, octets, headers: open.headers });
      open = undefined;
    } else if (open && line.includes(':')) open.headers[line.slice(0, line.indexOf(':'))] = line.slice(line.indexOf(':') + 1).trim();
    else if (open) open.body.push(line.trim());
  }
  return open ? err({ detail: `${open.label} is cut off`, line: open.line }) : ok(blocks);
}

/** Whether a file looks like PEM rather than DER. */
export const isPem = (file: Uint8Array): boolean => latin1(file).includes('-----BEGIN ');

/** One block, lines of 64 characters, ending in a newline. */
export function writePem(label: string, octets: Uint8Array): string {
  const body = base64(octets).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...body, `-----END ${label}-----`, ''].join('\n');
}
