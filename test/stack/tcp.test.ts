import { describe, expect, it } from 'vitest';
import { EMPTY, fromLatin1, latin1 } from '../../hal/base/bytes.js';
import { MILLISECOND, SECOND } from '../../hal/base/time.js';
import type { ByteStream } from '../../hal/hal.js';
import { decodeEthernet, decodeIpv4, decodeTcp, EtherType, encodeArp, Protocol, TcpFlag } from '../../hal/stack/index.js';
import { segmentFrame } from './craft.js';
import { End, pattern } from './streams.js';
import { type Faults, host, pair, seeded, type TestHost, Time, Wire } from './wire.js';

const B80 = { address: '10.0.0.2', port: 80 };
type World = { time: Time; wire: Wire; a: TestHost; b: TestHost };

function connected(world: World): { client: End; server: End } {
  let server: End | undefined;
  const listener = world.b.net.listen({ port: 80, backlog: 4 }, (stream) => {
    server = new End(stream);
  });
  expect(listener.ok).toBe(true);
  const client = new End(world.a.net.connect(B80));
  world.time.run(world.time.now + 60 * SECOND, () => server?.at('open') !== undefined && client.at('open') !== undefined);
  return { client, server: server! };
}

/** The TCP segments on the wire, with when and from whom. */
function segments(wire: Pick<Wire, 'frames'>) {
  return wire.frames.flatMap(({ at, from, bytes }) => {
    const frame = decodeEthernet(bytes)!;
    const packet = frame.type === EtherType.ipv4 ? decodeIpv4(frame.payload) : undefined;
    if (!packet?.ok || packet.value.protocol !== Protocol.tcp) return [];
    const segment = decodeTcp(packet.value.payload, packet.value.source, packet.value.destination);
    return segment.ok ? [{ at, from, ...segment.value }] : [];
  });
}

describe('a TCP connection', () => {
  it('opens, carries octets both ways, and closes half by half', () => {
    const world = pair();
    const { client, server } = connected(world);
    client.send(fromLatin1('question'), true);
    world.time.run(SECOND);
    expect(latin1(server.bytes)).toBe('question');
    expect(server.names).toEqual(['open', 'data', 'end']);
    // The client said its last word; the server goes on.
    server.send(pattern(50_000));
    world.time.run(5 * SECOND);
    expect(client.received).toBe(50_000);
    expect(client.names).toEqual(['open', 'data']);
    server.stream.end();
    world.time.run(10 * SECOND);
    expect(client.names).toEqual(['open', 'data', 'end', 'closed']);
    expect(server.names.filter((name) => name !== 'writable')).toEqual(['open', 'data', 'end', 'closed']);
    expect(client.closed).not.toHaveProperty('error');
    expect(server.closed).not.toHaveProperty('error');
  });

  it('half-closes from the accepting side too', () => {
    const world = pair();
    const { client, server } = connected(world);
    server.send(fromLatin1('banner'), true);
    world.time.run(SECOND);
    expect(client.names).toEqual(['open', 'data', 'end']);
    client.send(pattern(40_000), true);
    world.time.run(5 * SECOND);
    expect(server.received).toBe(40_000);
    expect(server.closed).not.toHaveProperty('error');
    expect(client.closed).not.toHaveProperty('error');
  });

  it('keeps its peace when both ends close at once', () => {
    const world = pair();
    const { client, server } = connected(world);
    client.stream.end();
    server.stream.end();
    world.time.run(5 * SECOND);
    expect(client.names).toEqual(['open', 'end', 'closed']);
    expect(server.names).toEqual(['open', 'end', 'closed']);
  });

  const faults: [string, Faults][] = [
    ['no faults', {}],
    ['5 % loss', { loss: 0.05 }],
    ['30 % loss', { loss: 0.3 }],
    ['duplication', { duplicate: 0.3 }],
    ['reordering', { reorder: 0.3 }],
    ['everything at once', { loss: 0.1, duplicate: 0.1, reorder: 0.2 }],
  ];
  it.each(faults)('carries 1 MB intact both ways with %s', (_name, fault) => {
    // With other seeds it happens that 30 % of loss hits one segment seven times in 100 s, which ends the connection rightly.
    for (const seed of [8, 9]) {
      const world = pair(seed);
      const { client, server } = connected(world);
      world.wire.faults = fault;
      const up = pattern(1_000_000, 3);
      const down = pattern(1_000_000, 4);
      client.send(up, true);
      server.send(down, true);
      world.time.run(3600 * SECOND, () => client.closed !== undefined && server.closed !== undefined);
      expect(client.closed).not.toHaveProperty('error');
      expect(server.closed).not.toHaveProperty('error');
      expect(Buffer.compare(server.bytes, up)).toBe(0);
      expect(Buffer.compare(client.bytes, down)).toBe(0);
    }
  });

  it('repairs single losses by fast retransmission, without waiting for a timeout', () => {
    const world = pair();
    const { client, server } = connected(world);
    let count = 0;
    world.wire.filter = (frame, from) => !(from === 0 && frame.length > 1000 && ++count % 40 === 20);
    client.send(pattern(300_000));
    world.time.run(world.time.now + 150 * MILLISECOND);
    expect(world.wire.dropped).toBeGreaterThan(3);
    expect(server.received).toBe(300_000);
  });

  it('is told of data in full segments of the agreed size', () => {
    const time = new Time();
    const wire = new Wire(time, seeded(1));
    const world = { time, wire, a: host(wire, '10.0.0.1'), b: host(wire, '10.0.0.2', { mtu: 576 }) };
    const { client, server } = connected(world);
    client.send(pattern(5000));
    time.run(SECOND);
    expect(server.received).toBe(5000);
    expect(Math.max(...segments(wire).map(({ payload }) => payload.length))).toBe(536);
  });

  it('acknowledges with the answer when the reader answers at once', () => {
    const world = pair();
    const { client, server } = connected(world);
    world.time.run(SECOND);
    world.wire.frames.length = 0;
    server.stream.onEvent((event) => {
      if (event.type === 'data') server.stream.write(event.bytes);
    });
    client.send(fromLatin1('ping'));
    world.time.run(2 * SECOND);
    expect(segments(world.wire).map(({ from, payload }) => [from, payload.length])).toEqual([
      [0, 4],
      [1, 4],
      [0, 0],
    ]);
  });
});

