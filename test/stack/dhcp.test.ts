import { describe, expect, it } from 'vitest';
import { fromLatin1 } from '../../hal/base/bytes.js';
import { MINUTE, SECOND } from '../../hal/base/time.js';
import type { Lease, Micros, UdpSocket } from '../../hal/hal.js';
import {
  addressOption,
  DHCP_CLIENT_PORT,
  DHCP_SERVER_PORT,
  type DhcpMessage,
  type DhcpMessageType,
  DhcpOption,
  decodeDhcp,
  encodeDhcp,
  optionAddresses,
  optionText,
  secondsOption,
} from '../../hal/stack/index.js';
import { End } from './streams.js';
import { host, seeded, type TestHost, Time, Wire } from './wire.js';

const SERVER = '10.0.0.1';

/** A DHCP server of one address, that can be made to misbehave. */
class Server {
  readonly heard: (DhcpMessage & { at: Micros; unicast: boolean })[] = [];
  address = '10.0.0.50';
  seconds = 600;
  silent = false;
  refuses = false;
  extra = new Map<number, Uint8Array>();
  readonly #socket: UdpSocket;

  constructor(
    readonly on: TestHost,
    readonly time: Time,
  ) {
    const socket = on.net.udp({ port: DHCP_SERVER_PORT });
    if (!socket.ok) throw new Error(socket.error.detail);
    this.#socket = socket.value;
    this.#socket.onDatagram((bytes, from) => {
      const message = decodeDhcp(bytes);
      if (message) this.#onMessage(message, from.address !== '0.0.0.0' && message.clientAddress !== '0.0.0.0');
    });
  }

  types(): string[] {
    return this.heard.map(({ type }) => type);
  }

  #onMessage(message: DhcpMessage, unicast: boolean): void {
    this.heard.push({ ...message, at: this.time.now, unicast });
    if (this.silent) return;
    if (message.type === 'discover') this.reply(message, 'offer');
    else this.reply(message, this.refuses ? 'nak' : 'ack');
  }

  reply(to: DhcpMessage, type: DhcpMessageType, changes: Partial<DhcpMessage> = {}): void {
    const reply: DhcpMessage = {
      ...to,
      op: 'reply',
      type,
      yourAddress: type === 'nak' ? '0.0.0.0' : this.address,
      options: new Map([
        [DhcpOption.serverId, addressOption(SERVER)],
        [DhcpOption.leaseTime, secondsOption(this.seconds)],
        [DhcpOption.subnetMask, addressOption('255.255.255.0')],
        [DhcpOption.router, addressOption('10.0.0.254')],
        [DhcpOption.dns, addressOption('10.0.0.1', '10.0.0.2')],
        [DhcpOption.ntp, addressOption('10.0.0.3')],
        [DhcpOption.domain, fromLatin1('example.test')],
        ...this.extra,
      ]),
      ...changes,
    };
    const destination = to.broadcast ? '255.255.255.255' : to.clientAddress;
    this.#socket.send({ address: destination, port: DHCP_CLIENT_PORT }, encodeDhcp(reply));
  }
}

function world() {
  const time = new Time();
  const wire = new Wire(time, seeded(3));
  const server = new Server(host(wire, SERVER), time);
  return { time, wire, server };
}

function plugged(of: { wire: Wire }): { client: TestHost; leases: { lease: Lease | undefined; at: Micros }[] } {
  const client = host(of.wire, 'dhcp', { hostname: 'lobby' });
  const leases: { lease: Lease | undefined; at: Micros }[] = [];
  client.nic.lease$.subscribe((change) => leases.push(change));
  return { client, leases };
}

