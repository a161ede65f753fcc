import { describe, expect, it } from 'vitest';
import { fromLatin1, latin1, putU16 } from '../../hal/base/bytes.js';
import { MILLISECOND, SECOND } from '../../hal/base/time.js';
import type { SocketAddress, UdpSocket } from '../../hal/hal.js';
import { internetChecksum } from '../../hal/stack/checksum.js';
import {
  decodeArp,
  decodeEthernet,
  decodeIcmp,
  decodeIpv4,
  ETHERNET_HEADER,
  EtherType,
  encodeArp,
  ICMP_HEADER,
  type IcmpMessage,
  IcmpType,
  IPV4_HEADER,
  type Ipv4Packet,
  ipv4Text,
  macText,
  Protocol,
  parseIpv4,
  parseMac,
  UnreachableCode,
  writeEthernet,
  writeIcmp,
  writeIpv4,
} from '../../hal/stack/index.js';
import { datagramFrame } from './craft.js';
import { End, pattern } from './streams.js';
import { host, pair, type TestHost, type Wire } from './wire.js';

class Mouth {
  readonly heard: [text: string, from: SocketAddress][] = [];
  constructor(readonly socket: UdpSocket) {
    socket.onDatagram((bytes, from) => this.heard.push([latin1(bytes), from]));
  }
  say(address: string, port: number, text = 'x'): string {
    return this.socket.send({ address, port }, fromLatin1(text));
  }
}

function open(on: TestHost, port: number, dscp = 0): Mouth {
  const socket = on.net.udp({ port, dscp });
  if (!socket.ok) throw new Error(socket.error.detail);
  return new Mouth(socket.value);
}

function packets(wire: Wire): (Ipv4Packet & { from: number; to: string })[] {
  return wire.frames.flatMap(({ bytes, from }) => {
    const frame = decodeEthernet(bytes)!;
    const packet = frame.type === EtherType.ipv4 ? decodeIpv4(frame.payload) : undefined;
    return packet?.ok ? [{ ...packet.value, from, to: macText(frame.destination) }] : [];
  });
}

const arps = (wire: Wire) => wire.frames.map(({ bytes }) => decodeEthernet(bytes)!).filter(({ type }) => type === EtherType.arp);

describe('ARP', () => {
  it('announces our address, asks once for a neighbour, and keeps what it heard', () => {
    const { time, wire, a, b } = pair();
    time.run(SECOND);
    expect(
      arps(wire)
        .map(({ payload }) => decodeArp(payload))
        .map((packet) => [ipv4Text(packet!.sender), ipv4Text(packet!.target)]),
    ).toEqual([
      ['10.0.0.1', '10.0.0.1'],
      ['10.0.0.2', '10.0.0.2'],
    ]);
    const mouth = open(a, 1000);
    const ear = open(b, 2000);
    for (let i = 0; i < 3; i++) mouth.say('10.0.0.2', 2000, `${i}`);
    time.run(2 * SECOND);
    expect(ear.heard.map(([text]) => text)).toEqual(['0', '1', '2']);
    expect(arps(wire)).toHaveLength(4);
    // Talking keeps the neighbour known.
    for (let i = 0; i < 10; i++) {
      mouth.say('10.0.0.2', 2000);
      ear.say('10.0.0.1', 1000);
      time.run(time.now + 50 * SECOND);
    }
    expect(arps(wire)).toHaveLength(4);
    // A silent minute does not.
    time.run(time.now + 61 * SECOND);
    mouth.say('10.0.0.2', 2000);
    time.run(time.now + SECOND);
    expect(arps(wire)).toHaveLength(6);
  });

  it('holds few frames for a neighbour, the newest, and tells the sender when nobody answers', () => {
    const { time, a } = pair();
    const mouth = open(a, 1000);
    for (let i = 0; i < 100; i++) expect(mouth.say('10.0.0.9', 2000)).toBe('sent');
    expect(a.counters.overflow).toBe(96);
    time.run(10 * SECOND);
    expect(a.counters.unresolved).toBe(4);
    expect(mouth.say('10.0.0.9', 2000)).toBe('unreachable');
    expect(mouth.say('10.0.0.9', 2000)).toBe('sent');
  });

  it('believes an announcement of a neighbour that moved', () => {
    const { time, wire, a, b } = pair();
    const mouth = open(a, 1000);
    open(b, 2000);
    mouth.say('10.0.0.2', 2000);
    time.run(SECOND);
    const moved = parseMac('02000000AAAA')!;
    const sender = parseIpv4('10.0.0.2')!;
    a.port.receive(encodeArp({ operation: 'request', senderMac: moved, sender, targetMac: 0, target: sender }, 0xffffffffffff));
    mouth.say('10.0.0.2', 2000);
    expect(packets(wire).at(-1)!.to).toBe('02000000AAAA');
  });

  it('is not filled by strangers that do not speak to us', () => {
    const { time, wire, a } = pair();
    const sender = parseIpv4('10.0.0.9')!;
    const announcement = { operation: 'request', senderMac: 0x020000000009, sender, targetMac: 0, target: sender } as const;
    a.port.receive(encodeArp(announcement, 0xffffffffffff));
    open(a, 1000).say('10.0.0.9', 2000);
    time.run(100 * MILLISECOND);
    expect(ipv4Text(decodeArp(arps(wire).at(-1)!.payload)!.target)).toBe('10.0.0.9');
  });
});

