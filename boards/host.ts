/** This machine as a board: `belfry run` on a PC or a server, with a flash image in a file. */
import type { BoardProfile } from '../hal/board.js';
import { current } from './current.js';
import { KIB, MIB, partitions } from './layout.js';

export const boardHost: BoardProfile = {
  ...current,
  id: 'host',
  model: 'Host',
  product: 'Belfry on this machine',
  kind: 'paging-adapter',
  provisioningModel: 'host',
  defaults: { 'admin.devname': 'belfry-$MAC$' },
  lines: [],
  flash: partitions(4 * MIB, { factory: 512 * KIB, config: 256 * KIB, certs: 512 * KIB }),
};
