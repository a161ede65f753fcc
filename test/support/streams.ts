import { concat } from '../../hal/base/bytes.js';
import type { ByteStream, HalError } from '../../hal/hal.js';

/** Collects what a stream brings, and how it ended. */
export function collect(stream: ByteStream, onOpen: () => void = () => {}) {
  const got = { bytes: new Uint8Array(0) as Uint8Array, events: [] as string[], error: undefined as HalError | undefined };
  stream.onEvent((event) => {
    got.events.push(event.type);
    if (event.type === 'open') onOpen();
    if (event.type === 'data') got.bytes = concat(got.bytes, event.bytes);
    if (event.type === 'end') stream.end();
    if (event.type === 'closed') got.error = event.error;
  });
  return got;
}

/** Writes all of it, however little the stream takes at once. */
export function writeAll(stream: ByteStream, bytes: Uint8Array): void {
  let left = bytes;
  const more = (): void => {
    left = left.subarray(stream.write(left));
    if (left.length === 0) stream.end();
  };
  stream.onEvent((event) => (event.type === 'open' || event.type === 'writable') && more());
}