describe('flow control', () => {
  it('stops a fast writer at a slow reader, in bounded memory, and goes on', () => {
    const world = pair();
    const { client, server } = connected(world);
    server.stream.pause();
    const data = pattern(100_000);
    client.send(data);
    world.time.run(60 * SECOND);
    expect(server.received).toBe(0);
    const sent = segments(world.wire).filter(({ from, payload }) => from === 0 && payload.length > 0);
    expect(sent.reduce((sum, { payload }) => sum + payload.length, 0)).toBe(16 * 1024);
    expect(data.length - client.unsent).toBeLessThanOrEqual(32 * 1024);
    server.stream.resume();
    expect(server.received).toBe(0);
    world.time.run(70 * SECOND);
    expect(Buffer.compare(server.bytes, data)).toBe(0);
  });

  it('asks a closed window again and again, however long, and finds it open though the update was lost', () => {
    const world = pair();
    const { client, server } = connected(world);
    server.stream.pause();
    client.send(pattern(40_000));
    world.time.run(3600 * SECOND);
    expect(client.closed).toBeUndefined();
    world.wire.filter = (_frame, from) => from === 0;
    server.stream.resume();
    world.time.run(3601 * SECOND);
    expect(server.received).toBe(16 * 1024);
    world.wire.filter = () => true;
    world.time.run(3700 * SECOND);
    expect(server.received).toBe(40_000);
  });

  it('gives up a peer that does not even answer probes', () => {
    const world = pair();
    const { client, server } = connected(world);
    server.stream.pause();
    client.send(pattern(40_000));
    world.time.run(10 * SECOND);
    world.b.port.setLink(false);
    world.time.run(300 * SECOND);
    expect(client.closed?.error?.kind).toBe('timeout');
  });

  it('delivers the end only after what a paused reader has not read', () => {
    const world = pair();
    const { client, server } = connected(world);
    server.stream.pause();
    client.send(fromLatin1('last words'), true);
    server.stream.end();
    world.time.run(30 * SECOND);
    expect(server.names).toEqual(['open']);
    server.stream.resume();
    world.time.run(31 * SECOND);
    expect(server.names).toEqual(['open', 'data', 'end', 'closed']);
  });

  it('lets a paused reader write', () => {
    const world = pair();
    const { client, server } = connected(world);
    client.send(fromLatin1('unread'));
    world.time.run(SECOND);
    server.stream.pause();
    client.stream.write(fromLatin1('more'));
    server.send(pattern(60_000));
    world.time.run(5 * SECOND);
    expect(client.received).toBe(60_000);
  });
});

