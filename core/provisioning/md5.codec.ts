/** The companion `<file>.md5`: the digest first, as `md5sum` writes it, with the name or without. */
import { latin1 } from '../../hal/base/bytes.js';

export const md5Name = (file: string): string => `${file}.md5`;

/** 32 lower-case hex digits; undefined where the file does not begin with them. `md5sum` puts a backslash before a name that it had to escape. */
export function readMd5(bytes: Uint8Array): string | undefined {
  const digits = /^\s*\\?([0-9A-Fa-f]{32})(?:\s|$)/.exec(latin1(bytes, 0, Math.min(bytes.length, LONGEST)))?.[1];
  return digits?.toLowerCase();
}

/** Ours: the digest stands at the beginning. */
const LONGEST = 256;
