/** TLS as a bystander sees it: record and message types, versions, alerts, and the two hellos (RFC 5246, RFC 8446). Total. */
import { latin1 } from '../base/bytes.js';
import type { TlsVersion } from '../hal.js';
import { eachOf, OctetCursor } from './octet-cursor.js';

/** RFC 8446 5.1, B.1. */
export const ContentType = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;
export const RECORD_HEADER = 5;

/** RFC 8446 B.3, RFC 5246 7.4. */
export const HandshakeType = {
  clientHello: 1,
  serverHello: 2,
  encryptedExtensions: 8,
  certificate: 11,
  certificateRequest: 13,
  clientKeyExchange: 16,
  finished: 20,
  keyUpdate: 24,
  compressedCertificate: 25,
} as const;

/** IANA, "TLS ExtensionType Values". */
export const TlsExtension = {
  serverName: 0,
  supportedGroups: 10,
  encryptThenMac: 22,
  extendedMasterSecret: 23,
  preSharedKey: 41,
  supportedVersions: 43,
  certificateAuthorities: 47,
  keyShare: 51,
} as const;

/** As hellos and records have them. */
export const VERSION: Readonly<Record<TlsVersion, number>> = { '1.0': 0x0301, '1.1': 0x0302, '1.2': 0x0303, '1.3': 0x0304 };
const SSL_3_0 = 0x0300;
const VERSION_NAMES = new Map([[SSL_3_0, 'SSL 3.0'], ...Object.entries(VERSION).map(([name, number]) => [number, name] as const)]);
/** `1.2`; a version that is none of TLS's as its number. */
export const versionName = (version: number): string => VERSION_NAMES.get(version) ?? `0x${version.toString(16).padStart(4, '0')}`;

/** RFC 8446 6 and B.2, RFC 5246 7.2. */
const ALERTS: Readonly<Record<number, string>> = {
  0: 'close_notify',
  10: 'unexpected_message',
  20: 'bad_record_mac',
  21: 'decryption_failed',
  22: 'record_overflow',
  30: 'decompression_failure',
  40: 'handshake_failure',
  41: 'no_certificate',
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
  86: 'inappropriate_fallback',
  90: 'user_canceled',
  100: 'no_renegotiation',
  109: 'missing_extension',
  110: 'unsupported_extension',
  112: 'unrecognized_name',
  113: 'bad_certificate_status_response',
  115: 'unknown_psk_identity',
  116: 'certificate_required',
  120: 'no_application_protocol',
};
export const alertName = (description: number): string => ALERTS[description] ?? `alert ${description}`;

/** IANA, "TLS Supported Groups": those that libraries offer. */
const GROUPS: Readonly<Record<number, string>> = {
  23: 'secp256r1',
  24: 'secp384r1',
  25: 'secp521r1',
  29: 'x25519',
  30: 'x448',
  256: 'ffdhe2048',
  257: 'ffdhe3072',
  4587: 'SecP256r1MLKEM768',
  4588: 'X25519MLKEM768',
};
export const groupName = (group: number): string => GROUPS[group] ?? `group ${group}`;

export interface ClientHello {
  random: Uint8Array;
  /** Those of the extension, or the one of the hello itself, which then is the highest; without GREASE. */
  versions: readonly number[];
  /** Whether `versions` names each: without the extension lower ones may be meant too. */
  versionsListed: boolean;
  suites: readonly number[];
  serverName?: string;
  groups: readonly number[];
}

export interface ServerHello {
  random: Uint8Array;
  version: number;
  suite: number;
  sessionId: Uint8Array;
  /** Asks for another hello (RFC 8446 4.1.4). */
  retry: boolean;
  /** Of the key share, or the one that a retry asks for. */
  group?: number;
  extensions: ReadonlyMap<number, Uint8Array>;
}

/** Of a handshake message without its header of 4 octets. */
export function decodeClientHello(body: Uint8Array): ClientHello {
  const cursor = new OctetCursor(body);
  const version = cursor.uint(2);
  const random = cursor.take(32);
  cursor.vector(1);
  const suites = eachOf(cursor.vector(2), u16);
  cursor.vector(1);
  const extensions = readExtensions(cursor);
  const listed = extensions.get(TlsExtension.supportedVersions);
  const name = extensions.get(TlsExtension.serverName);
  const serverName = name && hostName(name);
  return {
    random,
    versions: listed ? eachOf(new OctetCursor(listed).vector(1), u16).filter((offered) => !isGrease(offered)) : [version],
    versionsListed: listed !== undefined,
    suites: suites.filter((suite) => !isGrease(suite)),
    ...(serverName ? { serverName } : {}),
    groups: u16s(extensions.get(TlsExtension.supportedGroups)).filter((group) => !isGrease(group)),
  };
}

/** SHA-256 of "HelloRetryRequest", in the place of a server's random (RFC 8446 4.1.3), its first octets. */
const RETRY = [0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91];

export function decodeServerHello(body: Uint8Array): ServerHello {
  const cursor = new OctetCursor(body);
  const legacy = cursor.uint(2);
  const random = cursor.take(32);
  const sessionId = cursor.vector(1);
  const suite = cursor.uint(2);
  cursor.uint(1);
  const extensions = readExtensions(cursor);
  const chosen = extensions.get(TlsExtension.supportedVersions);
  const share = extensions.get(TlsExtension.keyShare);
  return {
    random,
    version: chosen ? new OctetCursor(chosen).uint(2) : legacy,
    suite,
    sessionId,
    retry: RETRY.every((octet, i) => random[i] === octet),
    ...(share ? { group: new OctetCursor(share).uint(2) } : {}),
    extensions,
  };
}

/** By number; a hello may end without any. Of two of a number, which no hello has, the first. */
export function readExtensions(cursor: OctetCursor): Map<number, Uint8Array> {
  const list = cursor.more ? cursor.vector(2) : new Uint8Array(0);
  return new Map(eachOf(list, (each) => [each.uint(2), each.vector(2)] as const).reverse());
}

const u16 = (cursor: OctetCursor): number => cursor.uint(2);
const u16s = (list: Uint8Array | undefined): number[] => (list ? eachOf(new OctetCursor(list).vector(2), u16) : []);

/** A list of names of which the first is the only one in use, and of type host_name (RFC 6066 3). */
function hostName(extension: Uint8Array): string {
  const list = new OctetCursor(new OctetCursor(extension).vector(2));
  return list.uint(1) === 0 ? latin1(list.vector(2)) : '';
}

/** Numbers that mean nothing, and are sent so that nobody trips over a new one (RFC 8701). */
const isGrease = (value: number): boolean => (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff);
