/** The doorphone of the current generation: a call button, a door relay, inputs at both of its pieces, tamper notice. */
import type { BoardProfile } from '../hal/board.js';
import { current } from './current.js';

export const board8028g2: BoardProfile = {
  ...current,
  id: '8028-g2',
  model: '8028 G2',
  product: 'Algo 8028G2 IP Doorphone',
  kind: 'doorphone',
  provisioningModel: '8028g2',
  lines: [
    { name: 'call', kind: 'button' },
    { name: 'door', kind: 'relay' },
    { name: 'door-sensor', kind: 'input' },
    { name: 'tamper', kind: 'input' },
    { name: 'led', kind: 'led' },
  ],
};
