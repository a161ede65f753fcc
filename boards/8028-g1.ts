/** The first doorphone: a call button, a door relay, two-way speech, no TLS. */
import type { BoardProfile } from '../hal/board.js';
import { firstGeneration } from './first-generation.js';

export const board8028g1: BoardProfile = {
  ...firstGeneration,
  id: '8028-g1',
  model: '8028 G1',
  product: 'Algo 8028 IP Doorphone',
  kind: 'doorphone',
  provisioningModel: '8028',
  lines: [
    { name: 'call', kind: 'button' },
    { name: 'door', kind: 'relay' },
    { name: 'door-sensor', kind: 'input' },
    { name: 'led', kind: 'led' },
  ],
};
