/** An SNTP server (RFC 4330 part 6) that knows the time by its host's wall clock. */
import { SNTP_PORT } from '../../core/time/sntp.codec.js';
import { fromLatin1, putU32 } from '../../hal/base/bytes.js';
import { ok } from '../../hal/base/result.js';
import type { HalError, Result, UnixMillis } from '../../hal/hal.js';
import type { Peer, PeerHost } from './peer-host.js';

export interface SntpServerOptions {
  /** 123 unless the machine's own is in the way. */
  port?: number;
}

const PACKET = 48;
const CLIENT = 3;
const SERVER = 4;
/** A primary server with a clock of its own. */
const STRATUM = 1;
const REFERENCE = fromLatin1('LOCL');
/** Seconds from 1900 to 1970. */
const NTP_EPOCH = 2_208_988_800;
const ERA = 2 ** 32;

/** Logs nothing: what devices asked for stands in the capture. */
export function startSntpServer(
  host: Pick<PeerHost, 'net' | 'clock'>,
  { port = SNTP_PORT }: SntpServerOptions = {},
): Result<Peer, HalError> {
  const opened = host.net.udp({ port });
  if (!opened.ok) return opened;
  const socket = opened.value;
  socket.onDatagram((request, from) => {
    if (request.length >= PACKET && (request[0]! & 7) === CLIENT) socket.send(from, reply(request, host.clock.wall().at));
  });
  return ok({ close: () => socket.close() });
}

/** Reference, receive and transmit timestamps are one: the answer takes no time here. */
function reply(request: Uint8Array, now: UnixMillis): Uint8Array {
  const packet = new Uint8Array(PACKET);
  const version = request[0]! & 0x38;
  packet.set([version | SERVER, STRATUM, request[2]!]);
  packet.set(REFERENCE, 12);
  packet.set(request.subarray(40, 48), 24);
  for (const at of [16, 32, 40]) putTimestamp(packet, at, now);
  return packet;
}

function putTimestamp(packet: Uint8Array, at: number, time: UnixMillis): void {
  putU32(packet, at, (Math.floor(time / 1000) + NTP_EPOCH) % ERA);
  putU32(packet, at + 4, Math.floor(((((time % 1000) + 1000) % 1000) / 1000) * ERA));
}
