/** A DHCP server (RFC 2131) for one subnet: each MAC keeps its address. */
import { fromLatin1 } from '../../hal/base/bytes.js';
import { invariant, ok } from '../../hal/base/result.js';
import { SECOND } from '../../hal/base/time.js';
import type { HalError, IpAddress, MacAddress, Micros, Result, UdpSocket } from '../../hal/hal.js';
import {
  addressOption,
  DHCP_CLIENT_PORT,
  DHCP_SERVER_PORT,
  type DhcpMessage,
  type DhcpMessageType,
  DhcpOption,
  decodeDhcp,
  encodeDhcp,
  ipv4Text,
  netmask,
  optionAddresses,
  parseIpv4,
  secondsOption,
} from '../../hal/stack/index.js';
import type { Peer, PeerHost } from './peer-host.js';

export interface DhcpServerOptions {
  /** First and last address given out. */
  pool: { first: IpAddress; last: IpAddress };
  prefix: number;
  gateway?: IpAddress;
  dns?: readonly IpAddress[];
  ntp?: readonly IpAddress[];
  domain?: string;
  /** Where to be provisioned from: options 66 and 160 are texts, 150 addresses. */
  option66?: string;
  option160?: string;
  option150?: readonly IpAddress[];
  /** Seconds. */
  leaseTime?: number;
}

const DEFAULT_LEASE_SECONDS = 86_400;
/** An offer that nobody took is free again after this. */
const OFFER_HOLD: Micros = 60 * SECOND;
const BROADCAST = '255.255.255.255';
const NONE = '0.0.0.0';

interface Binding {
  mac: MacAddress;
  until: Micros;
}

/** Logs `server.leased {address, mac}` and `server.refused {detail}`. */
export function startDhcpServer(host: PeerHost, options: DhcpServerOptions): Result<Peer, HalError> {
  const socket = host.net.udp({ port: DHCP_SERVER_PORT });
  if (!socket.ok) return socket;
  const server = new DhcpServer(host, options, socket.value);
  socket.value.onDatagram((bytes) => {
    const message = decodeDhcp(bytes);
    if (message?.op === 'request') server.receive(message);
  });
  return ok({ close: () => socket.value.close() });
}

class DhcpServer {
  readonly #host: PeerHost;
  readonly #options: DhcpServerOptions;
  readonly #socket: UdpSocket;
  readonly #seconds: number;
  readonly #first: number;
  readonly #last: number;
  /** By address; never more than the pool has. */
  readonly #bindings = new Map<IpAddress, Binding>();

  constructor(host: PeerHost, options: DhcpServerOptions, socket: UdpSocket) {
    this.#host = host;
    this.#options = options;
    this.#socket = socket;
    this.#seconds = options.leaseTime ?? DEFAULT_LEASE_SECONDS;
    const [first, last] = [parseIpv4(options.pool.first), parseIpv4(options.pool.last)];
    invariant(first !== undefined && last !== undefined && first <= last, 'a DHCP pool runs from an address to a higher one');
    this.#first = first;
    this.#last = last;
  }

  receive(message: DhcpMessage): void {
    switch (message.type) {
      case 'discover':
        this.#discover(message);
        break;
      case 'request':
        this.#request(message);
        break;
      case 'inform':
        this.#reply(message, 'ack', NONE);
        break;
      case 'release':
        this.#release(message);
        break;
      case 'decline':
        this.#decline(message);
        break;
      default:
        break; // What servers send is not for us.
    }
  }

