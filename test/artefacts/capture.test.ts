import { describe, expect, it } from 'vitest';
import type { ByteStream, FramePort, Micros, Net, SocketAddress, StreamEvent, UdpSocket } from '../../hal/hal.js';
import { captureFrames, captureNet, encodeCapture, FrameRecorder, LiveCapture, tapTls } from '../../hal/layers/index.js';
import { BLOCK, blocksOf, optionsOf, packetOf } from './read-pcapng.js';

const START = Date.UTC(2026, 0, 1) * 1000;
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));

describe('pcapng', () => {
  const frames = [
    { interface: 1, at: START + 1_234_567, direction: 'in' as const, bytes: bytes('abcde') },
    { interface: 0, at: START + 2_000_000, direction: 'out' as const, bytes: bytes('xyz!') },
  ];

  it('has its secrets before the packets, and says that it holds some', () => {
    const blocks = blocksOf(encodeCapture({ interfaces: ['lobby', 'gate'], frames, secrets: ['CLIENT_RANDOM aa bb'] }));
    expect(blocks.map(({ type }) => type)).toEqual([
      BLOCK.section,
      BLOCK.interface,
      BLOCK.interface,
      BLOCK.secrets,
      BLOCK.packet,
      BLOCK.packet,
    ]);
    expect(optionsOf(blocks[0]!.body.subarray(16)).get(1)?.toString()).toMatch(/holds the keys/);
    expect(optionsOf(blocks[2]!.body.subarray(8)).get(2)?.toString()).toBe('gate');
    expect(blocks[3]!.body.subarray(0, 4).toString('latin1')).toBe('KSLT');
    expect(blocks[3]!.body.subarray(8, 8 + blocks[3]!.body.readUInt32LE(4)).toString()).toBe('CLIENT_RANDOM aa bb\n');
  });

  it('keeps interface, microseconds, direction and octets of a frame', () => {
    const [first, second] = blocksOf(encodeCapture({ interfaces: ['a', 'b'], frames, secrets: undefined }))
      .slice(3)
      .map(packetOf);
    expect(first).toMatchObject({ interface: 1, at: START + 1_234_567 });
    expect(first!.bytes.toString()).toBe('abcde');
    expect(first!.options.get(2)![0]).toBe(1);
    expect(second!.options.get(2)![0]).toBe(2);
  });

  it('leaves secrets out where asked, and says so', () => {
    const file = blocksOf(encodeCapture({ interfaces: ['a'], frames: [], secrets: undefined }));
    expect(file.map(({ type }) => type)).toEqual([BLOCK.section, BLOCK.interface]);
    expect(optionsOf(file[0]!.body.subarray(16)).get(1)?.toString()).toMatch(/left out/);
  });
});

describe('captureFrames', () => {
  it('records both ways with their stamps, and not what the port refused', () => {
    const wire = fakePort();
    const recorder = new FrameRecorder();
    let now = 5;
    const port = captureFrames(wire, { record: (f) => recorder.record(f), interface: 2, now: () => now, calendar: (at) => START + at });
    const heard: string[] = [];
    port.onFrame((frame) => heard.push(Buffer.from(frame).toString()));
    port.send(bytes('sent'));
    now = 9;
    wire.refuse = true;
    expect(port.send(bytes('refused'))).toBe(false);
    wire.deliver(bytes('received'), 12);
    expect(heard).toEqual(['received']);
    expect(recorder.frames.map((f) => [f.interface, f.at - START, f.direction, Buffer.from(f.bytes).toString()])).toEqual([
      [2, 5, 'out', 'sent'],
      [2, 12, 'in', 'received'],
    ]);
  });

  it('keeps the beginning within its limit and counts what it dropped', () => {
    const recorder = new FrameRecorder(10);
    for (let i = 0; i < 4; i++) recorder.record({ interface: 0, at: i, direction: 'in', bytes: new Uint8Array(4) });
    expect([recorder.frames.length, recorder.dropped]).toEqual([2, 2]);
  });
});

