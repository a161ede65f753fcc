/** The relay controller: it has no sound and, as the vendor lists it, no TLS. */
import type { BoardProfile } from '../hal/board.js';
import { firstGeneration } from './first-generation.js';

export const board8061: BoardProfile = {
  ...firstGeneration,
  id: '8061',
  model: '8061',
  product: 'Algo 8061 IP Relay Controller',
  kind: 'relay-controller',
  provisioningModel: '8061',
  audio: { speaker: false, microphone: false, g722: false },
  lines: [
    { name: 'relay', kind: 'relay' },
    { name: 'relay-in', kind: 'input' },
    { name: 'led', kind: 'led' },
  ],
};
