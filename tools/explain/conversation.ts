/** One TCP connection as a capture shows it: who opened it, what it carries in either direction, and how it ended. */
import { concat, EMPTY, latin1 } from '../../hal/base/bytes.js';
import type { IpAddress } from '../../hal/hal.js';
import type { UnixMicros } from '../../hal/layers/pcapng.codec.js';
import { ContentType, HandshakeType } from '../../hal/layers/tls-wire.codec.js';
import { TcpFlag, type TcpSegment } from '../../hal/stack/index.js';
import { advance } from '../../hal/stack/tcp-sequence.js';
import type { Secrets } from './key-log.codec.js';
import { OrderedStream } from './ordered-stream.engine.js';
import { beginsRecord } from './tls-record.engine.js';
import { TlsSession } from './tls-session.engine.js';
import { otherRole, type Role } from './tls-view.js';

export interface End {
  address: IpAddress;
  port: number;
}

/** What one end speaks. */
export type Speech = 'tls' | TextSpeech;
type TextSpeech = 'http' | 'sip' | 'other';

export interface Ending {
  by: Role;
  how: 'fin' | 'reset';
  at: UnixMicros;
}

/** A segment with its length on the wire. */
export type Segment = TcpSegment & { length: number };

/** Ours: enough to tell what an end speaks, and to show its first line. */
const OPENING_KEPT = 512;
/** The header of a record and the type of its message. */
const TLS_TELLS = 6;

interface Half {
  end: End;
  stream: OrderedStream;
  /** Its first octets are in the capture; otherwise what it speaks has to show by itself. */
  whole: boolean;
  /** The beginning of what may become a record. */
  pending: Uint8Array;
  /** The beginning of what is none. */
  opening: Uint8Array;
  speech: Speech | undefined;
}

export class Conversation {
  readonly began: UnixMicros;
  /** Its SYN is in the capture. */
  readonly whole: boolean;
  last: UnixMicros;
  /** SYNs seen, first and repeated. */
  syns = 0;
  answered = false;
  /** Somebody on the way says that the server cannot be reached. */
  unreachable: IpAddress | undefined;
  readonly endings: Ending[] = [];
  tls: TlsSession | undefined;
  readonly #keys: ReadonlyMap<string, Secrets>;
  readonly #halves: Record<Role, Half>;
  #initial: number | undefined;
  /** Without a SYN it is a guess who opened it, until a ClientHello tells. */
  #swapped = false;

  constructor(client: End, server: End, options: { at: UnixMicros; whole: boolean; keys: ReadonlyMap<string, Secrets> }) {
    this.began = this.last = options.at;
    this.whole = options.whole;
    this.#keys = options.keys;
    this.#halves = { client: this.#half('client', client), server: this.#half('server', server) };
  }

  get client(): End {
    return this.#of('client').end;
  }
  get server(): End {
    return this.#of('server').end;
  }
  stream(role: Role): Pick<OrderedStream, 'octets' | 'repeated' | 'late' | 'missing'> {
    return this.#of(role).stream;
  }
  speech(role: Role): Speech | undefined {
    return this.#of(role).speech;
  }
  /** What an end said first, where that is no TLS. */
  opening(role: Role): string {
    return latin1(this.#of(role).opening);
  }

  /** Whether a SYN with this number begins another connection between the same ports. */
  isAnother(sequence: number): boolean {
    return this.#initial !== sequence;
  }

  /** `from` is an end of this connection. */
  segment(from: End, segment: Segment, at: UnixMicros): void {
    const role: Role = isSameEnd(from, this.#halves.client.end) ? 'client' : 'server';
    const { stream } = this.#halves[role];
    const { flags, sequence } = segment;
    this.last = at;
    if (flags & TcpFlag.rst) return this.#ended(role, 'reset', at);
    if (flags & TcpFlag.syn) this.#syn(role, sequence);
    else if (role === 'server') this.answered = true;
    if (flags & TcpFlag.ack) this.#halves[otherRole(role)].stream.acknowledged(segment.acknowledgment);
    stream.segment(flags & TcpFlag.syn ? advance(sequence, 1) : sequence, segment.payload, segment.length, at);
    if (flags & TcpFlag.fin) this.#ended(role, 'fin', at);
  }

  /** The end of the capture. */
  flush(): void {
    for (const { stream } of Object.values(this.#halves)) stream.flush();
  }

  #half(role: Role, end: End): Half {
    const stream = new OrderedStream({
      data: (bytes, at) => this.#data(role, bytes, at),
      missing: (octets, at) => this.#missing(role, octets, at),
    });
    return { end, stream, whole: this.whole, pending: EMPTY, opening: EMPTY, speech: undefined };
  }

  /** Of a half, once it is known who is who. */
  #role(half: Role): Role {
    return this.#swapped ? otherRole(half) : half;
  }
  #of(role: Role): Half {
    return this.#halves[this.#role(role)];
  }

  #syn(role: Role, sequence: number): void {
    this.#halves[role].stream.begin(advance(sequence, 1));
    if (role === 'server') this.answered = true;
    else {
      this.#initial ??= sequence;
      this.syns++;
    }
  }

  #ended(half: Role, how: Ending['how'], at: UnixMicros): void {
    if (how === 'reset') this.flush();
    const by = this.#role(half);
    if (!this.endings.some((ending) => ending.by === by && ending.how === how)) this.endings.push({ by, how, at });
  }

  #data(name: Role, bytes: Uint8Array, at: UnixMicros): void {
    const half = this.#halves[name];
    if (half.speech === 'tls') return this.tls?.push(this.#role(name), bytes, at);
    // In the middle of a stream a record may begin with any segment.
    const first = half.whole ? concat(half.pending, bytes) : bytes;
    if (beginsRecord(first) && (half.speech === undefined || !half.whole)) {
      half.pending = first.length < TLS_TELLS ? first : EMPTY;
      if (first.length >= TLS_TELLS) this.#tls(name, first, at);
      return;
    }
    half.pending = EMPTY;
    if (half.opening.length >= OPENING_KEPT) return;
    half.opening = concat(half.opening, first.subarray(0, OPENING_KEPT - half.opening.length));
    const speech = textSpeech(latin1(half.opening));
    if (half.whole || speech !== 'other') half.speech = speech;
  }

  #missing(name: Role, octets: number, at: UnixMicros): void {
    const half = this.#halves[name];
    if (half.speech === 'tls') return this.tls?.missing(this.#role(name), octets, at);
    half.pending = EMPTY;
    if (half.speech === undefined) half.whole = false;
  }

  #tls(name: Role, bytes: Uint8Array, at: UnixMicros): void {
    this.#halves[name].speech = 'tls';
    this.tls ??= new TlsSession(this.#keys, at);
    if (!this.whole && name === 'server' && isClientHello(bytes)) this.#swapped = true;
    this.tls.push(this.#role(name), bytes, at);
  }
}

const isSameEnd = (a: End, b: End): boolean => a.port === b.port && a.address === b.address;

const isClientHello = (bytes: Uint8Array): boolean =>
  bytes.length >= TLS_TELLS && bytes[0] === ContentType.handshake && bytes[5] === HandshakeType.clientHello;

function textSpeech(text: string): TextSpeech {
  if (/^(\S+ \S+ HTTP\/1\.\d|HTTP\/1\.\d \d{3})/.test(text)) return 'http';
  return /^\s*(\S+ \S+ SIP\/2\.0|SIP\/2\.0 \d{3})/.test(text) ? 'sip' : 'other';
}