describe('IPv4', () => {
  it('sends through the gateway what is not on the network', () => {
    const { time, wire, a } = pair();
    const gateway = host(wire, '10.0.0.254');
    open(a, 1000).say('192.0.2.1', 2000);
    time.run(SECOND);
    expect(packets(wire).at(-1)).toMatchObject({ to: gateway.nic.mac, destination: parseIpv4('192.0.2.1') });
  });

  it('refuses what does not fit a packet, and sends what just fits', () => {
    const { time, a, b } = pair();
    const mouth = open(a, 1000);
    const ear = open(b, 2000);
    expect(mouth.say('10.0.0.2', 2000, 'x'.repeat(1473))).toBe('too-big');
    expect(mouth.say('10.0.0.2', 2000, 'x'.repeat(100_000))).toBe('too-big');
    expect(mouth.say('10.0.0.2', 2000, 'x'.repeat(1472))).toBe('sent');
    time.run(SECOND);
    expect(ear.heard[0]![0]).toHaveLength(1472);
  });

  it('drops fragments, and counts them', () => {
    const { b } = pair();
    const ear = open(b, 2000);
    for (const bits of [0x2000, 0x0001]) {
      const frame = datagramFrame({ to: b.port, from: '10.0.0.1', sourcePort: 1, destinationPort: 2000, payload: fromLatin1('x') });
      putU16(frame, ETHERNET_HEADER + 6, bits);
      putU16(frame, ETHERNET_HEADER + 10, 0);
      putU16(frame, ETHERNET_HEADER + 10, internetChecksum(frame, ETHERNET_HEADER, ETHERNET_HEADER + IPV4_HEADER));
      b.port.receive(frame);
    }
    expect(b.counters.fragments).toBe(2);
    expect(ear.heard).toEqual([]);
  });

  it('does not listen to what is not for us, nor to whom nobody may be', () => {
    const { b } = pair();
    const ear = open(b, 2000);
    const hear = (from: string, destination: string): void =>
      b.port.receive(datagramFrame({ to: b.port, from, destination, sourcePort: 1, destinationPort: 2000 }));
    hear('10.0.0.1', '10.0.0.3');
    hear('10.0.0.1', '127.0.0.1');
    hear('10.0.0.1', '224.0.1.75');
    hear('10.0.0.2', '10.0.0.2');
    hear('127.0.0.1', '10.0.0.2');
    hear('255.255.255.255', '10.0.0.2');
    hear('224.0.0.1', '10.0.0.2');
    expect(ear.heard).toEqual([]);
    expect(b.counters.notForUs).toBe(7);
    hear('10.0.0.1', '10.0.0.2');
    hear('10.0.0.1', '10.0.0.255');
    hear('10.0.0.1', '255.255.255.255');
    expect(ear.heard).toHaveLength(3);
  });

  it('marks packets with their service class', () => {
    const { time, wire, a, b } = pair();
    open(b, 2000);
    open(a, 1000, 46).say('10.0.0.2', 2000);
    time.run(SECOND);
    expect(packets(wire).at(-1)!.dscp).toBe(46);
  });
});

