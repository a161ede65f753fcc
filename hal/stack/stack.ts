/** Joins the parts of the stack over one raw interface. */
import { type Observable, Subject } from 'rxjs';
import { hex } from '../base/bytes.js';
import { expectOk, invariant } from '../base/result.js';
import { Timers } from '../base/timers.js';
import type { Clock, Entropy, FramePort, IpAddress, Lease, LinkState, MacAddress, Micros, Net, Nic } from '../hal.js';
import { ipv4Text, isGroupMac, type Mac, parseIpv4, parseMac, UNSPECIFIED } from './address.js';
import { decodeArp } from './arp.codec.js';
import { ArpEngine } from './arp.engine.js';
import { newCounters, type StackCounters } from './counters.js';
import { DHCP_CLIENT_PORT, DHCP_SERVER_PORT, decodeDhcp, encodeDhcp } from './dhcp.codec.js';
import { DhcpClient } from './dhcp.engine.js';
import { Resolver } from './dns.engine.js';
import { decodeEthernet, ETHERNET_HEADER, EtherType } from './ethernet.codec.js';
import { UnreachableCode } from './icmp.codec.js';
import { IcmpEngine } from './icmp.engine.js';
import { decodeQuoted, Protocol } from './ipv4.codec.js';
import { type Incoming, Ipv4Engine } from './ipv4.engine.js';
import { random32 } from './random.js';
import { TcpEngine } from './tcp.engine.js';
import { UdpEngine } from './udp.engine.js';
import type { Undelivered } from './unreachable.js';

/** What the stack stands on: an interface that carries frames. The stack is the one listener of `frames`. */
export interface StackNic {
  mac: MacAddress;
  /** Octets of an IP packet that fit a frame. */
  mtu: number;
  link(): LinkState;
  link$: Observable<LinkState & { at: Micros }>;
  frames: FramePort;
}

/** A lease that nobody grants: it is there from the start and never ends. */
export interface StaticAddress {
  address: IpAddress;
  /** Length of the network prefix, in bits. */
  prefix: number;
  gateway?: IpAddress;
  dns?: readonly IpAddress[];
  ntp?: readonly IpAddress[];
  domain?: string;
}

export interface StackOptions {
  nic: StackNic;
  /** The stack's own: it takes the alarm (`shareAlarm` makes several of one). */
  clock: Clock;
  entropy: Entropy;
  address: 'dhcp' | StaticAddress;
  /** DHCP option 12. */
  hostname?: string;
}

export interface Stack {
  nic: Nic;
  net: Net;
  counters: Readonly<StackCounters>;
}

/**
 * A host on `nic`. `lease$` tells changes only: ask `lease()` first. The lease is kept while the link is down and verified when it
 * comes back; connections live through that, and end when the address does. `net` speaks IPv4 to addresses; names are `resolve`d.
 */
export function createStack(options: StackOptions): Stack {
  return new Host(options).ports();
}

class Host {
  readonly #nic: StackNic;
  readonly #mac: Mac;
  readonly #counters = newCounters();
  readonly #lease$ = new Subject<{ lease: Lease | undefined; at: Micros }>();
  readonly #now: () => Micros;
  readonly #arp: ArpEngine;
  readonly #ip: Ipv4Engine;
  readonly #icmp: IcmpEngine;
  readonly #udp: UdpEngine;
  readonly #tcp: TcpEngine;
  readonly #resolver: Resolver;
  readonly #dhcp: DhcpClient | undefined;
  #lease: Lease | undefined;

