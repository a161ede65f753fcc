/**
 * The names of a CertificateRequest (RFC 5246 7.4.4, RFC 8446 4.2.4). Node takes them from certificates only, so each name is put into one
 * that vouches for nothing: its signature is empty, and no path is checked by OpenSSL.
 */
import { concat } from '../base/bytes.js';
import type { Der } from '../hal.js';
import { pem } from './octets.js';

export const namesAsCertificates = (names: readonly Der[]): string[] => names.map((name) => pem('CERTIFICATE', certificateNamed(name)));

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const UTC_TIME = 0x17;
const VERSION = 0xa0;

function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = concat(...contents);
  const { length } = content;
  const head = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return concat(Uint8Array.from(head), content);
}

/** ed25519 (RFC 8410): the shortest algorithm identifier and key that there is. */
const ED25519 = Uint8Array.from([SEQUENCE, 5, 0x06, 3, 0x2b, 0x65, 0x70]);
const TIME = der(UTC_TIME, Buffer.from('260101000000Z', 'latin1'));

/** RFC 5280 4.1. */
function certificateNamed(name: Der): Uint8Array {
  const body = der(
    SEQUENCE,
    der(VERSION, der(INTEGER, Uint8Array.of(2))),
    der(INTEGER, Uint8Array.of(1)),
    ED25519,
    name,
    der(SEQUENCE, TIME, TIME),
    name,
    der(SEQUENCE, ED25519, der(BIT_STRING, new Uint8Array(33))),
  );
  return der(SEQUENCE, body, ED25519, der(BIT_STRING, new Uint8Array(65)));
}
