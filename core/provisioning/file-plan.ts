/** Which files a device asks for, in which order; of a key in several the last file counts. */
import type { BoardProfile } from '../../hal/board.js';
import type { MacAddress } from '../../hal/hal.js';

/** One file, under the names to try: the next one after a 404. */
export interface PlannedFile {
  names: readonly string[];
}

/**
 * `algop<model>.conf` for all units of a model, then `algom<MAC>.conf` for this one. The vendor does not say in which case the MAC is
 * written, and servers in the field differ: upper first, as on the label.
 */
export function planFiles(board: BoardProfile, mac: MacAddress): readonly PlannedFile[] {
  const own = [`algom${mac.toUpperCase()}.conf`, `algom${mac.toLowerCase()}.conf`];
  return [{ names: [`algop${board.provisioningModel}.conf`] }, { names: [...new Set(own)] }];
}
