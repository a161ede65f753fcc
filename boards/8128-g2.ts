/** The strobe of the current generation: light only. */
import type { BoardProfile } from '../hal/board.js';
import { current } from './current.js';

export const board8128g2: BoardProfile = {
  ...current,
  id: '8128-g2',
  model: '8128 G2',
  product: 'Algo 8128G2 IP Visual Alerter',
  kind: 'strobe',
  provisioningModel: '8128g2',
  audio: { speaker: false, microphone: false, g722: false },
  lines: [
    { name: 'strobe', kind: 'strobe' },
    { name: 'relay-in', kind: 'input' },
    { name: 'led', kind: 'led' },
  ],
};