describe('UDP', () => {
  it('gives each port once, random ones on request, and frees it on close', () => {
    const { a } = pair();
    const mouth = open(a, 1000);
    expect(a.net.udp({ port: 1000 })).toMatchObject({ ok: false, error: { kind: 'addr-in-use' } });
    mouth.socket.close();
    mouth.socket.close();
    open(a, 1000);
    const ports = new Set(Array.from({ length: 20 }, () => open(a, 0).socket.local.port));
    expect(ports.size).toBe(20);
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(49152);
    expect(mouth.say('10.0.0.2', 1)).toBe('closed');
    expect(mouth.socket.join('224.0.1.75')).toMatchObject({ ok: false, error: { kind: 'closed' } });
  });

  it('delivers broadcasts and the groups that were joined, and nothing after close', () => {
    const { time, a, b, wire } = pair();
    const mouth = open(a, 1000);
    const ear = open(b, 2000);
    const say = (address: string): void => {
      expect(mouth.say(address, 2000, address)).toBe('sent');
      time.run(time.now + SECOND);
    };
    say('255.255.255.255');
    say('10.0.0.255');
    say('224.0.1.75');
    expect(ear.socket.join('224.0.1.75').ok).toBe(true);
    expect(ear.socket.join('224.0.1.75').ok).toBe(true);
    expect(ear.socket.join('10.0.0.1')).toMatchObject({ ok: false, error: { kind: 'unsupported' } });
    say('224.0.1.75');
    expect(packets(wire).at(-1)).toMatchObject({ to: '01005E00014B', ttl: 1 });
    say('224.0.1.76');
    ear.socket.leave('224.0.1.75');
    say('224.0.1.75');
    expect(ear.heard.map(([text]) => text)).toEqual(['255.255.255.255', '10.0.0.255', '224.0.1.75']);
    ear.socket.close();
    say('10.0.0.2');
    expect(ear.heard).toHaveLength(3);
  });

  it('hears once, by destination, that a port is closed', () => {
    const { time, a } = pair();
    const mouth = open(a, 1000);
    expect(mouth.say('10.0.0.2', 2000)).toBe('sent');
    time.run(SECOND);
    expect(mouth.say('10.0.0.2', 2001)).toBe('sent');
    expect(mouth.say('10.0.0.2', 2000)).toBe('refused');
    expect(mouth.say('10.0.0.2', 2000)).toBe('sent');
  });

  it('says where it cannot send', () => {
    const { a, wire } = pair();
    const mouth = open(a, 1000);
    expect(mouth.say('2001:db8::1', 1)).toBe('unsupported');
    expect(mouth.say('10.0.0.2', 0)).toBe('unreachable');
    expect(mouth.say('10.0.0.2', 65536)).toBe('unreachable');
    expect(open(host(wire, { address: '10.0.0.3', prefix: 24 }), 1).say('192.0.2.1', 1)).toBe('unreachable');
    expect(open(host(wire, 'dhcp'), 1).say('10.0.0.2', 1)).toBe('unreachable');
  });

  it('reaches itself, later', () => {
    const { time, a } = pair();
    const ear = open(a, 2000);
    open(a, 1000).say('10.0.0.1', 2000, 'self');
    expect(ear.heard).toEqual([]);
    time.run(SECOND);
    expect(ear.heard).toEqual([['self', { address: '10.0.0.1', port: 1000 }]]);
  });
});