describe('captureNet', () => {
  it('writes UDP and TCP frames with correct checksums, sequence numbers, handshake and end', () => {
    const { net, stream, socket, packets } = bench(false);
    const udp = net.udp({ port: 5060 });
    if (udp.ok) udp.value.onDatagram(() => undefined);
    if (udp.ok) udp.value.send({ address: '10.0.0.9', port: 5060 }, bytes('odd'));
    socket.deliver(bytes('answer'), { address: '10.0.0.9', port: 5060 }, 3);
    const tcp = net.connect({ address: '10.0.0.8', port: 80 });
    tcp.onEvent(() => undefined);
    tcp.write(bytes('early'));
    stream.emit({ type: 'open', local: { address: '10.0.0.2', port: 40_000 }, peer: { address: '10.0.0.8', port: 80 }, at: 10 });
    tcp.write(bytes('request'));
    stream.emit({ type: 'data', bytes: new Uint8Array(3000).fill(65), at: 11 });
    tcp.end();
    stream.emit({ type: 'end', at: 12 });
    const all = packets();
    for (const { bytes: frame } of all) expect(checksumsHold(frame)).toBe(true);
    expect(all.slice(0, 2).map((p) => p.bytes.subarray(42).toString())).toEqual(['odd', 'answer']);
    const segments = all.slice(2).map((p) => tcpOf(p.bytes));
    expect(segments.map((s) => s.flags)).toEqual([
      'S',
      'SA',
      'A',
      'PA',
      'A',
      'PA',
      'A',
      'A',
      'A',
      'A',
      'A',
      'PA',
      'A',
      'FA',
      'A',
      'FA',
      'A',
    ]);
    expect(segments.filter((s) => s.from === 80).reduce((sum, s) => sum + s.length, 0)).toBe(3000);
    const last = segments.at(-1)!;
    const fin = segments.at(-2)!;
    expect(last.acknowledgement).toBe(fin.sequence + 1);
  });

  it('holds a TLS connection back until all its secrets are out, in order, and lets plain connections pass', () => {
    const { net, stream, live, types } = bench(true);
    const tcp = net.connect({ address: '10.0.0.8', port: 5061 });
    tcp.onEvent(() => undefined);
    stream.emit({ type: 'open', local: { address: '10.0.0.2', port: 40_000 }, peer: { address: '10.0.0.8', port: 5061 }, at: 10 });
    tcp.write(clientHello('ab'.repeat(32)));
    live.secret(`CLIENT_HANDSHAKE_TRAFFIC_SECRET ${'ab'.repeat(32)} 00`);
    live.secret(`SERVER_TRAFFIC_SECRET_0 ${'ab'.repeat(32)} 00`);
    expect(types()).toEqual([BLOCK.secrets, BLOCK.secrets]);
    live.secret(`CLIENT_TRAFFIC_SECRET_0 ${'ab'.repeat(32)} 00`);
    expect(types()).toEqual([...Array(3).fill(BLOCK.secrets), ...Array(5).fill(BLOCK.packet)]);
    const plain = net.connect({ address: '10.0.0.8', port: 5060 });
    plain.onEvent(() => undefined);
    stream.emit({ type: 'open', local: { address: '10.0.0.2', port: 40_001 }, peer: { address: '10.0.0.8', port: 5060 }, at: 20 });
    expect(types().length).toBe(8);
    plain.write(bytes('REGISTER sip:a SIP/2.0\r\n'));
    expect(types().length).toBe(13);
  });

  it('gives up the wait after ten seconds', () => {
    const { net, stream, types, clock } = bench(true);
    const tcp = net.connect({ address: '10.0.0.8', port: 5061 });
    tcp.onEvent(() => undefined);
    stream.emit({ type: 'open', local: { address: '10.0.0.2', port: 40_000 }, peer: { address: '10.0.0.8', port: 5061 }, at: 0 });
    tcp.write(clientHello('cd'.repeat(32)));
    clock.now = 9_000_000;
    tcp.write(bytes('more'));
    expect(types()).toEqual([]);
    clock.now = 10_000_001;
    tcp.write(bytes('more'));
    expect(types().length).toBeGreaterThan(5);
  });
});

describe('tapTls', () => {
  it('shows clear text with its ends, both ways, and only what was accepted', () => {
    const under = fakeStream();
    under.accept = 3;
    const engine = { versions: [], client: () => under, server: () => under };
    const seen: string[] = [];
    const tapped = tapTls(
      engine,
      () => 7,
      (t) => seen.push(`${t.direction} ${t.local.port}>${t.peer.port} ${t.at} ${Buffer.from(t.bytes)}`),
    );
    const stream = tapped.client(under, { versions: { min: '1.2', max: '1.3' }, verify: () => ({ ok: true, verified: false }) });
    stream.onEvent(() => undefined);
    under.emit({ type: 'open', local: { address: 'a', port: 1 }, peer: { address: 'b', port: 2 }, at: 1 });
    expect(stream.write(bytes('hello'))).toBe(3);
    under.emit({ type: 'data', bytes: bytes('world'), at: 8 });
    expect(seen).toEqual(['out 1>2 7 hel', 'in 1>2 8 world']);
  });
});

