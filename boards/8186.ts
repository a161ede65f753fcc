/** The horn speaker, for outdoors: louder, with a microphone for talkback and ambient noise. */
import type { BoardProfile } from '../hal/board.js';
import { current } from './current.js';

export const board8186: BoardProfile = {
  ...current,
  id: '8186',
  model: '8186',
  product: 'Algo 8186 SIP Horn Speaker',
  kind: 'speaker',
  provisioningModel: '8186',
  // As the FusionPBX template has them, which was made from a unit's export.
  defaults: { 'admin.devname': 'sipsurface-$MAC$', 'prov.i': '1', 'prov.ztp.use': '1' },
  lines: [
    { name: 'relay-in', kind: 'input' },
    { name: 'amplifier', kind: 'amplifier' },
    { name: 'led', kind: 'led' },
  ],
};
