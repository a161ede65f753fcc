/**
 * One TCP connection (RFC 9293 part 3.10): its states, and what a segment, a call of the user, or time does to it. Segments leave
 * through `host`; the user's events wait in `stream` until `settle`. An ACK is not delayed: it leaves with the answer that the user
 * writes on hearing of the data, or else alone.
 */
import { EMPTY } from '../base/bytes.js';
import { MILLISECOND, SECOND } from '../base/time.js';
import type { Timer } from '../base/timers.js';
import type { HalErrorKind, Micros, SocketAddress } from '../hal.js';
import type { Ipv4 } from './address.js';
import { TcpFlag, type TcpHeader, type TcpSegment } from './tcp.codec.js';
import { RECEIVE_WINDOW, TcpReceiver } from './tcp-receiver.js';
import { INITIAL_RTO } from './tcp-rto.js';
import { DEFAULT_MSS, SEND_BUFFER, TcpSender, USER_TIMEOUT } from './tcp-sender.js';
import { advance, distance } from './tcp-sequence.js';
import { type StreamOwner, TcpStream } from './tcp-stream.js';
import type { Undelivered } from './unreachable.js';

/** A SYN is sent again after 1, 3, 7, 15, 31 and 63 s; the end is at 127 s (Linux: tcp_syn_retries 6). */
const SYN_RETRIES = 6;
/** A SYN-ACK gets one less, and its end at 63 s (Linux: tcp_synack_retries 5). */
const SYN_ACK_RETRIES = 5;
/**
 * RFC 9293 part 3.6.1 keeps TIME-WAIT for 4 minutes, so that strays die out. Ports and sequence numbers are random here, and a network
 * of boards and servers holds no segment for 5 s.
 */
const TIME_WAIT: Micros = 10 * SECOND;
/** Answers to segments that should not be: more often they could keep two confused ends busy for ever (RFC 5961 part 7; Linux alike). */
const CHALLENGE_INTERVAL: Micros = 500 * MILLISECOND;
/** A smaller maximum is not believed: it would cost more header than data (Linux: TCP_MIN_MSS). */
const SMALLEST_MSS = 88;
/** Octets of IP and TCP header without options. */
const HEADERS = 40;

export type TcpState =
  | 'syn-sent'
  | 'syn-received'
  | 'established'
  | 'fin-wait-1'
  | 'fin-wait-2'
  | 'close-wait'
  | 'closing'
  | 'last-ack'
  | 'time-wait'
  | 'closed';

export interface TcpEnds {
  local: Ipv4;
  localPort: number;
  remote: Ipv4;
  remotePort: number;
}
/** A header without the ports, which the ends give. */
export type TcpControl = Omit<TcpHeader, 'sourcePort' | 'destinationPort'>;

/** What a connection needs of its engine. */
export interface TcpHost {
  now(): Micros;
  timer(fire: () => void): Timer;
  /** Sends a segment; `fill` puts `length` octets of data into the frame. */
  transmit(ends: TcpEnds, header: TcpControl, length: number, fill?: (frame: Uint8Array, at: number) => void): void;
  /** Asks for a call of `settle` when the present call has returned. */
  wake(connection: TcpConnection): void;
  /** The state is another now. */
  moved(connection: TcpConnection): void;
  describe(ends: TcpEnds): { local: SocketAddress; peer: SocketAddress };
}

export interface TcpStart {
  ends: TcpEnds;
  /** The maximum segment size that we take. */
  mss: number;
  initialSequence: number;
  /** The peer's SYN, where the connection is accepted and not made. */
  syn?: TcpSegment;
}

export class TcpConnection implements StreamOwner {
  readonly ends: TcpEnds;
  readonly stream: TcpStream;
  readonly #host: TcpHost;
  readonly #timer: Timer;
  readonly #mss: number;
  readonly #initial: number;
  readonly #sender: TcpSender;
  #receiver: TcpReceiver | undefined;
  #state: TcpState = 'syn-sent';
  #peerMss = DEFAULT_MSS;
  #synsSent = 0;
  #synAt: Micros = 0;
  #ackDue = false;
  #writableDue = false;
  #challengedAt: Micros | undefined;

