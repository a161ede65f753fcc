/**
 * The DHCP client (RFC 2131 part 4.4): gets an address, keeps it, and asks again whether it holds when the link comes back. It takes
 * the first offer, does not wait before the first DISCOVER, and neither declines (no conflict detection) nor releases.
 */

import { fromHex, fromLatin1, u32 } from '../base/bytes.js';
import { SECOND } from '../base/time.js';
import type { Timer } from '../base/timers.js';
import type { IpAddress, Lease, MacAddress, Micros } from '../hal.js';
import { ipv4Text, LIMITED_BROADCAST, prefixOf } from './address.js';
import { addressOption, type DhcpMessage, DhcpOption, optionAddresses, optionSeconds, optionText } from './dhcp.codec.js';

/** RFC 2131 part 4.1: 4 s, doubled up to 64 s, each give or take a random second. */
const FIRST_DELAY: Micros = 4 * SECOND;
const LAST_DELAY: Micros = 64 * SECOND;
/** REQUESTs without an answer before beginning anew (RFC 2131 part 4.4.5 speaks of four in 60 s). */
const REQUEST_TRIES = 4;
/** RFC 2131 part 4.4.5: renewing and rebinding ask no more often. */
const RENEW_INTERVAL: Micros = 60 * SECOND;
/** A shorter lease is not taken: it would be nothing but renewing. Seconds. */
const SHORTEST_LEASE = 10;
const INFINITE = 0xffffffff;
/** Where a server gives no usable mask. */
const DEFAULT_PREFIX = 24;
/** The options asked for, in this order; the ones about provisioning are handed on as received. */
const PROVISIONING = [DhcpOption.tftpServer, DhcpOption.tftpServerAddress, DhcpOption.vendorServer];
const ASKED = [
  DhcpOption.subnetMask,
  DhcpOption.router,
  DhcpOption.dns,
  DhcpOption.hostName,
  DhcpOption.domain,
  DhcpOption.ntp,
  DhcpOption.leaseTime,
  DhcpOption.serverId,
  DhcpOption.renewalTime,
  DhcpOption.rebindingTime,
  ...PROVISIONING,
];
const NOWHERE: IpAddress = '0.0.0.0';
const EVERYWHERE: IpAddress = ipv4Text(LIMITED_BROADCAST);

export interface DhcpHost {
  now(): Micros;
  timer(fire: () => void): Timer;
  /** A uniform draw of 32 bits. */
  random(): number;
  send(message: DhcpMessage, to: IpAddress): void;
  /** The lease as it now is; also when nothing about it changed. */
  leased(lease: Lease | undefined): void;
}

/** RFC 2131 figure 5; `stopped` while there is no link. */
export type DhcpState = 'stopped' | 'selecting' | 'requesting' | 'rebooting' | 'bound' | 'renewing' | 'rebinding';

interface Grant {
  lease: Lease;
  server: IpAddress;
  /** T1, T2 and the end; infinite for a lease without end. */
  renewAt: Micros;
  rebindAt: Micros;
  endsAt: Micros;
}

export class DhcpClient {
  readonly #host: DhcpHost;
  readonly #mac: MacAddress;
  readonly #hostname: string | undefined;
  readonly #timer: Timer;
  #state: DhcpState = 'stopped';
  #grant: Grant | undefined;
  #offered: { address: IpAddress; server: IpAddress } | undefined;
  #transaction = 0;
  #began: Micros = 0;
  #sentAt: Micros = 0;
  #tries = 0;
  /** Offers that were then refused, since the last lease. */
  #refusals = 0;

  constructor(host: DhcpHost, mac: MacAddress, hostname?: string) {
    this.#host = host;
    this.#mac = mac;
    this.#hostname = hostname;
    this.#timer = host.timer(() => this.#onTimer());
  }

  get state(): DhcpState {
    return this.#state;
  }

