/** The first wall speaker: one ring and one page account, no TLS. */
import type { BoardProfile } from '../hal/board.js';
import { firstGeneration } from './first-generation.js';

export const board8180g1: BoardProfile = {
  ...firstGeneration,
  id: '8180-g1',
  model: '8180 G1',
  product: 'Algo 8180 IP Audio Alerter',
  kind: 'speaker',
  // The first generation's file has no suffix: algop8180.conf.
  provisioningModel: '8180',
  defaults: { 'admin.devname': 'sipalerter-$MAC$' },
  lines: [
    { name: 'relay-in', kind: 'input' },
    { name: 'amplifier', kind: 'amplifier' },
    { name: 'led', kind: 'led' },
  ],
};