  constructor(host: TcpHost, start: TcpStart) {
    this.#host = host;
    this.ends = start.ends;
    this.#mss = start.mss;
    this.#initial = start.initialSequence;
    this.#sender = new TcpSender(advance(start.initialSequence, 1));
    this.stream = new TcpStream(this);
    this.#timer = host.timer(() => this.#onTimer());
    if (start.syn) this.#takeSyn(start.syn);
    this.#sendSyn();
  }

  get state(): TcpState {
    return this.#state;
  }

  // What the user's stream asks for.

  get readable(): number {
    return this.#receiver?.readable ?? 0;
  }

  read(): Uint8Array {
    return this.#receiver?.read() ?? EMPTY;
  }

  write(bytes: Uint8Array): number {
    const taken = this.#sender.write(bytes);
    if (taken < bytes.length && !this.#sender.ended) this.#writableDue = true;
    this.#flush();
    return taken;
  }

  end(): void {
    this.#sender.end();
    if (this.#state === 'established') this.#move('fin-wait-1');
    else if (this.#state === 'close-wait') this.#move('last-ack');
    this.#flush();
  }

  abort(): void {
    this.#sendReset();
    this.#move('closed');
  }

  wake(): void {
    this.#host.wake(this);
  }

  // What the engine passes on.

  /** Tells the user what happened, then sends what is due. */
  settle(at: Micros): void {
    this.stream.deliver(at);
    this.#flush();
  }

  /** Ends the connection with an error, without a word to the peer. */
  fail(kind: HalErrorKind, detail: string): void {
    this.stream.closed({ kind, detail });
    this.#move('closed');
    this.wake();
  }

  /** Leaves TIME-WAIT early. */
  forget(): void {
    this.#move('closed');
  }

  /** Only an attempt is given up for that (RFC 1122 part 4.2.3.9); an open connection goes on trying until its own time is over. */
  undelivered({ kind, detail, mtu, sequence }: Pick<Undelivered, 'kind' | 'detail' | 'mtu'> & { sequence: number }): void {
    if (this.#state === 'syn-sent') {
      if (sequence === this.#initial && kind !== 'too-big') this.fail(kind, detail);
      return;
    }
    const { unacknowledged, sequence: highest } = this.#sender;
    const inFlight = distance(unacknowledged, sequence) >= 0 && distance(sequence, highest) > 0;
    if (kind !== 'too-big' || !inFlight || !this.#isOpen) return;
    this.#sender.shrink(Math.max(DEFAULT_MSS, (mtu ?? 0) - HEADERS));
    this.#flush();
  }

  onSegment(segment: TcpSegment): void {
    if (this.#state === 'syn-sent') this.#inSynSent(segment);
    else if (this.#state !== 'closed') this.#inSynchronized(segment, this.#receiver!);
    this.wake();
  }

  // The connection is being made (RFC 9293 part 3.10.7.3).

  #inSynSent(segment: TcpSegment): void {
    const { flags, acknowledgment } = segment;
    const acknowledges = (flags & TcpFlag.ack) !== 0;
    if (acknowledges && acknowledgment !== this.#sender.sequence) {
      if (!(flags & TcpFlag.rst)) this.#send(TcpFlag.rst, acknowledgment);
      return;
    }
    if (flags & TcpFlag.rst) {
      if (acknowledges) this.fail('refused', 'the peer refused the connection');
      return;
    }
    if (!(flags & TcpFlag.syn)) return;
    this.#takeSyn(segment);
    if (acknowledges) {
      this.#establish(segment);
      this.#ackDue = true;
      return;
    }
    this.#synsSent = 0;
    this.#sendSyn();
  }

  #takeSyn({ sequence, mss }: TcpSegment): void {
    this.#receiver = new TcpReceiver(sequence, this.#mss);
    this.#peerMss = Math.max(SMALLEST_MSS, mss ?? DEFAULT_MSS);
    this.#move('syn-received');
  }

  #sendSyn(): void {
    const now = this.#host.now();
    if (this.#synsSent === 0) this.#synAt = now;
    this.#timer.set(now + INITIAL_RTO * 2 ** this.#synsSent);
    this.#synsSent++;
    this.#resendSyn();
  }

  #resendSyn(): void {
    const receiver = this.#receiver;
    const flags = TcpFlag.syn | (receiver ? TcpFlag.ack : 0);
    const header = { sequence: this.#initial, acknowledgment: receiver?.next ?? 0, flags, window: RECEIVE_WINDOW, mss: this.#mss };
    this.#host.transmit(this.ends, header, 0);
  }

  #establish({ window, sequence }: TcpSegment): void {
    const once = this.#synsSent === 1;
    this.#sender.open({
      mss: Math.min(this.#mss, this.#peerMss),
      window,
      windowFrom: sequence,
      synLost: !once,
      ...(once ? { roundTrip: this.#host.now() - this.#synAt } : {}),
    });
    this.#timer.clear();
    const { local, peer } = this.#host.describe(this.ends);
    this.stream.opened(local, peer);
    this.#move(this.#sender.ended ? 'fin-wait-1' : 'established');
  }

  // The connection is there (RFC 9293 part 3.10.7.4).

  #inSynchronized(segment: TcpSegment, receiver: TcpReceiver): void {
    const { flags, sequence } = segment;
    if (!this.#mayArrive(segment, receiver)) return;
    if (flags & TcpFlag.rst) {
      // RFC 5961 part 3.2: a reset counts only when it is exactly the next; any other is answered, so that an honest peer corrects it.
      if (sequence === receiver.next) this.#onReset();
      else this.#challenge();
      return;
    }
    if (flags & TcpFlag.syn) this.#challenge();
    else if (flags & TcpFlag.ack) this.#inOrder(segment, receiver);
  }

  #inOrder(segment: TcpSegment, receiver: TcpReceiver): void {
    const { acknowledgment } = segment;
    if (this.#state === 'syn-received') {
      if (acknowledgment !== this.#sender.sequence) {
        this.#send(TcpFlag.rst, acknowledgment);
        return;
      }
      this.#establish(segment);
    }
    const { unacknowledged, sequence: highest, largestWindow } = this.#sender;
    const octets = distance(unacknowledged, acknowledgment);
    // RFC 5961 part 5.2: an ACK of what was never sent, or of long ago, was not made by an honest peer.
    if (octets > distance(unacknowledged, highest) || octets < -largestWindow) {
      this.#challenge();
      return;
    }
    if (octets >= 0) this.#onAck(segment);
    this.#onData(segment, receiver);
  }

  /** The first check: in the window. What lies outside is answered with where we are. */
  #mayArrive({ flags, sequence, payload }: TcpSegment, receiver: TcpReceiver): boolean {
    const length = payload.length + (flags & TcpFlag.syn ? 1 : 0) + (flags & TcpFlag.fin ? 1 : 0);
    if (receiver.acceptable(sequence, length)) return true;
    // A closed window takes no data, but what the next segment acknowledges counts.
    if (receiver.window === 0 && sequence === receiver.next) return true;
    if (flags & TcpFlag.rst) return false;
    if (flags & TcpFlag.syn) {
      if (this.#state === 'syn-received' && advance(sequence, 1) === receiver.next) this.#resendSyn();
      else this.#challenge();
    } else if (length > 0) {
      // Data or FIN again: our ACK was lost.
      if (this.#state === 'time-wait') this.#timer.set(this.#host.now() + TIME_WAIT);
      this.#ackDue = true;
    } else this.#challenge();
    return false;
  }

  #onReset(): void {
    if (this.#state === 'time-wait') this.#move('closed');
    else if (this.#state === 'syn-received') this.fail('refused', 'the peer gave the connection up before it was open');
    else this.fail('reset', 'the peer reset the connection');
  }

  #onAck({ sequence, acknowledgment, window, flags, payload }: TcpSegment): void {
    const bare = payload.length === 0 && !(flags & TcpFlag.fin);
    this.#sender.acknowledge({ sequence, acknowledgment, window, bare }, this.#host.now());
    // Half a buffer of room: less would wake the writer for every segment.
    if (this.#writableDue && this.#sender.room >= SEND_BUFFER / 2) {
      this.#writableDue = false;
      this.stream.writable();
    }
    if (!this.#sender.done) return;
    if (this.#state === 'fin-wait-1') this.#move('fin-wait-2');
    else if (this.#state === 'closing') this.#enterTimeWait();
    else if (this.#state === 'last-ack') {
      this.stream.closed();
      this.#move('closed');
    }
  }

  #onData({ sequence, payload, flags }: TcpSegment, receiver: TcpReceiver): void {
    const fin = (flags & TcpFlag.fin) !== 0;
    const receiving = this.#state === 'established' || this.#state === 'fin-wait-1' || this.#state === 'fin-wait-2';
    if (!receiving || (payload.length === 0 && !fin)) return;
    // A duplicate ACK leaves at once and alone, so that the peer can count it (RFC 5681 part 4.2).
    this.#ackDue = true;
    if (!receiver.accept(sequence, payload, fin)) this.#sendAck();
    if (!receiver.finished) return;
    this.stream.ended();
    if (this.#state === 'established') this.#move('close-wait');
    else if (this.#state === 'fin-wait-1') this.#move('closing');
    else this.#enterTimeWait();
  }

  #enterTimeWait(): void {
    this.stream.closed();
    this.#timer.set(this.#host.now() + TIME_WAIT);
    this.#move('time-wait');
  }

  // Time.

  #onTimer(): void {
    if (this.#state === 'time-wait') {
      this.#move('closed');
    } else if (this.#state === 'syn-sent' || this.#state === 'syn-received') {
      const tries = 1 + (this.#state === 'syn-sent' ? SYN_RETRIES : SYN_ACK_RETRIES);
      if (this.#synsSent < tries) this.#sendSyn();
      else this.fail('timeout', `no answer to ${tries} SYN segments`);
    } else if (this.#sender.expire(this.#host.now())) this.#flush();
    else {
      // As BSD does: should the path come back, the peer learns that there is nobody any more.
      this.#sendReset();
      this.fail('timeout', `the peer acknowledged nothing for ${USER_TIMEOUT / SECOND} s`);
    }
  }

  // Sending.

  /** Whether data may be sent. */
  get #isOpen(): boolean {
    return this.#state !== 'syn-sent' && this.#state !== 'syn-received' && this.#state !== 'time-wait' && this.#state !== 'closed';
  }

  #flush(): void {
    if (this.#isOpen) {
      const now = this.#host.now();
      for (let chunk = this.#sender.next(now); chunk; chunk = this.#sender.next(now)) {
        const { sequence, length, fin, push } = chunk;
        const flags = TcpFlag.ack | (fin ? TcpFlag.fin : 0) | (push && length > 0 ? TcpFlag.psh : 0);
        const sent = chunk;
        this.#send(flags, sequence, length, (frame, at) => this.#sender.copy(sent, frame, at));
      }
      const { deadline } = this.#sender;
      if (deadline === undefined) this.#timer.clear();
      else if (this.#timer.due !== deadline) this.#timer.set(deadline);
    }
    if (this.#ackDue || (this.#isOpen && this.#receiver?.windowOpened)) this.#sendAck();
  }

  #sendAck(): void {
    if (this.#state !== 'closed') this.#send(TcpFlag.ack, this.#sender.sequence);
    this.#ackDue = false;
  }

  /** Where the peer may think that the connection is there (RFC 9293 part 3.10.5). */
  #sendReset(): void {
    const open = ['syn-received', 'established', 'fin-wait-1', 'fin-wait-2', 'close-wait'].includes(this.#state);
    if (open) this.#send(TcpFlag.rst | TcpFlag.ack, this.#sender.sequence);
  }

  #challenge(): void {
    const now = this.#host.now();
    if (this.#challengedAt !== undefined && now - this.#challengedAt < CHALLENGE_INTERVAL) return;
    this.#challengedAt = now;
    this.#sendAck();
  }

  #send(flags: number, sequence: number, length = 0, fill?: (frame: Uint8Array, at: number) => void): void {
    const acknowledgment = flags & TcpFlag.ack ? (this.#receiver?.next ?? 0) : 0;
    const window = flags & TcpFlag.rst ? 0 : (this.#receiver?.offer() ?? 0);
    this.#host.transmit(this.ends, { sequence, acknowledgment, flags, window }, length, fill);
    if (flags & TcpFlag.ack) this.#ackDue = false;
  }

  #move(state: TcpState): void {
    if (this.#state === state) return;
    this.#state = state;
    if (state === 'closed') this.#timer.clear();
    this.#host.moved(this);
  }
}
