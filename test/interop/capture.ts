/** What a dissector that nobody here wrote says of captured frames. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { type CapturedFrame, encodeCapture } from '../../hal/layers/index.js';

/** What no frame may be: a filter for `dissect`. */
export const WRONG =
  '_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0 || icmp.checksum.status == 0';

/** With the lines of an NSS key log the TLS connections are open to tshark. */
export function saveCapture(file: string, frames: readonly CapturedFrame[], secrets: readonly string[] = []): void {
  writeFileSync(file, encodeCapture({ interfaces: ['cable'], frames, secrets }));
}

/** Segments that fill a gap come after those behind it. */
const PREFERENCES = ['ip.check_checksum', 'tcp.check_checksum', 'udp.check_checksum', 'tcp.reassemble_out_of_order'];

/** tshark's line for each frame that its filter lets through; checksums are validated. */
export function dissect(file: string, filter: string): string[] {
  const check = PREFERENCES.flatMap((name) => ['-o', `${name}:TRUE`]);
  const text = execFileSync('tshark', ['-r', file, ...check, '-Y', filter], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 64 * 1024 * 1024,
  });
  return text.split('\n').filter(Boolean);
}