describe('failures', () => {
  it('a closed port refuses', () => {
    const { time, a } = pair();
    const end = new End(a.net.connect(B80));
    expect(end.events).toEqual([]);
    time.run(SECOND);
    expect(end.names).toEqual(['closed']);
    expect(end.closed?.error?.kind).toBe('refused');
  });

  it('a host that is not there is unreachable after five questions', () => {
    const { time, a } = pair();
    const end = new End(a.net.connect({ address: '10.0.0.77', port: 80 }));
    time.run(60 * SECOND);
    expect(end.closed?.error?.kind).toBe('unreachable');
    expect(end.closed?.at).toBe(5 * SECOND);
  });

  it('a host that swallows SYNs is a timeout after 127 s', () => {
    const { time, wire, a } = pair();
    wire.filter = (frame) => decodeEthernet(frame)?.type === EtherType.arp;
    const end = new End(a.net.connect(B80));
    time.run(300 * SECOND);
    expect(end.closed?.error?.kind).toBe('timeout');
    expect(end.closed?.at).toBe(127 * SECOND);
    expect(segments(wire).map(({ at }) => Math.round(at / SECOND))).toEqual([0, 1, 3, 7, 15, 31, 63]);
  });

  it.each([
    ['an IPv6 literal', '2001:db8::1', 80, 'unsupported'],
    ['a name', 'example.test', 80, 'unsupported'],
    ['port 0', '10.0.0.2', 0, 'unreachable'],
    ['a multicast group', '224.0.1.75', 80, 'unreachable'],
  ])('%s cannot be connected to, and says so later', (_name, address, port, kind) => {
    const { time, a } = pair();
    const end = new End(a.net.connect({ address, port }));
    expect(end.events).toEqual([]);
    time.run(SECOND);
    expect(end.names).toEqual(['closed']);
    expect(end.closed?.error?.kind).toBe(kind);
  });

  it('an aborted end hears nothing more, and the other hears of a reset', () => {
    const world = pair();
    const { client, server } = connected(world);
    client.send(fromLatin1('x'));
    server.send(fromLatin1('y'));
    client.stream.abort();
    client.stream.abort();
    const heard = client.events.length;
    world.time.run(10 * SECOND);
    expect(client.events.length).toBe(heard);
    expect(server.names.at(-1)).toBe('closed');
    expect(server.closed?.error?.kind).toBe('reset');
  });

  it('an abort inside an event is the last one', () => {
    const world = pair();
    const { client, server } = connected(world);
    const heard: string[] = [];
    server.stream.onEvent((event) => {
      heard.push(event.type);
      server.stream.abort();
    });
    client.send(fromLatin1('x'), true);
    world.time.run(10 * SECOND);
    expect(heard).toEqual(['data']);
    expect(client.closed?.error?.kind).toBe('reset');
  });

  it('a peer that falls silent is given up after 100 s, and not before', () => {
    const world = pair();
    const { client } = connected(world);
    world.time.run(10 * SECOND);
    world.wire.filter = () => false;
    client.send(fromLatin1('anybody there?'));
    world.time.run(109 * SECOND);
    expect(client.closed).toBeUndefined();
    world.time.run(120 * SECOND);
    expect(client.closed?.error?.kind).toBe('timeout');
    expect(client.closed?.at).toBe(110 * SECOND);
  });

  it('lives through a link that is down for 10 s', () => {
    const world = pair();
    const { client, server } = connected(world);
    const data = pattern(200_000);
    client.send(data);
    world.time.run(world.time.now + 5 * MILLISECOND);
    expect(server.received).toBeLessThan(data.length);
    world.b.port.setLink(false);
    world.time.run(world.time.now + 10 * SECOND);
    world.b.port.setLink(true);
    const back = world.time.now;
    world.time.run(back + 30 * SECOND, () => server.received === data.length);
    expect(Buffer.compare(server.bytes, data)).toBe(0);
    expect(world.time.now - back).toBeLessThan(15 * SECOND);
  });
});

