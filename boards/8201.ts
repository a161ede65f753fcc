/** The PoE intercom: a call button and a door relay in one piece. */
import type { BoardProfile } from '../hal/board.js';
import { current } from './current.js';

export const board8201: BoardProfile = {
  ...current,
  id: '8201',
  model: '8201',
  product: 'Algo 8201 IP PoE Intercom',
  kind: 'intercom',
  provisioningModel: '8201',
  lines: [
    { name: 'call', kind: 'button' },
    { name: 'door', kind: 'relay' },
    { name: 'door-sensor', kind: 'input' },
    { name: 'led', kind: 'led' },
  ],
};
