/**
 * Which cipher suites are offered and taken. Every list is written out, so that no library's default can bring in RC4, 3DES, NULL, export
 * suites or anonymous ones. DHE is left out: its groups are the peer's choice and nothing here judges them (RFC 9325 part 4.1).
 */
import type { TlsVersion } from '../../hal/hal.js';

/** RFC 8446 part 9.1; the names are IANA's. */
const TLS13 = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

/** RFC 9325 part 4.2, and ChaCha20 for peers without AES in hardware (RFC 7905). The names from here on are OpenSSL's. */
const MODERN = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];

/** AES-CBC, and RSA key transport: what older telephone systems have. The last of them serve TLS 1.0 and 1.1 too. */
const OLDER = [
  'ECDHE-ECDSA-AES128-SHA256',
  'ECDHE-RSA-AES128-SHA256',
  'ECDHE-ECDSA-AES256-SHA384',
  'ECDHE-RSA-AES256-SHA384',
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-RSA-AES256-SHA',
  'AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-SHA256',
  'AES256-SHA256',
  'AES128-SHA',
  'AES256-SHA',
];

/** As the HAL takes them. `older`: also suites that a peer of today no longer needs. */
export function suitesOf({ max }: { max: TlsVersion }, older: boolean): string {
  return [...(max === '1.3' ? TLS13 : []), ...MODERN, ...(older ? OLDER : [])].join(':');
}
