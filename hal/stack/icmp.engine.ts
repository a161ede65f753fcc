/** Answers echo requests, says that a port is closed, and passes on what other hosts say about our packets (RFC 1122 part 3.2.2). */
import { SECOND } from '../base/time.js';
import type { Micros } from '../hal.js';
import { type Ipv4, ipv4Text, UNSPECIFIED } from './address.js';
import type { StackCounters } from './counters.js';
import { decodeIcmp, ICMP_HEADER, type IcmpMessage, IcmpType, UnreachableCode, writeIcmp } from './icmp.codec.js';
import { decodeQuoted, IPV4_HEADER, Protocol } from './ipv4.codec.js';
import { type Incoming, type Ipv4Engine, newFrame, TRANSPORT_AT } from './ipv4.engine.js';
import type { Undelivered } from './unreachable.js';

/** Errors sent a second: enough to tell a peer, too few to flood anyone with (RFC 1812 part 4.3.2.8; Linux's default is alike). */
const ERRORS_A_SECOND = 10;
/** Octets of the transport's header that an error quotes (RFC 792). */
const QUOTED = 8;

export class IcmpEngine {
  readonly #ip: Ipv4Engine;
  readonly #counters: StackCounters;
  readonly #undelivered: (what: Undelivered) => void;
  #second = -1;
  #sentThisSecond = 0;

  constructor(ip: Ipv4Engine, counters: StackCounters, undelivered: (what: Undelivered) => void) {
    this.#ip = ip;
    this.#counters = counters;
    this.#undelivered = undelivered;
  }

  receive({ packet, group }: Incoming): void {
    const decoded = decodeIcmp(packet.payload);
    if (!decoded.ok) return void this.#counters[decoded.error === 'checksum' ? 'badChecksum' : 'malformed']++;
    const message = decoded.value;
    // A broadcast echo is not answered (RFC 1122 part 3.2.2.6 allows it): one ping would make a whole network speak at once.
    if (message.type === IcmpType.echo && !group) this.#send(packet.source, { ...message, type: IcmpType.echoReply });
    else if (message.type === IcmpType.unreachable) this.#unreachable(message, packet.source);
  }

  /** Tells the sender that nobody takes a packet; never in answer to a group or to no address (RFC 1122 part 3.2.2). */
  sendUnreachable({ packet, group, bytes }: Incoming, code: number, at: Micros): void {
    if (group || packet.source === UNSPECIFIED || !this.#mayErr(at)) return;
    const header = (bytes[0]! & 15) * 4;
    this.#send(packet.source, { type: IcmpType.unreachable, code, rest: [0, 0], data: bytes.subarray(0, header + QUOTED) });
  }

  #mayErr(at: Micros): boolean {
    const second = Math.floor(at / SECOND);
    if (second !== this.#second) {
      this.#second = second;
      this.#sentThisSecond = 0;
    }
    return this.#sentThisSecond++ < ERRORS_A_SECOND;
  }

  #send(destination: Ipv4, message: IcmpMessage): void {
    const route = this.#ip.route(destination);
    if (!route) return;
    const frame = newFrame(ICMP_HEADER + message.data.length);
    writeIcmp(frame, TRANSPORT_AT, message);
    this.#ip.send(frame, route, Protocol.icmp, 0);
  }

  #unreachable(message: IcmpMessage, from: Ipv4): void {
    const quoted = decodeQuoted(message.data);
    if (!quoted || !this.#ip.isOwn(quoted.source)) return void this.#counters.malformed++;
    const { port, protocol, fragmentationNeeded } = UnreachableCode;
    const detail = `${ipv4Text(from)} answered ICMP unreachable, code ${message.code}`;
    if (message.code === fragmentationNeeded) {
      const mtu = message.rest[1];
      this.#undelivered({ ...quoted, kind: 'too-big', detail, ...(mtu > IPV4_HEADER ? { mtu } : {}) });
    } else {
      this.#undelivered({ ...quoted, kind: message.code === port || message.code === protocol ? 'refused' : 'unreachable', detail });
    }
  }
}
