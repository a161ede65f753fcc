/**
 * Finds MACs of neighbours (RFC 826) and answers for our own address. An address conflict is not detected (RFC 5227): the lease came
 * from a server that is expected to probe.
 */
import { SECOND } from '../base/time.js';
import type { Timer, Timers } from '../base/timers.js';
import type { Micros } from '../hal.js';
import { BROADCAST_MAC, type Ipv4, isGroupMac, type Mac, putMac, UNSPECIFIED } from './address.js';
import { type ArpPacket, encodeArp } from './arp.codec.js';
import type { StackCounters } from './counters.js';

/** Neighbours remembered: a simulated server talks to a thousand devices; who was heard longest ago is forgotten first. */
const CACHE_LIMIT = 2048;
/** An entry unconfirmed for that long is asked for anew (RFC 1122 part 2.3.2.1: "on the order of a minute"). */
const LIFETIME: Micros = 60 * SECOND;
/**
 * Requests, and the time between them (RFC 1122 part 2.3.2.1: no more often), before a neighbour counts as unreachable. As many as lwIP
 * sends (ARP_MAXPENDING): of Linux's three all are lost once in 150 times where every link loses one frame in twenty.
 */
const TRIES = 5;
const RETRY: Micros = SECOND;
/** Packets held for one neighbour (Linux held 3 for long), and neighbours asked for at a time. */
const QUEUE_LIMIT = 4;
const RESOLUTION_LIMIT = 256;

export interface ArpOptions {
  mac: Mac;
  timers: Timers;
  now(): Micros;
  counters: StackCounters;
  transmit(frame: Uint8Array): void;
  /** A frame that was given up, for want of an answer. */
  unreachable(frame: Uint8Array): void;
}

interface Neighbour {
  mac: Mac;
  expires: Micros;
}
interface Resolution {
  frames: Uint8Array[];
  tries: number;
  timer: Timer;
}

export class ArpEngine {
  readonly #options: ArpOptions;
  readonly #cache = new Map<Ipv4, Neighbour>();
  readonly #asked = new Map<Ipv4, Resolution>();
  #address: Ipv4 = UNSPECIFIED;

  constructor(options: ArpOptions) {
    this.#options = options;
  }

  /** Our own address, or none. */
  setAddress(address: Ipv4): void {
    this.#address = address;
    this.announce();
  }

  /** Tells where our address is (RFC 5227 part 3), so that neighbours correct what they remember. */
  announce(): void {
    if (this.#address !== UNSPECIFIED) this.#request(this.#address);
  }

  /** Sends a frame that lacks its destination MAC, now or when the neighbour has answered. */
  send(frame: Uint8Array, neighbour: Ipv4): void {
    const known = this.#cache.get(neighbour);
    if (known && known.expires > this.#options.now()) {
      putMac(frame, 0, known.mac);
      this.#options.transmit(frame);
      return;
    }
    const asked = this.#asked.get(neighbour) ?? this.#ask(neighbour);
    if (!asked) return void this.#options.counters.overflow++;
    asked.frames.push(frame);
    // The oldest goes: whoever retransmits has the newer one at heart.
    if (asked.frames.length > QUEUE_LIMIT) {
      asked.frames.shift();
      this.#options.counters.overflow++;
    }
  }

  receive(packet: ArpPacket): void {
    const { sender, senderMac, target } = packet;
    if (isGroupMac(senderMac) || sender === this.#address) return;
    const forUs = target === this.#address && target !== UNSPECIFIED;
    // Known neighbours are corrected, new ones learned only when they speak to us: a broadcast fills nobody's cache (RFC 826).
    if (sender !== UNSPECIFIED && (forUs || this.#cache.has(sender) || this.#asked.has(sender))) this.#learn(sender, senderMac);
    if (!forUs || packet.operation !== 'request') return;
    const { mac, transmit } = this.#options;
    transmit(encodeArp({ operation: 'reply', senderMac: mac, sender: target, targetMac: senderMac, target: sender }, senderMac));
  }

  /** A packet from that neighbour came in: what is remembered about it still holds. */
  confirm(neighbour: Ipv4, mac: Mac): void {
    const known = this.#cache.get(neighbour);
    if (known?.mac === mac) known.expires = this.#options.now() + LIFETIME;
  }

  /** Forgets all neighbours: another network may be at the other end of the cable. */
  forget(): void {
    this.#cache.clear();
  }

  #learn(neighbour: Ipv4, mac: Mac): void {
    this.#cache.delete(neighbour);
    if (this.#cache.size >= CACHE_LIMIT) this.#cache.delete(this.#cache.keys().next().value!);
    this.#cache.set(neighbour, { mac, expires: this.#options.now() + LIFETIME });
    const asked = this.#asked.get(neighbour);
    if (!asked) return;
    this.#asked.delete(neighbour);
    asked.timer.clear();
    for (const frame of asked.frames) this.send(frame, neighbour);
  }

  #ask(neighbour: Ipv4): Resolution | undefined {
    if (this.#asked.size >= RESOLUTION_LIMIT) return undefined;
    const asked: Resolution = { frames: [], tries: 0, timer: this.#options.timers.create('arp', (at) => this.#try(neighbour, asked, at)) };
    this.#asked.set(neighbour, asked);
    this.#try(neighbour, asked, this.#options.now());
    return asked;
  }

  #try(neighbour: Ipv4, asked: Resolution, at: Micros): void {
    if (asked.tries++ < TRIES) {
      asked.timer.set(at + RETRY);
      this.#request(neighbour);
      return;
    }
    this.#asked.delete(neighbour);
    this.#options.counters.unresolved += asked.frames.length;
    for (const frame of asked.frames) this.#options.unreachable(frame);
  }

  #request(target: Ipv4): void {
    const { mac, transmit } = this.#options;
    transmit(encodeArp({ operation: 'request', senderMac: mac, sender: this.#address, targetMac: 0, target }, BROADCAST_MAC));
  }
}
