/**
 * Captures what crosses sockets, where the platform shows no frames: a Net around a Net that writes, for every datagram and every
 * stretch of a stream, the frames that a plain network would have carried.
 */
import { concat, EMPTY } from '../base/bytes.js';
import type { ByteStream, IpAddress, MacAddress, Micros, Net, SocketAddress, StreamEvent, UdpSocket } from '../hal.js';
import { type FrameEnd, macOf, SEGMENT, TCP_FLAG, tcpFrame, udpFrame } from './frame.codec.js';
import type { CapturedConnection, LiveCapture } from './live-capture.engine.js';
import type { UnixMicros } from './pcapng.codec.js';

export interface NetCapture {
  to: LiveCapture;
  mac: MacAddress;
  /** Stands for the address of a socket that is bound to all of them. */
  address(): IpAddress;
  now(): Micros;
  /** The calendar time of a stamp. */
  calendar(at: Micros): UnixMicros;
}

/** Traffic with hosts whose address is not IPv4 passes unrecorded. */
export function captureNet(net: Net, capture: NetCapture): Net {
  return {
    udp: (options) => {
      const socket = net.udp(options);
      return socket.ok ? { ok: true, value: captureSocket(socket.value, capture) } : socket;
    },
    connect: (to) => captureStream(net.connect(to), capture, 'out'),
    listen: (options, onStream) => net.listen(options, (stream, at) => onStream(captureStream(stream, capture, 'in'), at)),
    resolve: (name, type, done) => net.resolve(name, type, done),
  };
}

type Direction = 'in' | 'out';

const local = (capture: NetCapture, { address, port }: SocketAddress): FrameEnd => ({
  mac: capture.mac,
  address: address === '0.0.0.0' || address === '::' ? capture.address() : address,
  port,
});
const remote = ({ address, port }: SocketAddress): FrameEnd => ({ mac: macOf(address), address, port });

function record(
  capture: NetCapture,
  direction: Direction,
  at: Micros,
  bytes: Uint8Array | undefined,
  connection?: CapturedConnection,
): void {
  if (bytes) capture.to.frame({ interface: 0, at: capture.calendar(at), direction, bytes }, connection);
}

function captureSocket(socket: UdpSocket, capture: NetCapture): UdpSocket {
  return {
    local: socket.local,
    onDatagram: (listener) =>
      socket.onDatagram((bytes, from, at) => {
        record(capture, 'in', at, udpFrame(remote(from), local(capture, socket.local), bytes));
        listener(bytes, from, at);
      }),
    send: (to, bytes) => {
      const outcome = socket.send(to, bytes);
      if (outcome === 'sent') record(capture, 'out', capture.now(), udpFrame(local(capture, socket.local), remote(to), bytes));
      return outcome;
    },
    join: (group) => socket.join(group),
    leave: (group) => socket.leave(group),
    close: () => socket.close(),
  };
}

function captureStream(stream: ByteStream, capture: NetCapture, opened: Direction): ByteStream {
  let tcp: TcpScribe | undefined;
  // A stream may take octets before it is open; they cross the wire right after.
  let early = EMPTY;
  const open = (event: Extract<StreamEvent, { type: 'open' }>): void => {
    tcp = new TcpScribe(capture, opened, event);
    tcp.data('out', event.at, early);
    early = EMPTY;
  };
  return {
    onEvent: (listener) =>
      stream.onEvent((event) => {
        if (event.type === 'open') open(event);
        else tcp?.received(event);
        listener(event);
      }),
    write: (bytes) => {
      const accepted = bytes.subarray(0, stream.write(bytes));
      if (tcp) tcp.data('out', capture.now(), accepted);
      else early = concat(early, accepted);
      return accepted.length;
    },
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    end: () => {
      stream.end();
      tcp?.fin('out', capture.now());
    },
    abort: () => {
      stream.abort();
      tcp?.reset('out', capture.now());
    },
  };
}

/** Far enough apart that connections between the same ports are told apart by a reader. */
const SEQUENCE_STEP = 2 ** 24;

interface Side {
  end: FrameEnd;
  next: number;
  finished: boolean;
}

/** Writes the segments of one connection: handshake, data with an acknowledgement after each stretch, and how it ended (RFC 9293 3.5, 3.6). */
class TcpScribe {
  readonly #capture: NetCapture;
  readonly #connection: CapturedConnection;
  readonly #sides: Record<Direction, Side>;
  #over = false;

  constructor(capture: NetCapture, opened: Direction, event: Extract<StreamEvent, { type: 'open' }>) {
    const { at } = event;
    this.#capture = capture;
    this.#connection = capture.to.connection(capture.calendar(at));
    const initial = (this.#connection.index * SEQUENCE_STEP) >>> 0;
    this.#sides = {
      out: { end: local(capture, event.local), next: initial, finished: false },
      in: { end: remote(event.peer), next: (initial + SEQUENCE_STEP / 2) >>> 0, finished: false },
    };
    this.#segment(opened, at, TCP_FLAG.syn);
    this.#segment(other(opened), at, TCP_FLAG.syn | TCP_FLAG.ack);
    this.#segment(opened, at, TCP_FLAG.ack);
  }

  received(event: Exclude<StreamEvent, { type: 'open' }>): void {
    if (event.type === 'data') this.data('in', event.at, event.bytes);
    else if (event.type === 'end') this.fin('in', event.at);
    else if (event.type === 'closed') this.#closed(event);
  }

  data(direction: Direction, at: Micros, bytes: Uint8Array): void {
    if (this.#over || bytes.length === 0 || this.#sides[direction].finished) return;
    this.#capture.to.carried(this.#connection, bytes);
    for (let from = 0; from < bytes.length; from += SEGMENT) {
      const part = bytes.subarray(from, from + SEGMENT);
      this.#segment(direction, at, from + SEGMENT < bytes.length ? TCP_FLAG.ack : TCP_FLAG.ack | TCP_FLAG.psh, part);
      this.#segment(other(direction), at, TCP_FLAG.ack);
    }
  }

  fin(direction: Direction, at: Micros): void {
    const side = this.#sides[direction];
    if (this.#over || side.finished) return;
    this.#segment(direction, at, TCP_FLAG.fin | TCP_FLAG.ack);
    side.finished = true;
    this.#segment(other(direction), at, TCP_FLAG.ack);
  }

  reset(direction: Direction, at: Micros): void {
    if (this.#over || (this.#sides.in.finished && this.#sides.out.finished)) return;
    this.#segment(direction, at, TCP_FLAG.rst | TCP_FLAG.ack);
    this.#end();
  }

  #closed({ error, at }: Extract<StreamEvent, { type: 'closed' }>): void {
    if (error?.kind === 'reset') this.reset('in', at);
    this.#end();
  }

  #end(): void {
    this.#over = true;
    this.#capture.to.ended(this.#connection);
  }

  #segment(direction: Direction, at: Micros, flags: number, payload?: Uint8Array): void {
    const [from, to] = [this.#sides[direction], this.#sides[other(direction)]];
    const acknowledgement = flags & TCP_FLAG.ack ? to.next : 0;
    const bytes = tcpFrame(from.end, to.end, { sequence: from.next, acknowledgement, flags }, payload);
    record(this.#capture, direction, at, bytes, this.#connection);
    const counted = flags & (TCP_FLAG.syn | TCP_FLAG.fin) ? 1 : 0;
    from.next = (from.next + (payload?.length ?? 0) + counted) >>> 0;
  }
}

const other = (direction: Direction): Direction => (direction === 'in' ? 'out' : 'in');
