/** The door controller: two inputs, an output relay, 24 V for a lock; no sound of its own. */
import type { BoardProfile } from '../hal/board.js';
import { current } from './current.js';

export const board8063: BoardProfile = {
  ...current,
  id: '8063',
  model: '8063',
  product: 'Algo 8063 IP Door Controller',
  kind: 'door-controller',
  provisioningModel: '8063',
  audio: { speaker: false, microphone: false, g722: false },
  lines: [
    { name: 'relay-in-1', kind: 'input' },
    { name: 'relay-in-2', kind: 'input' },
    { name: 'door', kind: 'relay' },
    { name: 'aux-24v', kind: 'relay' },
    { name: 'led', kind: 'led' },
  ],
};