  constructor({ nic, clock, entropy, address, hostname }: StackOptions) {
    const mac = parseMac(nic.mac);
    invariant(mac !== undefined, `${nic.mac} is not a MAC address`);
    const counters = this.#counters;
    const timers = new Timers(clock);
    const now = (): Micros => clock.now();
    const transmit = (frame: Uint8Array): void => this.#transmit(frame);
    this.#nic = nic;
    this.#mac = mac;
    this.#now = now;
    this.#arp = new ArpEngine({ mac, timers, now, counters, transmit, unreachable: (frame) => this.#unresolved(frame) });
    this.#ip = new Ipv4Engine({
      mac,
      mtu: nic.mtu,
      timers,
      now,
      counters,
      transmit,
      sendToNeighbour: (frame, neighbour) => this.#arp.send(frame, neighbour),
      heardFrom: (neighbour, from) => this.#arp.confirm(neighbour, from),
      deliver: (incoming, at) => this.#deliver(incoming, at),
    });
    this.#icmp = new IcmpEngine(this.#ip, counters, (what) => this.#undelivered(what));
    this.#udp = new UdpEngine(this.#ip, entropy, counters);
    this.#tcp = new TcpEngine({ ip: this.#ip, timers, now, entropy, counters });
    this.#resolver = new Resolver({
      timers,
      now,
      entropy,
      udp: () => this.#udp.open({ port: 0 }),
      servers: () => this.#lease?.dns ?? [],
    });
    nic.frames.onFrame((frame, at) => this.#onFrame(frame, at));
    if (address === 'dhcp') this.#dhcp = this.#createDhcp(timers, entropy, hostname);
    else this.#configure({ dns: [], ntp: [], ...address, options: new Map() });
    nic.link$.subscribe(({ up }) => this.#onLink(up));
    if (nic.link().up) this.#dhcp?.start();
  }

  ports(): Stack {
    const nic = this.#nic;
    return {
      nic: {
        mac: nic.mac,
        mtu: nic.mtu,
        link: () => nic.link(),
        link$: nic.link$,
        lease: () => this.#lease,
        lease$: this.#lease$.asObservable(),
      },
      net: {
        udp: (options) => this.#udp.open(options),
        connect: (to) => this.#tcp.connect(to),
        listen: (options, onStream) => this.#tcp.listen(options, onStream),
        resolve: (name, type, done) => this.#resolver.resolve(name, type, done),
      },
      counters: this.#counters,
    };
  }

  #createDhcp(timers: Timers, entropy: Entropy, hostname: string | undefined): DhcpClient {
    const socket = expectOk(this.#udp.open({ port: DHCP_CLIENT_PORT }), 'the DHCP client port');
    const client = new DhcpClient(
      {
        now: this.#now,
        timer: (fire) => timers.create('dhcp', fire),
        random: () => random32(entropy),
        // A message that cannot leave is lost, as on the way: the client asks again.
        send: (message, to) => void socket.send({ address: to, port: DHCP_SERVER_PORT }, encodeDhcp(message)),
        leased: (lease) => this.#leased(lease),
      },
      this.#nic.mac,
      hostname,
    );
    socket.onDatagram((bytes, from) => {
      const message = from.port === DHCP_SERVER_PORT ? decodeDhcp(bytes) : undefined;
      if (message) client.receive(message);
    });
    return client;
  }

  #leased(lease: Lease | undefined): void {
    if (sameLease(lease, this.#lease)) return;
    this.#configure(lease);
    this.#lease$.next({ lease, at: this.#now() });
  }

  #configure(lease: Lease | undefined): void {
    const before = this.#ip.own?.address;
    const address = lease && parseIpv4(lease.address);
    const gateway = lease?.gateway === undefined ? undefined : parseIpv4(lease.gateway);
    invariant(!lease || address !== undefined, `${lease?.address} is not an IPv4 address`);
    this.#lease = lease;
    this.#ip.configure(
      lease && address !== undefined ? { address, prefix: lease.prefix, ...(gateway === undefined ? {} : { gateway }) } : undefined,
    );
    this.#arp.setAddress(address ?? UNSPECIFIED);
    if (before !== undefined && before !== address) this.#tcp.addressChanged();
  }

  #onLink(up: boolean): void {
    if (!up) {
      // Another network may be at the other end of the cable when it comes back.
      this.#arp.forget();
      this.#dhcp?.stop();
      return;
    }
    this.#dhcp?.start();
    this.#arp.announce();
  }

  #onFrame(bytes: Uint8Array, at: Micros): void {
    this.#counters.framesIn++;
    const frame = decodeEthernet(bytes);
    if (!frame) return void this.#counters.malformed++;
    const forUs = frame.destination === this.#mac || isGroupMac(frame.destination);
    if (!forUs || isGroupMac(frame.source)) return void this.#counters.notForUs++;
    if (frame.type === EtherType.ipv4) this.#ip.receive(frame, at);
    else if (frame.type === EtherType.arp) this.#onArp(frame.payload);
    else this.#counters.noListener++;
  }

  #onArp(payload: Uint8Array): void {
    const packet = decodeArp(payload);
    if (packet) this.#arp.receive(packet);
    else this.#counters.malformed++;
  }

  #deliver(incoming: Incoming, at: Micros): void {
    const { protocol } = incoming.packet;
    if (protocol === Protocol.tcp) this.#tcp.receive(incoming, at);
    else if (protocol === Protocol.icmp) this.#icmp.receive(incoming);
    else if (protocol !== Protocol.udp) this.#refuse(incoming, UnreachableCode.protocol, at);
    else if (!this.#udp.receive(incoming, at)) this.#refuse(incoming, UnreachableCode.port, at);
  }

  #refuse(incoming: Incoming, code: number, at: Micros): void {
    this.#counters.noListener++;
    this.#icmp.sendUnreachable(incoming, code, at);
  }

  #transmit(frame: Uint8Array): void {
    if (this.#nic.frames.send(frame)) this.#counters.framesOut++;
    else this.#counters.framesRefused++;
  }

  /** ARP gave a frame of ours up: to its sender that is the same as a router's word. */
  #unresolved(frame: Uint8Array): void {
    const quoted = decodeQuoted(frame.subarray(ETHERNET_HEADER));
    if (quoted)
      this.#undelivered({ ...quoted, kind: 'unreachable', detail: `no answer to ARP on the way to ${ipv4Text(quoted.destination)}` });
  }

  #undelivered(what: Undelivered): void {
    if (what.protocol === Protocol.udp) this.#udp.undelivered(what);
    else if (what.protocol === Protocol.tcp) this.#tcp.undelivered(what);
  }
}

/** By value; the lease's own octets and addresses are few. */
function sameLease(a: Lease | undefined, b: Lease | undefined): boolean {
  const text = (lease: Lease | undefined): string =>
    JSON.stringify(lease && { ...lease, options: [...lease.options].map(([code, value]) => [code, hex(value)]) });
  return text(a) === text(b);
}