  /** The link is up: what was leased is verified (RFC 2131 part 3.2), or an address is looked for. */
  start(): void {
    if (this.#state !== 'stopped') return;
    if (this.#grant) this.#begin('rebooting');
    else this.#begin('selecting');
  }

  /** The link is down. The lease goes on until its end. */
  stop(): void {
    this.#state = 'stopped';
    this.#timer.clear();
    if (this.#grant && Number.isFinite(this.#grant.endsAt)) this.#timer.set(this.#grant.endsAt);
  }

  receive(message: DhcpMessage): void {
    if (message.op !== 'reply' || message.transaction !== this.#transaction || message.clientMac !== this.#mac) return;
    if (message.type === 'offer' && this.#state === 'selecting') this.#onOffer(message);
    else if (message.type === 'ack') this.#onAck(message);
    else if (message.type === 'nak') this.#onNak();
  }

  #onOffer({ yourAddress, options }: DhcpMessage): void {
    const [server] = optionAddresses(options.get(DhcpOption.serverId));
    if (!server || yourAddress === NOWHERE) return;
    this.#offered = { address: yourAddress, server };
    this.#state = 'requesting';
    this.#tries = 0;
    this.#ask();
  }

  #onAck(message: DhcpMessage): void {
    if (this.#state === 'stopped' || this.#state === 'selecting' || this.#state === 'bound') return;
    const grant = readGrant(message, this.#sentAt);
    if (!grant) return;
    this.#grant = grant;
    this.#refusals = 0;
    this.#bind(grant);
    this.#host.leased(grant.lease);
  }

  #onNak(): void {
    if (this.#state === 'stopped' || this.#state === 'selecting' || this.#state === 'bound') return;
    // A server that refuses what it offered would be asked in a circle: wait as after a DISCOVER without answer.
    const wait = this.#state === 'requesting';
    this.#lose();
    this.#state = 'selecting';
    if (wait) this.#timer.set(this.#host.now() + this.#delay(this.#refusals++));
    else this.#begin('selecting');
  }

  #bind({ renewAt }: Grant): void {
    this.#state = 'bound';
    if (Number.isFinite(renewAt)) this.#timer.set(renewAt);
    else this.#timer.clear();
  }

  #lose(): void {
    if (!this.#grant) return;
    this.#grant = undefined;
    this.#host.leased(undefined);
  }

  #onTimer(): void {
    const now = this.#host.now();
    if (this.#grant && now >= this.#grant.endsAt) this.#onEnd();
    else this.#onTry(now);
  }

  #onTry(now: Micros): void {
    switch (this.#state) {
      case 'requesting':
        if (this.#tries < REQUEST_TRIES) this.#ask();
        else this.#begin('selecting');
        break;
      case 'rebooting':
        // Nobody answers, and the lease still holds: it may be used (RFC 2131 part 3.2).
        if (this.#tries < REQUEST_TRIES) this.#ask();
        else if (this.#grant) this.#bind(this.#grant);
        break;
      case 'bound':
        this.#begin('renewing');
        break;
      case 'renewing':
        if (this.#grant && now >= this.#grant.rebindAt) this.#begin('rebinding');
        else this.#ask();
        break;
      case 'selecting':
      case 'rebinding':
        this.#ask();
        break;
      case 'stopped':
        break;
    }
  }

  #onEnd(): void {
    this.#lose();
    if (this.#state !== 'stopped') this.#begin('selecting');
  }

  /** A new exchange: another transaction, and the count of tries from the start. */
  #begin(state: 'selecting' | 'rebooting' | 'renewing' | 'rebinding'): void {
    this.#state = state;
    this.#transaction = this.#host.random();
    this.#began = this.#host.now();
    this.#tries = 0;
    this.#ask();
  }

  /** Sends what the state asks for, and sets the time of the next try. */
  #ask(): void {
    const now = this.#host.now();
    this.#sentAt = now;
    this.#timer.set(this.#nextTry(now));
    this.#tries++;
    const broadcast = this.#state !== 'renewing';
    const configured = this.#state === 'renewing' || this.#state === 'rebinding';
    const message: DhcpMessage = {
      op: 'request',
      type: this.#state === 'selecting' ? 'discover' : 'request',
      transaction: this.#transaction,
      seconds: Math.min(0xffff, Math.floor((now - this.#began) / SECOND)),
      // Before it is configured the client cannot be answered by unicast (RFC 2131 part 4.1).
      broadcast: !configured,
      clientAddress: configured ? this.#grant!.lease.address : NOWHERE,
      yourAddress: NOWHERE,
      serverAddress: NOWHERE,
      relayAddress: NOWHERE,
      clientMac: this.#mac,
      options: this.#options(),
    };
    this.#host.send(message, broadcast ? EVERYWHERE : this.#grant!.server);
  }

  /** Which address and server a message names: RFC 2131 table 5 and part 4.3.2. */
  #options(): Map<number, Uint8Array> {
    const options = new Map<number, Uint8Array>([[DhcpOption.clientId, fromHex(`01${this.#mac}`)!]]);
    if (this.#state === 'requesting') {
      options.set(DhcpOption.requestedAddress, addressOption(this.#offered!.address));
      options.set(DhcpOption.serverId, addressOption(this.#offered!.server));
    } else if (this.#state === 'rebooting') {
      options.set(DhcpOption.requestedAddress, addressOption(this.#grant!.lease.address));
    }
    options.set(DhcpOption.parameters, Uint8Array.from(ASKED));
    if (this.#hostname) options.set(DhcpOption.hostName, fromLatin1(this.#hostname));
    return options;
  }

  #nextTry(now: Micros): Micros {
    if (this.#state !== 'renewing' && this.#state !== 'rebinding') return now + this.#delay(this.#tries);
    const limit = this.#state === 'renewing' ? this.#grant!.rebindAt : this.#grant!.endsAt;
    // Half of what remains (RFC 2131 part 4.4.5).
    return Math.min(limit, now + Math.max(RENEW_INTERVAL, Math.floor((limit - now) / 2)));
  }

  #delay(tries: number): Micros {
    const random = (this.#host.random() % (2 * SECOND + 1)) - SECOND;
    return Math.min(LAST_DELAY, FIRST_DELAY * 2 ** tries) + random;
  }
}

/** The lease of an ACK to a request sent at `sentAt`, from when it counts (RFC 2131 part 4.4.1). Undefined where it cannot be used. */
function readGrant({ yourAddress, options }: DhcpMessage, sentAt: Micros): Grant | undefined {
  const [server] = optionAddresses(options.get(DhcpOption.serverId));
  const seconds = optionSeconds(options.get(DhcpOption.leaseTime));
  if (!server || yourAddress === NOWHERE || seconds === undefined || seconds < SHORTEST_LEASE) return undefined;
  const length = seconds === INFINITE ? Number.POSITIVE_INFINITY : seconds;
  const renew = optionSeconds(options.get(DhcpOption.renewalTime)) ?? length / 2;
  const rebind = optionSeconds(options.get(DhcpOption.rebindingTime)) ?? length * 0.875;
  const sane = renew > 0 && renew < rebind && rebind < length;
  const after = (count: number): Micros => sentAt + Math.floor(count * SECOND);
  return {
    lease: readLease(yourAddress, options),
    server,
    renewAt: after(sane ? renew : length / 2),
    rebindAt: after(sane ? rebind : length * 0.875),
    endsAt: after(length),
  };
}

function readLease(address: IpAddress, options: ReadonlyMap<number, Uint8Array>): Lease {
  const mask = options.get(DhcpOption.subnetMask);
  const [gateway] = optionAddresses(options.get(DhcpOption.router));
  const domain = options.get(DhcpOption.domain);
  const kept = PROVISIONING.flatMap((code) => {
    const value = options.get(code);
    // A copy: the datagram that it came in is valid during the call only (law 6).
    return value ? [[code, value.slice()] as const] : [];
  });
  return {
    address,
    prefix: (mask?.length === 4 ? prefixOf(u32(mask, 0)) : undefined) ?? DEFAULT_PREFIX,
    ...(gateway ? { gateway } : {}),
    dns: optionAddresses(options.get(DhcpOption.dns)),
    ntp: optionAddresses(options.get(DhcpOption.ntp)),
    ...(domain ? { domain: optionText(domain) } : {}),
    options: new Map(kept),
  };
}
