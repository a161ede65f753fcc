/** The ceiling speaker: plenum rated, with a microphone for talkback. */
import type { BoardProfile } from '../hal/board.js';
import { current } from './current.js';

export const board8188: BoardProfile = {
  ...current,
  id: '8188',
  model: '8188',
  product: 'Algo 8188 SIP Ceiling Speaker',
  kind: 'speaker',
  provisioningModel: '8188',
  // As the FusionPBX template has them, which was made from a unit's export.
  defaults: { 'admin.devname': 'sipsurface-$MAC$', 'prov.i': '1', 'prov.ztp.use': '1' },
  lines: [
    { name: 'relay-in', kind: 'input' },
    { name: 'amplifier', kind: 'amplifier' },
    { name: 'led', kind: 'led' },
  ],
};
