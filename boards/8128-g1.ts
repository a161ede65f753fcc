/** The first strobe: light only, no TLS. */
import type { BoardProfile } from '../hal/board.js';
import { firstGeneration } from './first-generation.js';

export const board8128g1: BoardProfile = {
  ...firstGeneration,
  id: '8128-g1',
  model: '8128 G1',
  product: 'Algo 8128 IP Visual Alerter',
  kind: 'strobe',
  provisioningModel: '8128',
  audio: { speaker: false, microphone: false, g722: false },
  lines: [
    { name: 'strobe', kind: 'strobe' },
    { name: 'relay-in', kind: 'input' },
    { name: 'led', kind: 'led' },
  ],
};
