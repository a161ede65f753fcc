/** What a TLS connection shows in clear: hellos and early alerts (RFC 5246, RFC 8446). For people; nothing is decided by it. Total. */
import { u16 } from '../../hal/base/bytes.js';
import { suiteName } from '../../hal/layers/tls-suites.js';
import {
  alertName,
  ContentType,
  decodeClientHello,
  decodeServerHello,
  HandshakeType,
  RECORD_HEADER,
  versionName,
} from '../../hal/layers/tls-wire.codec.js';

export interface TlsSight {
  label: string;
  bad: boolean;
}

const HANDSHAKE_HEADER = 4;

/** What begins in this segment, if it is a hello or an alert in clear. */
export function readTlsSight(segment: Uint8Array): TlsSight | undefined {
  if (segment.length < RECORD_HEADER + 2 || segment[1] !== 3) return undefined;
  const body = segment.subarray(RECORD_HEADER, RECORD_HEADER + u16(segment, 3));
  if (segment[0] === ContentType.alert && u16(segment, 3) === 2) return { label: `alert ${alertName(body[1]!)}`, bad: body[1] !== 0 };
  if (segment[0] !== ContentType.handshake) return undefined;
  const message = body.subarray(HANDSHAKE_HEADER);
  if (body[0] === HandshakeType.clientHello) return clientHello(message);
  return body[0] === HandshakeType.serverHello ? serverHello(message) : undefined;
}

function clientHello(message: Uint8Array): TlsSight {
  const { serverName } = decodeClientHello(message);
  return { label: serverName ? `ClientHello for ${serverName}` : 'ClientHello', bad: false };
}

function serverHello(message: Uint8Array): TlsSight {
  const { version, suite, retry } = decodeServerHello(message);
  const what = retry ? 'HelloRetryRequest' : 'ServerHello';
  return { label: `${what} TLS ${versionName(version)} ${suiteName(suite)}`, bad: false };
}
