/** Sends and receives IPv4 packets (RFC 791, RFC 1122 part 3) of one address on one interface. It forwards and fragments nothing. */
import { BoundedQueue } from '../base/bounded-queue.js';
import { fail, ok } from '../base/result.js';
import type { Timer, Timers } from '../base/timers.js';
import type { HalError, HalErrorKind, Micros, Result } from '../hal.js';
import {
  BROADCAST_MAC,
  type Ipv4,
  ipv4Text,
  isGroupMac,
  isLoopback,
  isMulticast,
  LIMITED_BROADCAST,
  type Mac,
  multicastMac,
  netmask,
  UNSPECIFIED,
} from './address.js';
import type { StackCounters } from './counters.js';
import { ETHERNET_HEADER, type EthernetFrame, EtherType, writeEthernet } from './ethernet.codec.js';
import { decodeIpv4, IPV4_HEADER, type Ipv4Packet, Protocol, writeIpv4 } from './ipv4.codec.js';

/** Where the transport's header stands in a frame made by `newFrame`. */
export const TRANSPORT_AT = ETHERNET_HEADER + IPV4_HEADER;
/** RFC 1122 part 3.2.1.7 asks for at least the diameter of the Internet; 64 is the assigned default. */
const TTL = 64;
/** RFC 1112 part 6.1: multicast stays on the local network unless asked otherwise. */
const MULTICAST_TTL = 1;
/** Packets on their way to ourselves; one more is dropped, as a full interface would. */
const LOOPBACK_LIMIT = 64;
/** Groups joined at a time: a board listens to one page group and a handful of zones. */
const GROUP_LIMIT = 32;

export interface Ipv4Address {
  address: Ipv4;
  prefix: number;
  gateway?: Ipv4;
}
export interface Route {
  source: Ipv4;
  destination: Ipv4;
  /** How it leaves: to ourselves, to a group's MAC, or to a neighbour. */
  via: { type: 'loopback' } | { type: 'group'; mac: Mac } | { type: 'neighbour'; address: Ipv4 };
}
export interface Incoming {
  packet: Ipv4Packet;
  /** It was sent to more hosts than us. */
  group: boolean;
  /** The packet from its header on, for the error that quotes it. */
  bytes: Uint8Array;
}

export interface Ipv4Options {
  mac: Mac;
  mtu: number;
  timers: Timers;
  now(): Micros;
  counters: StackCounters;
  transmit(frame: Uint8Array): void;
  /** Sends a frame that lacks its destination MAC to a neighbour. */
  sendToNeighbour(frame: Uint8Array, neighbour: Ipv4): void;
  heardFrom(neighbour: Ipv4, mac: Mac): void;
  deliver(packet: Incoming, at: Micros): void;
}

/** A frame with room for `length` octets of transport header and data. */
export const newFrame = (length: number): Uint8Array => new Uint8Array(TRANSPORT_AT + length);

export class Ipv4Engine {
  readonly #options: Ipv4Options;
  readonly #looped = new BoundedQueue<Uint8Array>(LOOPBACK_LIMIT);
  readonly #loop: Timer;
  /** Groups joined, with the number of sockets that joined each. */
  readonly #groups = new Map<Ipv4, number>();
  #own: Ipv4Address | undefined;

  constructor(options: Ipv4Options) {
    this.#options = options;
    this.#loop = options.timers.create('loopback', () => this.#deliverLooped());
  }

  /** Octets of a packet. */
  get mtu(): number {
    return this.#options.mtu;
  }

  get own(): Ipv4Address | undefined {
    return this.#own;
  }

  configure(own: Ipv4Address | undefined): void {
    this.#own = own;
  }