describe('listeners', () => {
  it('refuse a taken port, and free it on close', () => {
    const { b } = pair();
    const first = b.net.listen({ port: 5060, backlog: 1 }, () => {});
    const second = b.net.listen({ port: 5060, backlog: 1 }, () => {});
    expect(second).toMatchObject({ ok: false, error: { kind: 'addr-in-use' } });
    if (first.ok) first.value.close();
    expect(b.net.listen({ port: 5060, backlog: 1 }, () => {}).ok).toBe(true);
    const random = b.net.listen({ port: 0, backlog: 1 }, () => {});
    expect(random.ok && random.value.local.port).toBeGreaterThanOrEqual(49152);
  });

  it('hand nothing over once closed', () => {
    const { time, a, b } = pair();
    const accepted: ByteStream[] = [];
    const listener = b.net.listen({ port: 80, backlog: 1 }, (stream) => accepted.push(stream));
    const end = new End(a.net.connect(B80));
    // The SYN-ACK is on its way: the last step of the handshake finds the listener gone.
    time.run(60 * SECOND, () => end.at('open') !== undefined);
    if (listener.ok) listener.value.close();
    time.run(60 * SECOND);
    expect(accepted).toEqual([]);
    expect(end.closed?.error?.kind).toBe('reset');
  });

  it('hold no more half-open connections than their backlog', () => {
    const { time, wire, a, b } = pair();
    b.net.listen({ port: 80, backlog: 5 }, () => {});
    // A flood from an address whose owner answers ARP and nothing else.
    const flooder = { operation: 'request', senderMac: 0x020000000009, sender: 0x0a000009, targetMac: 0, target: 0x0a000002 } as const;
    b.port.receive(encodeArp(flooder, 0xffffffffffff));
    for (let i = 0; i < 500; i++) {
      b.port.receive(segmentFrame({ to: b.port, from: '10.0.0.9', sourcePort: 1000 + i, sequence: i, flags: TcpFlag.syn }));
    }
    const answered = (): number => segments(wire).filter(({ from, flags }) => from === 1 && flags === (TcpFlag.syn | TcpFlag.ack)).length;
    expect(answered()).toBe(5);
    expect(b.counters.overflow).toBe(495);
    // They end after 63 s, and an honest client that came meanwhile gets its turn.
    const end = new End(a.net.connect(B80));
    time.run(120 * SECOND);
    expect(end.at('open')).toBeGreaterThan(62 * SECOND);
  });

  it('keep 64 connections in TIME-WAIT, and forget the oldest', () => {
    const { time, wire, a, b } = pair();
    b.net.listen({ port: 80, backlog: 16 }, (stream) => {
      stream.onEvent((event) => {
        if (event.type === 'end') stream.end();
      });
    });
    for (let i = 0; i < 100; i++) {
      const end = new End(a.net.connect(B80));
      end.stream.end();
      time.run(time.now + 20 * MILLISECOND);
      expect(end.closed).not.toHaveProperty('error');
    }
    const fins = wire.frames.filter(
      ({ from, bytes }) => from === 1 && (segments({ frames: [{ at: 0, from, bytes }] })[0]?.flags ?? 0) & TcpFlag.fin,
    );
    expect(fins).toHaveLength(100);
    /** What the end that closed first says to the other's last word, said again. */
    const answerTo = (index: number): number => {
      a.port.receive(fins[index]!.bytes);
      return segments(wire).at(-1)!.flags;
    };
    expect([35, 36, 99].map(answerTo)).toEqual([TcpFlag.rst, TcpFlag.ack, TcpFlag.ack]);
    time.run(time.now + 11 * SECOND);
    expect(answerTo(99)).toBe(TcpFlag.rst);
  });

  it('serve connections from this very host', () => {
    const { time, wire, a } = pair();
    let server: End | undefined;
    a.net.listen({ port: 80, backlog: 1 }, (stream) => {
      server = new End(stream);
    });
    for (const address of ['10.0.0.1', '127.0.0.1']) {
      const client = new End(a.net.connect({ address, port: 80 }));
      client.send(pattern(100_000), true);
      time.run(time.now + SECOND);
      expect(server!.received).toBe(100_000);
    }
    expect(segments(wire)).toEqual([]);
  });
});

