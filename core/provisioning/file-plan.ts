/** Which files a device asks for, in which order; of a key in several the last file counts. */
import type { BoardProfile } from '../../hal/board.js';
import type { MacAddress } from '../../hal/hal.js';

/** One file, under the names to try: the next one after a 404. */
export interface PlannedFile {
  names: readonly string[];
}

/**
 * `algop<model>.conf` for all units of a model, then `algom<MAC>.conf` for this one, each with its partial file `…-i.conf` behind it where
 * those are asked for (prov.i). The vendor says neither the order nor in which case the MAC is written, and servers in the field differ:
 * upper first, as on the label.
 */
export function planFiles(board: BoardProfile, mac: MacAddress, incremental: boolean): readonly PlannedFile[] {
  const units = [...new Set([mac.toUpperCase(), mac.toLowerCase()])].map((digits) => `algom${digits}`);
  return [[`algop${board.provisioningModel}`], units].flatMap((stems) =>
    (incremental ? ['', '-i'] : ['']).map((part) => ({ names: stems.map((stem) => `${stem}${part}.conf`) })),
  );
}