  isOwn(address: Ipv4): boolean {
    return isLoopback(address) || (this.#own !== undefined && address === this.#own.address);
  }

  /** Undefined where there is no way: no address yet, or neither on the network nor a gateway. */
  route(destination: Ipv4): Route | undefined {
    const own = this.#own;
    if (this.isOwn(destination)) return { source: destination, destination, via: { type: 'loopback' } };
    if (this.#isBroadcast(destination)) {
      return { source: own?.address ?? UNSPECIFIED, destination, via: { type: 'group', mac: BROADCAST_MAC } };
    }
    if (!own || destination === UNSPECIFIED) return undefined;
    const source = own.address;
    if (isMulticast(destination)) return { source, destination, via: { type: 'group', mac: multicastMac(destination) } };
    const neighbour = this.#onLink(destination) ? destination : own.gateway;
    return neighbour === undefined ? undefined : { source, destination, via: { type: 'neighbour', address: neighbour } };
  }

  /** Sends a frame of `newFrame` whose transport part is complete. */
  send(frame: Uint8Array, route: Route, protocol: number, dscp: number): 'sent' | Extract<HalErrorKind, 'too-big'> {
    const { mac, mtu, transmit, sendToNeighbour, now } = this.#options;
    const { source, destination, via } = route;
    if (frame.length - ETHERNET_HEADER > mtu) return 'too-big';
    const ttl = isMulticast(destination) ? MULTICAST_TTL : TTL;
    writeIpv4(frame, ETHERNET_HEADER, { source, destination, protocol, ttl, dscp }, frame.length - TRANSPORT_AT);
    if (via.type === 'loopback') {
      if (this.#looped.push(frame.subarray(ETHERNET_HEADER))) this.#loop.set(now());
      else this.#options.counters.overflow++;
      return 'sent';
    }
    writeEthernet(frame, { destination: via.type === 'group' ? via.mac : 0, source: mac, type: EtherType.ipv4 });
    if (via.type === 'group') transmit(frame);
    else sendToNeighbour(frame, via.address);
    return 'sent';
  }

  receive(frame: EthernetFrame, at: Micros): void {
    const packet = this.#decode(frame.payload);
    if (!packet) return;
    if (!this.#mayArrive(packet)) return void this.#options.counters.notForUs++;
    if (this.#onLink(packet.source)) this.#options.heardFrom(packet.source, frame.source);
    const { destination } = packet;
    const group = isGroupMac(frame.destination) || this.#isBroadcast(destination) || isMulticast(destination);
    this.#options.deliver({ packet, group, bytes: frame.payload }, at);
  }

  join(group: Ipv4): Result<void, HalError> {
    if (!isMulticast(group)) return fail('unsupported', `${ipv4Text(group)} is not a multicast group`);
    const members = this.#groups.get(group) ?? 0;
    if (members === 0 && this.#groups.size >= GROUP_LIMIT) return fail('full', `${GROUP_LIMIT} groups are joined already`);
    this.#groups.set(group, members + 1);
    return ok(undefined);
  }

  leave(group: Ipv4): void {
    const members = this.#groups.get(group) ?? 0;
    if (members > 1) this.#groups.set(group, members - 1);
    else this.#groups.delete(group);
  }

  #decode(bytes: Uint8Array): Ipv4Packet | undefined {
    const { counters } = this.#options;
    const decoded = decodeIpv4(bytes);
    if (!decoded.ok) return void counters[decoded.error === 'checksum' ? 'badChecksum' : 'malformed']++;
    if (decoded.value.fragment) return void counters.fragments++;
    return decoded.value;
  }

  #mayArrive({ source, destination, protocol }: Ipv4Packet): boolean {
    if (this.#isBroadcast(source) || isMulticast(source) || this.isOwn(source) || isLoopback(destination)) return false;
    if (this.isOwn(destination) || this.#isBroadcast(destination) || this.#groups.has(destination)) return true;
    // Before there is an address, a DHCP server may answer to the one it offers (RFC 2131 part 4.1).
    return this.#own === undefined && protocol === Protocol.udp && !isMulticast(destination);
  }

  #onLink(address: Ipv4): boolean {
    return this.#own !== undefined && ((address ^ this.#own.address) & netmask(this.#own.prefix)) >>> 0 === 0;
  }

  #isBroadcast(address: Ipv4): boolean {
    if (address === LIMITED_BROADCAST) return true;
    // A /31 and a /32 have no broadcast address (RFC 3021).
    return (
      this.#own !== undefined &&
      this.#own.prefix < 31 &&
      this.#onLink(address) &&
      (address | netmask(this.#own.prefix)) >>> 0 === LIMITED_BROADCAST
    );
  }

  #deliverLooped(): void {
    // As many as are there now: what they make us send to ourselves waits for the next turn.
    for (let left = this.#looped.size; left > 0; left--) {
      const bytes = this.#looped.shift()!;
      const packet = this.#decode(bytes);
      if (packet) this.#options.deliver({ packet, group: false, bytes }, this.#options.now());
    }
    if (this.#looped.size > 0) this.#loop.set(this.#options.now());
  }
}
