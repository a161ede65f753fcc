/** TCP as `ByteStream`s. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { fail, ok } from '../base/result.js';
import type { ByteStream, HalError, IpAddress, Listener, Micros, Result, SocketAddress } from '../hal.js';
import { bindError, halError } from './node-errors.js';
import { SocketStream, type Timebase } from './socket-stream.js';

/** Connections that the operating system holds for a listener that is busy. */
const BACKLOG = 128;

/** `closed` with `refused`, `timeout`, `unreachable` or `reset`, as the operating system says. */
export function connectTcp(from: IpAddress | undefined, to: SocketAddress, clock: Timebase, onGone: () => void): ByteStream {
  const socket = connect({
    host: to.address,
    port: to.port,
    ...(from === undefined ? {} : { localAddress: from }),
    allowHalfOpen: true,
    noDelay: true,
    // Nothing is resolved behind the core's back: what is not an address has none.
    lookup: (host, _options, done) => done(Object.assign(new Error(`${host} is not an address`), { code: 'ENOENT' }), '', 4),
  });
  socket.once('close', onGone);
  return new NodeTcpStream(clock, socket, (open) => socket.once('connect', open));
}

class NodeTcpStream extends SocketStream {
  /** `whenOpen` is called at once, and calls back in a later turn. */
  constructor(clock: Timebase, socket: Socket, whenOpen: (open: () => void) => void) {
    super(clock, socket);
    let failure: HalError | undefined;
    socket.on('error', (error) => {
      failure ??= halError(error);
    });
    socket.once('close', () => this.closed(failure));
    whenOpen(() => {
      if (!this.opening || socket.destroyed) return;
      const { localAddress = '', localPort = 0, remoteAddress = '', remotePort = 0 } = socket;
      this.opened({ address: localAddress, port: localPort }, { address: remoteAddress, port: remotePort }, this.clock.now());
    });
  }

  protected override reset(): void {
    // Node would wait for a connection that is under way, in order to reset it; and a reset could overtake what was ended in order.
    if (this.socket.connecting || this.ended) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }
}

/**
 * TCP ports, opened ahead. `Net.listen` answers at once and Node binds a TCP port to an address in a later turn only, so what is to be
 * listened on is said when the HAL is made (`createNodeHal({ ports })`), where a port in use also belongs: it ends the start, not a call.
 * Until the firmware listens, and after it has stopped, connections to such a port are reset.
 */
export class TcpPorts {
  readonly #entries: readonly Entry[];

  private constructor(entries: readonly Entry[]) {
    this.#entries = entries;
  }

  /** 0 opens a free port, for a later `listen` on port 0. */
  static async open(address: IpAddress, ports: readonly number[], clock: Timebase): Promise<Result<TcpPorts, HalError>> {
    const entries: Entry[] = [];
    for (const port of ports) {
      const entry = await openEntry({ address, port }, clock);
      if (entry.ok) entries.push(entry.value);
      else {
        await new TcpPorts(entries).close();
        return entry;
      }
    }
    return ok(new TcpPorts(entries));
  }

  /** `unsupported`: the port was not opened ahead. `addr-in-use`: it is listened on already. */
  listen(port: number, onStream: (stream: ByteStream, at: Micros) => void): Result<Listener, HalError> {
    const opened = this.#entries.filter((entry) => entry.asked === port);
    if (opened.length === 0) return fail('unsupported', `TCP port ${port} was not opened ahead: name it in createNodeHal({ ports })`);
    const entry = opened.find((candidate) => !candidate.onStream);
    if (!entry) return fail('addr-in-use', `TCP port ${port} is listened on already`);
    entry.onStream = onStream;
    return ok({
      local: entry.local,
      close: () => {
        if (entry.onStream === onStream) entry.onStream = undefined;
      },
    });
  }

  /** Ends what was accepted, and gives the ports back. */
  async close(): Promise<void> {
    await Promise.all(this.#entries.map(closeEntry));
  }
}

interface Entry {
  asked: number;
  local: SocketAddress;
  server: Server;
  /** Accepted and not yet closed. */
  sockets: Set<Socket>;
  onStream: ((stream: ByteStream, at: Micros) => void) | undefined;
}

function closeEntry({ server, sockets }: Entry): Promise<void> {
  for (const socket of sockets) socket.destroy();
  return new Promise((resolve) => server.close(() => resolve()));
}

function openEntry(at: SocketAddress, clock: Timebase): Promise<Result<Entry, HalError>> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
  return new Promise((resolve) => {
    server.once('error', (error) => resolve(bindError('TCP', at, error)));
    server.listen({ host: at.address, port: at.port, backlog: BACKLOG, exclusive: true }, () => {
      const { port } = server.address() as AddressInfo;
      const entry: Entry = { asked: at.port, local: { address: at.address, port }, server, sockets: new Set(), onStream: undefined };
      server.removeAllListeners('error');
      // After a bind the only errors are of `accept`: the operating system is short of something for the moment.
      server.on('error', () => undefined);
      server.on('connection', (socket) => accepted(entry, socket, clock));
      resolve(ok(entry));
    });
  });
}

function accepted({ onStream, sockets }: Entry, socket: Socket, clock: Timebase): void {
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
  // `open` comes after the listener has been given the stream.
  if (onStream) onStream(new NodeTcpStream(clock, socket, setImmediate), clock.now());
  else {
    socket.on('error', () => undefined);
    socket.resetAndDestroy();
  }
}
