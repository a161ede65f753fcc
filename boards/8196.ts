/** The large speaker with a selectable power budget; its template names a microphone and an LED. */
import type { BoardProfile } from '../hal/board.js';
import { current } from './current.js';

export const board8196: BoardProfile = {
  ...current,
  id: '8196',
  model: '8196',
  product: 'Algo 8196 IP Speaker',
  kind: 'speaker',
  provisioningModel: '8196',
  defaults: { 'admin.devname': 'sipalerter-$MAC$' },
  lines: [
    { name: 'relay-in', kind: 'input' },
    { name: 'amplifier', kind: 'amplifier' },
    { name: 'led', kind: 'led' },
  ],
};
