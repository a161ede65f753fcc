/** What the current generation has in common: TLS, SRTP, DNS SRV and G.722. Boards spread it and say what differs. */
import type { BoardProfile } from '../hal/board.js';
import { KIB, MIB, partitions } from './layout.js';

export const current = {
  tls: { supported: true },
  dnsSrv: true,
  settings: 'current',
  // 5.5 is the newest version that the vendor's parameter guides speak of.
  firmware: { oldest: '1.0', newest: '5.5' },
  audio: { speaker: true, microphone: true, g722: true },
  // The factory partition has room for the Mozilla set of anchors, about 160 KiB of DER.
  flash: partitions(16 * MIB, { factory: 512 * KIB, config: 256 * KIB, certs: 512 * KIB }),
} as const satisfies Partial<BoardProfile>;
