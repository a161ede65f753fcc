/** The boards that the vendor lists as having no TLS; they have no SRTP and no DNS SRV either. Boards spread it and say what differs. */
import type { BoardProfile } from '../hal/board.js';
import { KIB, MIB, partitions } from './layout.js';

export const firstGeneration = {
  // "the following endpoints do not support TLS: 8180 IP Audio Alerter (G1), 8028 IP Doorphone (G1), 8128 IP Visual Alerter (G1), 8061 …"
  tls: { supported: false, why: '"Securing Algo IP Endpoints", page 3' },
  dnsSrv: false,
  settings: 'first-generation',
  // Firmware 2.x, although TLS came with 1.6.4 on the boards that have it: the version alone does not tell.
  firmware: { oldest: '1.0', newest: '2.0.3' },
  audio: { speaker: true, microphone: true, g722: false },
  flash: partitions(2 * MIB, { factory: 64 * KIB, config: 128 * KIB, certs: 64 * KIB }),
} as const satisfies Partial<BoardProfile>;
