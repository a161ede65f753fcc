/**
 * A TFTP server that serves files and takes none (RFC 1350), with the options of RFC 2347: block size (2348), size and timeout (2349).
 * Written from the RFCs apart from the device's client, so that each is judged by the other.
 */
import { concat, fromLatin1, latin1, u16 } from '../../hal/base/bytes.js';
import { ok } from '../../hal/base/result.js';
import { SECOND } from '../../hal/base/time.js';
import type { Timer } from '../../hal/base/timers.js';
import type { HalError, Micros, Result, SocketAddress, UdpSocket } from '../../hal/hal.js';
import type { Peer, PeerHost } from './peer-host.js';

export interface TftpServerOptions {
  /** By path, `/algop8180g2.conf`; a request may leave the slash out. Read anew for each request, so that a scenario may change it. */
  files: ReadonlyMap<string, Uint8Array>;
  /** 69 unless given. */
  port?: number;
}

const TFTP_PORT = 69;
const OPCODE = { read: 1, write: 2, data: 3, acknowledgement: 4, error: 5, options: 6 } as const;
const ERROR = { notFound: 1, access: 2, illegal: 4 } as const;
const BLOCK = 512;
/** RFC 2348; at most what an Ethernet frame holds. */
const BLOCK_SIZES = { least: 8, most: 1468 } as const;
const TIMEOUT: Micros = SECOND;
/** RFC 2349: seconds. */
const TIMEOUTS = { least: 1, most: 255 } as const;
/** Times that a packet is sent before the client is given up. */
const TRIES = 5;
/** Transfers at once; more requests are dropped, and the clients ask again. */
const TRANSFERS_MAX = 256;

/** Logs `server.request {method, target, status, clientCN, clientSubject}` as the HTTP server does: 200 or 404, and no certificate. */
export function startTftpServer(host: PeerHost, { files, port = TFTP_PORT }: TftpServerOptions): Result<Peer, HalError> {
  const opened = host.net.udp({ port });
  if (!opened.ok) return opened;
  const transfers = new Map<string, Transfer>();
  opened.value.onDatagram((bytes, from) => {
    const key = `${from.address}:${from.port}`;
    // The same request again: the answer to the first is on its way, or is repeated by itself.
    if (transfers.has(key) || transfers.size >= TRANSFERS_MAX) return;
    const request = readRequest(bytes);
    if (!request) return;
    const answer = (packet: Uint8Array): void => void opened.value.send(from, packet);
    if (request.opcode === OPCODE.write) return answer(errorPacket(ERROR.access, 'this server takes no files'));
    if (request.mode !== 'octet') return answer(errorPacket(ERROR.illegal, 'mode octet alone is served'));
    const content = files.get(`/${request.name.replace(/^\//, '')}`);
    const status = content ? 200 : 404;
    host.log('server.request', { method: 'RRQ', target: request.name, status, clientCN: '', clientSubject: '' });
    if (!content) return answer(errorPacket(ERROR.notFound, 'file not found'));
    const socket = host.net.udp({ port: 0 });
    if (!socket.ok) return;
    const options = accepted(request.options, content.length);
    const onEnded = (): void => void transfers.delete(key);
    transfers.set(key, new Transfer(host, { socket: socket.value, client: from, content: content.slice(), options, onEnded }));
  });
  return ok({
    close: () => {
      opened.value.close();
      for (const transfer of transfers.values()) transfer.close();
    },
  });
}

interface Request {
  opcode: number;
  name: string;
  mode: string;
  options: ReadonlyMap<string, string>;
}