describe('forged segments (RFC 5961)', () => {
  /** A connection, and what an observer would need to forge a segment from the client to the server. */
  function observed() {
    const world = pair();
    const ends = connected(world);
    ends.client.send(fromLatin1('hello'));
    world.time.run(world.time.now + SECOND);
    const hello = segments(world.wire)
      .filter(({ from }) => from === 0)
      .at(-1)!;
    const last = { ...hello, sequence: (hello.sequence + hello.payload.length) >>> 0, payload: EMPTY };
    const forge = (fields: Partial<Parameters<typeof segmentFrame>[0]>): void =>
      world.b.port.receive(segmentFrame({ ...last, to: world.b.port, from: '10.0.0.1', ...fields }));
    return { world, ...ends, last, forge };
  }

  it('a reset in the window but not exactly next is answered and ignored', () => {
    const { world, server, last, forge } = observed();
    forge({ sequence: (last.sequence + 100) >>> 0, flags: TcpFlag.rst });
    world.time.run(world.time.now + SECOND);
    expect(server.closed).toBeUndefined();
    expect(segments(world.wire).at(-1)).toMatchObject({ from: 1, flags: TcpFlag.ack });
  });

  it('the exact one resets', () => {
    const { world, server, last, forge } = observed();
    forge({ sequence: last.sequence, flags: TcpFlag.rst });
    world.time.run(world.time.now + SECOND);
    expect(server.closed?.error?.kind).toBe('reset');
  });

  it('a SYN, an ACK of what was never sent, and data outside the window change nothing', () => {
    const { world, server, client, last, forge } = observed();
    forge({ sequence: last.sequence, flags: TcpFlag.syn });
    forge({ sequence: last.sequence, acknowledgment: (last.acknowledgment + 5000) >>> 0, payload: fromLatin1('forged') });
    forge({ sequence: (last.sequence + 40_000) >>> 0, payload: fromLatin1('forged') });
    forge({ sequence: (last.sequence - 40_000) >>> 0, payload: fromLatin1('forged') });
    client.send(fromLatin1(' world'));
    world.time.run(world.time.now + SECOND);
    expect(latin1(server.bytes)).toBe('hello world');
    expect(server.closed).toBeUndefined();
  });

  it('two ends never keep each other busy with answers to answers', () => {
    const { world, forge, last } = observed();
    world.wire.frames.length = 0;
    for (let i = 0; i < 100; i++) forge({ sequence: (last.sequence + 40_000) >>> 0, flags: TcpFlag.ack });
    world.time.run(world.time.now + 10 * SECOND);
    expect(world.wire.frames.length).toBeLessThan(10);
  });
});

describe('law 1', () => {
  it('no call of the port calls back', () => {
    const world = pair();
    const { client, server } = connected(world);
    client.send(pattern(60_000));
    world.time.run(10 * SECOND);
    const calls: (() => void)[] = [
      () => client.stream.write(pattern(60_000)),
      () => server.stream.pause(),
      () => server.stream.resume(),
      () => client.stream.end(),
      () => server.stream.end(),
      () => void world.a.net.connect({ address: '10.0.0.1', port: 1 }).onEvent(() => client.events.push({ type: 'end', at: -1 })),
    ];
    for (const call of calls) {
      const before = client.events.length + server.events.length;
      call();
      expect(client.events.length + server.events.length).toBe(before);
      world.time.run(world.time.now + MILLISECOND);
    }
  });
});
