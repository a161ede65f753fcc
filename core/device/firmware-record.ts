/** Which firmware the image ran last: a change is reported, once its own settings have been judged by it. */
import { fromUtf8, utf8 } from '../../hal/base/bytes.js';
import type { Emit } from '../kernel/events.js';
import type { FileStore } from '../storage/file-store.js';

const FIRMWARE_FILE = 'state/firmware';

/** Reported before it is kept: a power cut between them repeats the report at the next boot. */
export function noteFirmware(store: FileStore, firmware: string, emit: Emit): void {
  const bytes = store.read(FIRMWARE_FILE);
  const last = bytes && fromUtf8(bytes).trim();
  if (last === firmware) return;
  if (last !== undefined) emit('firmware.changed', { from: last, to: firmware });
  store.commit([{ path: FIRMWARE_FILE, bytes: utf8(`${firmware}\n`) }], () => undefined);
}
