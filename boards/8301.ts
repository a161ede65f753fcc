/** The paging adapter and scheduler: line in and out for an amplifier of its own. */
import type { BoardProfile } from '../hal/board.js';
import { current } from './current.js';

export const board8301: BoardProfile = {
  ...current,
  id: '8301',
  model: '8301',
  product: 'Algo 8301 IP Paging Adapter & Scheduler',
  kind: 'paging-adapter',
  provisioningModel: '8301',
  defaults: { 'admin.devname': 'pagingadapter-$MAC$' },
  lines: [
    { name: 'relay-in', kind: 'input' },
    { name: 'relay', kind: 'relay' },
    { name: 'led', kind: 'led' },
  ],
};