describe('ICMP', () => {
  function icmp(to: TestHost, message: IcmpMessage, from = '10.0.0.1', address = '10.0.0.2'): Uint8Array {
    const length = ICMP_HEADER + message.data.length;
    const frame = new Uint8Array(ETHERNET_HEADER + IPV4_HEADER + length);
    writeIcmp(frame, ETHERNET_HEADER + IPV4_HEADER, message);
    const header = { source: parseIpv4(from)!, destination: parseIpv4(address)!, protocol: Protocol.icmp, ttl: 64, dscp: 0 };
    writeIpv4(frame, ETHERNET_HEADER, header, length);
    writeEthernet(frame, { destination: parseMac(to.nic.mac)!, source: 0x020000000001, type: EtherType.ipv4 });
    return frame;
  }

  it('answers an echo with what it said', () => {
    const { time, wire, b } = pair();
    time.run(SECOND);
    b.port.receive(icmp(b, { type: IcmpType.echo, code: 0, rest: [7, 1], data: fromLatin1('twenty-one characters') }));
    time.run(2 * SECOND);
    const reply = decodeIcmp(packets(wire).at(-1)!.payload);
    expect(reply).toMatchObject({ ok: true, value: { type: IcmpType.echoReply, rest: [7, 1], data: fromLatin1('twenty-one characters') } });
  });

  it('says that ports are closed, ten times a second at most', () => {
    const { time, wire, b } = pair();
    for (let second = 0; second < 3; second++) {
      for (let i = 0; i < 100; i++) b.port.receive(datagramFrame({ to: b.port, from: '10.0.0.1', sourcePort: 5, destinationPort: 6 }));
      time.run(time.now + SECOND);
    }
    const errors = packets(wire).filter(({ protocol }) => protocol === Protocol.icmp);
    // Of the first second's, those that wait for ARP beyond the queue are lost.
    expect(errors.length).toBeGreaterThanOrEqual(24);
    expect(errors.length).toBeLessThanOrEqual(30);
    expect(decodeIcmp(errors[0]!.payload)).toMatchObject({ value: { type: IcmpType.unreachable, code: UnreachableCode.port } });
  });

  it('is silent about broadcasts', () => {
    const { time, wire, b } = pair();
    time.run(SECOND);
    const before = wire.frames.length;
    b.port.receive(datagramFrame({ to: b.port, from: '10.0.0.1', destination: '10.0.0.255', sourcePort: 5, destinationPort: 6 }));
    time.run(2 * SECOND);
    expect(wire.frames.length).toBe(before);
  });

  describe('about TCP', () => {
    /** The error that a router would send about a segment of ours, quoting it. */
    function about(world: { wire: Wire; a: TestHost }, code: number, mtu = 0): void {
      const segment = packets(world.wire)
        .filter(({ protocol, from }) => protocol === Protocol.tcp && from === 0)
        .at(-1)!;
      const quoted = new Uint8Array(IPV4_HEADER + 8);
      writeIpv4(quoted, 0, segment, segment.payload.length);
      quoted.set(segment.payload.subarray(0, 8), IPV4_HEADER);
      world.a.port.receive(icmp(world.a, { type: IcmpType.unreachable, code, rest: [0, mtu], data: quoted }, '10.0.0.254', '10.0.0.1'));
    }
    const connect = (a: TestHost): End => new End(a.net.connect({ address: '10.0.0.2', port: 80 }));

    it.each([
      [UnreachableCode.port, 'refused'],
      [1, 'unreachable'],
    ])('code %d ends an attempt', (code, kind) => {
      const world = pair();
      world.wire.filter = (frame) => decodeEthernet(frame)!.type === EtherType.arp;
      const end = connect(world.a);
      world.time.run(SECOND / 2);
      about(world, code);
      world.time.run(SECOND);
      expect(end.closed?.error?.kind).toBe(kind);
    });

    it('does not end a connection, and makes its segments smaller when the path is narrow (RFC 1191)', () => {
      const world = pair();
      let server: End | undefined;
      world.b.net.listen({ port: 80, backlog: 1 }, (stream) => {
        server = new End(stream);
      });
      const end = connect(world.a);
      world.time.run(SECOND);
      // A router drops what is larger than 1000 octets.
      world.wire.filter = (frame, from) => {
        if (from !== 0 || frame.length <= ETHERNET_HEADER + 1000) return true;
        world.time.at(world.time.now, () => about(world, UnreachableCode.fragmentationNeeded, 1000));
        return false;
      };
      end.send(pattern(20_000));
      world.time.run(2 * SECOND);
      expect(server!.received).toBe(20_000);
      about(world, UnreachableCode.port);
      world.time.run(3 * SECOND);
      expect(end.closed).toBeUndefined();
    });
  });
});
