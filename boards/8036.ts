/** The multimedia intercom. The starting document does not name it; a later guide lists it among the boards without TLS. */
import type { BoardProfile } from '../hal/board.js';
import { firstGeneration } from './first-generation.js';

export const board8036: BoardProfile = {
  ...firstGeneration,
  id: '8036',
  model: '8036',
  product: 'Algo 8036 SIP Multimedia Intercom',
  kind: 'intercom',
  provisioningModel: '8036',
  tls: { supported: false, why: 'Zoom configuration guide, 2026' },
  // Its manual is of 1.5.1, before TLS came; fewer settings and no DNS SRV are inferred from that.
  firmware: { oldest: '1.0', newest: '1.5.1' },
  lines: [
    { name: 'call', kind: 'button' },
    { name: 'door', kind: 'relay' },
    { name: 'door-sensor', kind: 'input' },
    { name: 'led', kind: 'led' },
  ],
};
