/** The wall speaker of the current generation: a speaker, a microphone for talkback, a relay input. */
import type { BoardProfile } from '../hal/board.js';
import { current } from './current.js';

export const board8180g2: BoardProfile = {
  ...current,
  id: '8180-g2',
  model: '8180 G2',
  product: 'Algo 8180G2 IP Audio Alerter',
  kind: 'speaker',
  provisioningModel: '8180g2',
  defaults: { 'admin.devname': 'sipalerter-$MAC$' },
  lines: [
    { name: 'relay-in', kind: 'input' },
    { name: 'relay', kind: 'relay' },
    { name: 'amplifier', kind: 'amplifier' },
    { name: 'led', kind: 'led' },
  ],
};
