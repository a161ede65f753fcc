/** A paging adapter with a scheduler, as the 8301. */
import type { BoardProfile } from '../hal/board.js';
import { current } from './current.js';

export const board8305: BoardProfile = {
  ...current,
  id: '8305',
  model: '8305',
  product: 'Algo 8305 IP Paging Adapter & Scheduler',
  kind: 'paging-adapter',
  provisioningModel: '8305',
  // Inferred from the 8301.
  defaults: { 'admin.devname': 'pagingadapter-$MAC$' },
  lines: [
    { name: 'relay-in', kind: 'input' },
    { name: 'relay', kind: 'relay' },
    { name: 'led', kind: 'led' },
  ],
};