  #discover(message: DhcpMessage): void {
    const address = this.#choose(message);
    if (address === undefined) {
      this.#host.log('server.refused', { detail: `no address is free for ${message.clientMac}` });
      return;
    }
    this.#bind(address, message.clientMac, OFFER_HOLD);
    this.#reply(message, 'offer', address);
  }

  /** RFC 2131 4.3.2: the server meant is named, or the client asks about an address that it has. */
  #request(message: DhcpMessage): void {
    const server = optionAddresses(message.options.get(DhcpOption.serverId))[0];
    if (server !== undefined && server !== this.#host.address) return;
    const asked = optionAddresses(message.options.get(DhcpOption.requestedAddress))[0] ?? message.clientAddress;
    if (!this.#isFor(asked, message.clientMac)) {
      this.#reply(message, 'nak', NONE);
      return;
    }
    this.#bind(asked, message.clientMac, this.#seconds * SECOND);
    this.#host.log('server.leased', { address: asked, mac: message.clientMac });
    this.#reply(message, 'ack', asked);
  }

  #release(message: DhcpMessage): void {
    if (this.#bindings.get(message.clientAddress)?.mac === message.clientMac) this.#bindings.delete(message.clientAddress);
  }

  /** Someone else uses the address (RFC 2131 4.3.3): it is kept back for the time of a lease. */
  #decline(message: DhcpMessage): void {
    const address = optionAddresses(message.options.get(DhcpOption.requestedAddress))[0];
    if (address !== undefined && this.#isFor(address, message.clientMac)) this.#bind(address, '', this.#seconds * SECOND);
  }

  /** The client's own address, else the one that it asks for, else the first that is free. */
  #choose({ clientMac, options }: DhcpMessage): IpAddress | undefined {
    for (const [address, binding] of this.#bindings) if (binding.mac === clientMac) return address;
    const asked = optionAddresses(options.get(DhcpOption.requestedAddress))[0];
    if (asked !== undefined && this.#isFor(asked, clientMac)) return asked;
    for (let value = this.#first; value <= this.#last; value++) {
      const address = ipv4Text(value);
      if (this.#isFor(address, clientMac)) return address;
    }
    return undefined;
  }

  #isFor(address: IpAddress, mac: MacAddress): boolean {
    const value = parseIpv4(address);
    if (value === undefined || value < this.#first || value > this.#last) return false;
    const binding = this.#bindings.get(address);
    return !binding || binding.mac === mac || binding.until <= this.#host.clock.now();
  }

  #bind(address: IpAddress, mac: MacAddress, time: Micros): void {
    this.#bindings.set(address, { mac, until: this.#host.clock.now() + time });
  }

  #reply(request: DhcpMessage, type: DhcpMessageType, yourAddress: IpAddress): void {
    const bytes = encodeDhcp({
      op: 'reply',
      type,
      transaction: request.transaction,
      seconds: 0,
      broadcast: request.broadcast,
      clientAddress: type === 'ack' ? request.clientAddress : NONE,
      yourAddress,
      serverAddress: this.#host.address,
      relayAddress: NONE,
      clientMac: request.clientMac,
      options: type === 'nak' ? new Map([this.#serverId()]) : this.#grant(type === 'ack' && yourAddress === NONE),
    });
    // A client without an address is answered by broadcast, which RFC 2131 4.1 allows whether or not it asked for that.
    const configured = request.clientAddress !== NONE && type !== 'nak';
    this.#socket.send({ address: configured ? request.clientAddress : BROADCAST, port: DHCP_CLIENT_PORT }, bytes);
  }

  #serverId(): [number, Uint8Array] {
    return [DhcpOption.serverId, addressOption(this.#host.address)];
  }

  #grant(informed: boolean): Map<number, Uint8Array> {
    const { prefix, gateway, dns = [], ntp = [], domain, option66, option160, option150 = [] } = this.#options;
    const granted = new Map([this.#serverId()]);
    const put = (code: number, value: Uint8Array | undefined): void => {
      if (value && value.length > 0) granted.set(code, value);
    };
    const text = (value: string | undefined): Uint8Array | undefined => (value === undefined ? undefined : fromLatin1(value));
    if (!informed) put(DhcpOption.leaseTime, secondsOption(this.#seconds));
    put(DhcpOption.subnetMask, addressOption(ipv4Text(netmask(prefix))));
    put(DhcpOption.router, gateway === undefined ? undefined : addressOption(gateway));
    put(DhcpOption.dns, addressOption(...dns));
    put(DhcpOption.domain, text(domain));
    put(DhcpOption.ntp, addressOption(...ntp));
    put(DhcpOption.tftpServer, text(option66));
    put(DhcpOption.vendorServer, text(option160));
    put(DhcpOption.tftpServerAddress, addressOption(...option150));
    return granted;
  }
}