describe('the DHCP client', () => {
  it('discovers, requests and is bound, with everything the lease says', () => {
    const all = world();
    all.server.extra.set(DhcpOption.tftpServer, fromLatin1('https://prov.example.test/'));
    all.server.extra.set(DhcpOption.vendorServer, fromLatin1('x'.repeat(300)));
    all.server.extra.set(43, fromLatin1('not kept'));
    const { client, leases } = plugged(all);
    expect(client.nic.lease()).toBeUndefined();
    all.time.run(SECOND);
    expect(all.server.types()).toEqual(['discover', 'request']);
    const [discover, request] = all.server.heard;
    expect([...discover!.options.get(DhcpOption.parameters)!]).toEqual([1, 3, 6, 12, 15, 42, 51, 54, 58, 59, 66, 150, 160]);
    expect(optionText(discover!.options.get(DhcpOption.hostName)!)).toBe('lobby');
    expect(discover).toMatchObject({ broadcast: true, clientAddress: '0.0.0.0' });
    expect(request!.transaction).toBe(discover!.transaction);
    expect(optionAddresses(request!.options.get(DhcpOption.requestedAddress))).toEqual(['10.0.0.50']);
    expect(optionAddresses(request!.options.get(DhcpOption.serverId))).toEqual([SERVER]);
    const lease = client.nic.lease()!;
    expect(lease).toMatchObject({ address: '10.0.0.50', prefix: 24, gateway: '10.0.0.254', dns: ['10.0.0.1', '10.0.0.2'] });
    expect(lease).toMatchObject({ ntp: ['10.0.0.3'], domain: 'example.test' });
    expect([...lease.options.keys()]).toEqual([66, 160]);
    expect(lease.options.get(160)).toHaveLength(300);
    expect(leases.map((change) => change.lease)).toEqual([lease]);
  });

  it('asks on, ever more rarely, until a server is there', () => {
    const all = world();
    all.server.silent = true;
    const { client } = plugged(all);
    all.time.run(10 * MINUTE);
    const gaps = all.server.heard.slice(1).map(({ at }, i) => Math.round((at - all.server.heard[i]!.at) / SECOND));
    for (const [i, gap] of gaps.entries()) expect(Math.abs(gap - Math.min(64, 4 * 2 ** i))).toBeLessThanOrEqual(1);
    expect(new Set(gaps.slice(4)).size).toBeGreaterThan(1);
    all.server.silent = false;
    all.time.run(12 * MINUTE);
    expect(client.nic.lease()?.address).toBe('10.0.0.50');
  });

  it('renews by unicast at half time, and says nothing when nothing changed', () => {
    const all = world();
    const { leases } = plugged(all);
    all.time.run(301 * SECOND);
    expect(all.server.types()).toEqual(['discover', 'request', 'request']);
    expect(all.server.heard.at(-1)).toMatchObject({ unicast: true, clientAddress: '10.0.0.50', broadcast: false });
    expect(Math.round(all.server.heard.at(-1)!.at / SECOND)).toBe(300);
    expect(leases).toHaveLength(1);
    all.server.extra.set(DhcpOption.tftpServer, fromLatin1('other'));
    all.time.run(700 * SECOND);
    expect(leases).toHaveLength(2);
    expect(leases[1]!.lease!.address).toBe('10.0.0.50');
  });

  it('rebinds, and gives the address up at the end of the lease', () => {
    const all = world();
    const { client, leases } = plugged(all);
    all.time.run(SECOND);
    all.server.on.net.listen({ port: 80, backlog: 1 }, () => {});
    const closed = new End(client.net.connect({ address: SERVER, port: 80 }));
    all.time.run(2 * SECOND);
    expect(closed.names).toEqual(['open']);
    all.server.silent = true;
    all.time.run(599 * SECOND);
    expect(client.nic.lease()).toBeDefined();
    expect(all.server.heard.some(({ at, type }) => type === 'request' && at >= 525 * SECOND)).toBe(true);
    all.time.run(601 * SECOND);
    expect(client.nic.lease()).toBeUndefined();
    expect(leases.at(-1)!.lease).toBeUndefined();
    expect(closed.closed?.error).toMatchObject({ kind: 'unreachable', detail: 'the address 10.0.0.50 is gone' });
    all.server.silent = false;
    all.time.run(700 * SECOND);
    expect(client.nic.lease()?.address).toBe('10.0.0.50');
  });

  it('keeps the lease while the link is down, and verifies it when it is back', () => {
    const all = world();
    const { client, leases } = plugged(all);
    all.time.run(10 * SECOND);
    client.port.setLink(false);
    all.time.run(20 * SECOND);
    expect(client.nic.lease()).toBeDefined();
    const before = all.server.heard.length;
    client.port.setLink(true);
    all.time.run(21 * SECOND);
    const verification = all.server.heard.slice(before);
    expect(verification.map(({ type }) => type)).toEqual(['request']);
    expect(verification[0]!.options.has(DhcpOption.serverId)).toBe(false);
    expect(optionAddresses(verification[0]!.options.get(DhcpOption.requestedAddress))).toEqual(['10.0.0.50']);
    expect(leases).toHaveLength(1);
  });

  it('uses the lease on when nobody answers the verification', () => {
    const all = world();
    const { client } = plugged(all);
    all.time.run(10 * SECOND);
    all.server.silent = true;
    client.port.setLink(false);
    client.port.setLink(true);
    all.time.run(200 * SECOND);
    expect(client.nic.lease()?.address).toBe('10.0.0.50');
    all.server.silent = false;
    all.time.run(400 * SECOND);
    expect(all.server.heard.at(-1)).toMatchObject({ type: 'request', unicast: true });
  });

  it('gets another address on another network', () => {
    const all = world();
    const { client, leases } = plugged(all);
    all.time.run(10 * SECOND);
    client.port.setLink(false);
    all.server.refuses = true;
    all.server.address = '10.0.0.77';
    client.port.setLink(true);
    all.time.run(10.1 * SECOND);
    expect(client.nic.lease()).toBeUndefined();
    all.server.refuses = false;
    all.time.run(60 * SECOND);
    expect(leases.map(({ lease }) => lease?.address)).toEqual(['10.0.0.50', undefined, '10.0.0.77']);
  });

  it('loses the lease while unplugged when it ends meanwhile', () => {
    const all = world();
    const { client } = plugged(all);
    all.time.run(10 * SECOND);
    client.port.setLink(false);
    all.time.run(700 * SECOND);
    expect(client.nic.lease()).toBeUndefined();
    client.port.setLink(true);
    all.time.run(701 * SECOND);
    expect(client.nic.lease()).toBeDefined();
  });

  it('is not kept busy by a server that refuses what it offers', () => {
    const all = world();
    all.server.refuses = true;
    plugged(all);
    all.time.run(10 * MINUTE);
    expect(all.server.heard.length).toBeLessThan(40);
  });

  it('takes nothing that is not an answer to its question', () => {
    const all = world();
    all.server.silent = true;
    const { client } = plugged(all);
    all.time.run(SECOND);
    const asked = all.server.heard[0]!;
    all.server.reply(asked, 'ack');
    all.server.reply(asked, 'offer', { transaction: 1 });
    all.server.reply(asked, 'offer', { clientMac: '0200000000FF' });
    all.server.reply(asked, 'offer', { yourAddress: '0.0.0.0' });
    all.server.reply(asked, 'offer', { options: new Map() });
    all.time.run(3 * SECOND);
    expect(all.server.types()).toEqual(['discover']);
    all.server.seconds = 5;
    all.server.reply(asked, 'offer');
    all.time.run(3.5 * SECOND);
    expect(all.server.types()).toEqual(['discover', 'request']);
    all.server.reply(asked, 'ack');
    all.time.run(4 * SECOND);
    expect(client.nic.lease()).toBeUndefined();
  });

  it('gets its lease through losses', () => {
    const all = world();
    all.wire.faults = { loss: 0.3, duplicate: 0.1, reorder: 0.2 };
    const { client } = plugged(all);
    all.time.run(5 * MINUTE, () => client.nic.lease() !== undefined);
    expect(client.nic.lease()).toBeDefined();
  });
});
