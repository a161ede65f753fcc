/** What a TLS connection shows in clear: hellos and early alerts (RFC 5246, RFC 8446). For people; nothing is decided by it. Total. */
import { latin1, u16 } from '../../hal/base/bytes.js';

export interface TlsSight {
  label: string;
  bad: boolean;
}

const RECORD = { alert: 21, handshake: 22 } as const;
const RECORD_HEADER = 5;
const HANDSHAKE = { clientHello: 1, serverHello: 2 } as const;
const EXTENSION = { serverName: 0, supportedVersions: 43 } as const;
const VERSIONS: Readonly<Record<number, string>> = { 769: '1.0', 770: '1.1', 771: '1.2', 772: '1.3' };
/** RFC 8446 B.4, RFC 5289: those that OpenSSL chooses by default. */
const SUITES: Readonly<Record<number, string>> = {
  4865: 'TLS_AES_128_GCM_SHA256',
  4866: 'TLS_AES_256_GCM_SHA384',
  4867: 'TLS_CHACHA20_POLY1305_SHA256',
  49195: 'ECDHE_ECDSA_AES_128_GCM_SHA256',
  49196: 'ECDHE_ECDSA_AES_256_GCM_SHA384',
  49199: 'ECDHE_RSA_AES_128_GCM_SHA256',
  49200: 'ECDHE_RSA_AES_256_GCM_SHA384',
  52392: 'ECDHE_RSA_CHACHA20_POLY1305_SHA256',
};
/** RFC 8446 6, RFC 5246 7.2. */
const ALERTS: Readonly<Record<number, string>> = {
  0: 'close_notify',
  10: 'unexpected_message',
  20: 'bad_record_mac',
  40: 'handshake_failure',
  42: 'bad_certificate',
  43: 'unsupported_certificate',
  44: 'certificate_revoked',
  45: 'certificate_expired',
  46: 'certificate_unknown',
  47: 'illegal_parameter',
  48: 'unknown_ca',
  49: 'access_denied',
  50: 'decode_error',
  51: 'decrypt_error',
  70: 'protocol_version',
  71: 'insufficient_security',
  80: 'internal_error',
  109: 'missing_extension',
  112: 'unrecognized_name',
  116: 'certificate_required',
};

/** What begins in this segment, if it is a hello or an alert in clear. */
export function readTlsSight(segment: Uint8Array): TlsSight | undefined {
  if (segment.length < RECORD_HEADER + 2 || segment[1] !== 3) return undefined;
  const body = segment.subarray(RECORD_HEADER, RECORD_HEADER + u16(segment, 3));
  if (segment[0] === RECORD.alert && u16(segment, 3) === 2) {
    const name = ALERTS[body[1]!] ?? `alert ${body[1]}`;
    return { label: `alert ${name}`, bad: body[1] !== 0 };
  }
  if (segment[0] !== RECORD.handshake) return undefined;
  if (body[0] === HANDSHAKE.clientHello) return clientHello(body);
  return body[0] === HANDSHAKE.serverHello ? serverHello(body) : undefined;
}

/** Handshake header of 4, version of 2, random of 32, then the session id. */
const SESSION_ID = 38;

function clientHello(body: Uint8Array): TlsSight {
  const suites = SESSION_ID + 1 + (body[SESSION_ID] ?? 0);
  const compressions = suites + 2 + at16(body, suites);
  const name = extensions(body, compressions + 1 + (body[compressions] ?? 0)).get(EXTENSION.serverName);
  // A list of names of which the first is the only one in use: list length 2, type 1, length 2.
  return { label: name && name.length > 5 ? `ClientHello for ${latin1(name, 5)}` : 'ClientHello', bad: false };
}

function serverHello(body: Uint8Array): TlsSight {
  const suite = SESSION_ID + 1 + (body[SESSION_ID] ?? 0);
  const chosen = extensions(body, suite + 3).get(EXTENSION.supportedVersions);
  const version = VERSIONS[chosen?.length === 2 ? u16(chosen, 0) : at16(body, 4)] ?? '?';
  return { label: `ServerHello TLS ${version} ${SUITES[at16(body, suite)] ?? `suite 0x${at16(body, suite).toString(16)}`}`, bad: false };
}

function extensions(body: Uint8Array, at: number): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  for (let i = at + 2; i + 4 <= body.length; i += 4 + at16(body, i + 2))
    found.set(at16(body, i), body.subarray(i + 4, i + 4 + at16(body, i + 2)));
  return found;
}

/** 0 beyond the end: what is cut short reads as empty. */
const at16 = (bytes: Uint8Array, at: number): number => (at + 2 <= bytes.length ? u16(bytes, at) : 0);
