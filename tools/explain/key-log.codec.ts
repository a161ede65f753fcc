/** Key logs in the format of NSS (draft-ietf-tls-keylogfile): `LABEL <client random> <secret>`, a line each. */
import { fromHex } from '../../hal/base/bytes.js';

/** The labels that open what a bystander looks at. */
export type SecretLabel =
  | 'CLIENT_RANDOM'
  | 'CLIENT_EARLY_TRAFFIC_SECRET'
  | 'CLIENT_HANDSHAKE_TRAFFIC_SECRET'
  | 'SERVER_HANDSHAKE_TRAFFIC_SECRET'
  | 'CLIENT_TRAFFIC_SECRET_0'
  | 'SERVER_TRAFFIC_SECRET_0';

/** The secrets of one connection. */
export type Secrets = ReadonlyMap<string, Uint8Array>;

/** By client random, in lower-case hex. Lines that are none are passed over, as every reader of the format does. */
export function parseKeyLog(text: string): ReadonlyMap<string, Secrets> {
  const connections = new Map<string, Map<string, Uint8Array>>();
  for (const line of text.split(/\r?\n/)) {
    const [, label, random, secret] = LINE.exec(line) ?? [];
    const octets = secret === undefined ? undefined : fromHex(secret);
    if (label === undefined || random === undefined || !octets) continue;
    const key = random.toLowerCase();
    const known = connections.get(key) ?? new Map<string, Uint8Array>();
    connections.set(key, known.set(label, octets));
  }
  return connections;
}

/** A random of 32 octets, a secret of at least 32. */
const LINE = /^\s*([A-Z0-9_]+) ([0-9a-fA-F]{64}) ([0-9a-fA-F]{64,})\s*$/;