function fakePort(): FramePort & { refuse: boolean; deliver(frame: Uint8Array, at: Micros): void } {
  let listener: (frame: Uint8Array, at: Micros) => void = () => undefined;
  const port = {
    refuse: false,
    send: () => !port.refuse,
    onFrame: (l: typeof listener) => {
      listener = l;
    },
    deliver: (frame: Uint8Array, at: Micros) => listener(frame, at),
  };
  return port;
}

function fakeStream(): ByteStream & { accept: number; emit(event: StreamEvent): void } {
  let listener: (event: StreamEvent) => void = () => undefined;
  const stream = {
    accept: Number.POSITIVE_INFINITY,
    onEvent: (l: typeof listener) => {
      listener = l;
    },
    write: (b: Uint8Array) => Math.min(b.length, stream.accept),
    pause: () => undefined,
    resume: () => undefined,
    end: () => undefined,
    abort: () => undefined,
    emit: (event: StreamEvent) => listener(event),
  };
  return stream;
}

function bench(secrets: boolean) {
  const stream = fakeStream();
  let datagram: (b: Uint8Array, from: SocketAddress, at: Micros) => void = () => undefined;
  const udp: UdpSocket = {
    local: { address: '0.0.0.0', port: 5060 },
    onDatagram: (l) => {
      datagram = l;
    },
    send: () => 'sent',
    join: () => ({ ok: true, value: undefined }),
    leave: () => undefined,
    close: () => undefined,
  };
  const inner: Net = {
    udp: () => ({ ok: true, value: udp }),
    connect: () => stream,
    listen: () => ({ ok: false, error: { kind: 'other', detail: '' } }),
    resolve: () => () => undefined,
  };
  const parts: Uint8Array[] = [];
  const live = new LiveCapture({ interface: 'net', secrets, write: (part) => parts.push(part) });
  const clock = { now: 0 };
  const net = captureNet(inner, {
    to: live,
    mac: '0022EE000001',
    address: () => '10.0.0.2',
    now: () => clock.now,
    calendar: (at) => START + at,
  });
  const blocks = () => blocksOf(Buffer.concat(parts)).slice(2);
  return {
    net,
    stream,
    live,
    clock,
    socket: { deliver: (b: Uint8Array, from: SocketAddress, at: Micros) => datagram(b, from, at) },
    types: () => blocks().map(({ type }) => type),
    packets: () =>
      blocks()
        .filter(({ type }) => type === BLOCK.packet)
        .map(packetOf),
  };
}

function clientHello(random: string): Uint8Array {
  return new Uint8Array(Buffer.concat([Buffer.from('160301002d010000290303', 'hex'), Buffer.from(random, 'hex'), Buffer.alloc(8)]));
}

function tcpOf(frame: Buffer) {
  const bits = frame[47]!;
  const flags = [
    [2, 'S'],
    [8, 'P'],
    [1, 'F'],
    [4, 'R'],
    [16, 'A'],
  ] as const;
  return {
    from: frame.readUInt16BE(34),
    sequence: frame.readUInt32BE(38),
    acknowledgement: frame.readUInt32BE(42),
    flags: flags
      .filter(([bit]) => bits & bit)
      .map(([, letter]) => letter)
      .join(''),
    length: frame.length - 54,
  };
}

/** RFC 1071: the sum over octets and their checksum is all ones. */
function checksumsHold(frame: Buffer): boolean {
  const sum = (parts: Buffer[]): number => {
    const all = Buffer.concat(parts);
    let total = 0;
    for (let i = 0; i < all.length; i += 2) total += (all[i]! << 8) | (all[i + 1] ?? 0);
    while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
    return total;
  };
  const segment = frame.subarray(34);
  const pseudo = Buffer.concat([frame.subarray(26, 34), Buffer.from([0, frame[23]!, segment.length >> 8, segment.length & 255])]);
  return sum([frame.subarray(14, 34)]) === 0xffff && sum([pseudo, segment]) === 0xffff && frame.readUInt16BE(16) === frame.length - 14;
}