function readRequest(bytes: Uint8Array): Request | undefined {
  const opcode = bytes.length > 2 ? u16(bytes, 0) : 0;
  if ((opcode !== OPCODE.read && opcode !== OPCODE.write) || bytes.at(-1) !== 0) return undefined;
  const [name, mode, ...rest] = latin1(bytes, 2, bytes.length - 1).split('\0');
  if (name === undefined || mode === undefined) return undefined;
  const options = new Map<string, string>();
  for (let i = 0; i + 1 < rest.length; i += 2) options.set(rest[i]!.toLowerCase(), rest[i + 1]!);
  return { opcode, name, mode: mode.toLowerCase(), options };
}

/** What we grant of what the client asks for; what we do not know is left out (RFC 2347). */
function accepted(asked: ReadonlyMap<string, string>, size: number): ReadonlyMap<string, string> {
  const granted = new Map<string, string>();
  const blockSize = Number(asked.get('blksize') ?? 0);
  if (blockSize >= BLOCK_SIZES.least) granted.set('blksize', String(Math.min(blockSize, BLOCK_SIZES.most)));
  const timeout = Number(asked.get('timeout') ?? 0);
  if (timeout >= TIMEOUTS.least && timeout <= TIMEOUTS.most) granted.set('timeout', String(timeout));
  if (asked.has('tsize')) granted.set('tsize', String(size));
  return granted;
}

interface TransferOptions {
  socket: UdpSocket;
  client: SocketAddress;
  content: Uint8Array;
  options: ReadonlyMap<string, string>;
  onEnded(): void;
}

/** One file to one client, in lock step from a port of its own. Block 0 is the acknowledgement of options. */
class Transfer {
  readonly #options: TransferOptions;
  readonly #blockSize: number;
  readonly #wait: Micros;
  readonly #timer: Timer;
  readonly #now: () => Micros;
  #block: number;
  #tries = 0;

  constructor(host: PeerHost, options: TransferOptions) {
    this.#options = options;
    const { options: granted, socket, client } = options;
    this.#blockSize = Number(granted.get('blksize') ?? BLOCK);
    this.#wait = granted.has('timeout') ? Number(granted.get('timeout')) * SECOND : TIMEOUT;
    this.#now = () => host.clock.now();
    this.#timer = host.timers.create('tftp', () => this.#send());
    this.#block = granted.size > 0 ? 0 : 1;
    socket.onDatagram((bytes, from) => {
      if (from.port === client.port && from.address === client.address) this.#receive(bytes);
    });
    this.#send();
  }

  close(): void {
    this.#timer.clear();
    this.#options.socket.close();
    this.#options.onEnded();
  }

  #receive(bytes: Uint8Array): void {
    if (bytes.length < 4) return;
    const opcode = u16(bytes, 0);
    if (opcode === OPCODE.error) return this.close();
    // An older acknowledgement is not answered: the sorcerer's apprentice would never stop.
    if (opcode !== OPCODE.acknowledgement || u16(bytes, 2) !== (this.#block & 0xffff)) return;
    if (this.#block > 0 && this.#payload().length < this.#blockSize) return this.close();
    this.#block++;
    this.#tries = 0;
    this.#send();
  }

  #payload(): Uint8Array {
    return this.#options.content.subarray((this.#block - 1) * this.#blockSize, this.#block * this.#blockSize);
  }

  #send(): void {
    if (this.#tries++ >= TRIES) return this.close();
    const { socket, client, options } = this.#options;
    const packet = this.#block === 0 ? optionsPacket(options) : concat(header(OPCODE.data, this.#block), this.#payload());
    socket.send(client, packet);
    this.#timer.set(this.#now() + this.#wait);
  }
}

const header = (opcode: number, second: number): Uint8Array => Uint8Array.of(0, opcode, (second >> 8) & 0xff, second & 0xff);

const errorPacket = (code: number, message: string): Uint8Array => concat(header(OPCODE.error, code), fromLatin1(`${message}\0`));

const optionsPacket = (options: ReadonlyMap<string, string>): Uint8Array =>
  concat(Uint8Array.of(0, OPCODE.options), ...Array.from(options, ([name, value]) => fromLatin1(`${name}\0${value}\0`)));
