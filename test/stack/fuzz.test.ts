/** Random and mutated frames: nothing throws, nothing grows, and what was open still works. */
import { describe, expect, it } from 'vitest';
import { putU16 } from '../../hal/base/bytes.js';
import { SECOND } from '../../hal/base/time.js';
import { foldChecksum, internetChecksum, pseudoSum, wordSum } from '../../hal/stack/checksum.js';
import { readName } from '../../hal/stack/dns-name.codec.js';
import { decodeArp, decodeDhcp, decodeDns, decodeEthernet, decodeIcmp, decodeIpv4, decodeTcp, decodeUdp } from '../../hal/stack/index.js';
import { End, pattern } from './streams.js';
import { host, pair, seeded, type TestHost } from './wire.js';

function mutate(frame: Uint8Array, random: () => number): Uint8Array {
  const out = frame.slice(0, random() < 0.1 ? Math.floor(random() * frame.length) : frame.length);
  for (let left = 1 + Math.floor(random() * 4); left > 0 && out.length > 0; left--) {
    // Past the Ethernet addresses, so that the mutation is seen by somebody.
    const at = Math.min(out.length - 1, 12 + Math.floor(random() * Math.min(60, out.length)));
    out[at] = random() < 0.5 ? Math.floor(random() * 256) : out[at]! ^ (1 << Math.floor(random() * 8));
  }
  if (random() < 0.8) repair(out);
  return out;
}

/** Makes the checksums right again, so that the mutation is believed. */
function repair(frame: Uint8Array): void {
  const header = (frame[14]! & 15) * 4;
  if (frame.length < 14 + 20 || header < 20 || frame.length < 14 + header + 20) return;
  putU16(frame, 24, 0);
  putU16(frame, 24, internetChecksum(frame, 14, 14 + header));
  const at = 14 + header;
  const end = Math.min(frame.length, 14 + ((frame[16]! << 8) | frame[17]!));
  const field = { 6: at + 16, 17: at + 6, 1: at + 2 }[frame[23]!];
  if (!field || end < field + 2) return;
  const word = (i: number): number => ((frame[i]! << 24) | (frame[i + 1]! << 16) | (frame[i + 2]! << 8) | frame[i + 3]!) >>> 0;
  putU16(frame, field, 0);
  const pseudo = frame[23] === 1 ? 0 : pseudoSum(word(26), word(30), frame[23]!, end - at);
  putU16(frame, field, foldChecksum(pseudo + wordSum(frame, at, end)));
}

/** Every decoder there is, on the same octets. */
function decodeAll(bytes: Uint8Array): void {
  decodeEthernet(bytes);
  decodeArp(bytes);
  decodeIpv4(bytes);
  decodeIcmp(bytes);
  decodeUdp(bytes, 1, 2);
  decodeTcp(bytes, 1, 2);
  decodeDhcp(bytes);
  decodeDns(bytes);
  readName(bytes, 0);
}

function busy(seed: number) {
  const world = pair(seed);
  const ends: End[] = [];
  world.b.net.listen({ port: 80, backlog: 8 }, (stream) => {
    const end = new End(stream);
    ends.push(end);
    end.send(pattern(30_000));
  });
  world.b.net.udp({ port: 2000 });
  const c = host(world.wire, 'dhcp');
  c.net.resolve('name.test', 'A', () => {});
  const client = new End(world.a.net.connect({ address: '10.0.0.2', port: 80 }));
  client.send(pattern(30_000));
  const socket = world.a.net.udp({ port: 0 });
  if (socket.ok) for (let i = 0; i < 5; i++) socket.value.send({ address: '10.0.0.2', port: 2000 + i }, pattern(20 * i));
  return { ...world, c, client, ends };
}

const opensAndCloses = (a: TestHost, run: (seconds: number) => void): boolean => {
  const end = new End(a.net.connect({ address: '10.0.0.2', port: 80 }));
  run(5);
  return end.at('open') !== undefined;
};

describe('whatever arrives', () => {
  it.each([1, 2, 3, 4])('random octets change nothing (seed %d)', (seed) => {
    const random = seeded(seed);
    for (let i = 0; i < 20_000; i++) {
      const bytes = Uint8Array.from({ length: Math.floor(random() * 80) }, () => Math.floor(random() * 256));
      decodeAll(bytes);
    }
  });

  it.each([1, 2, 3, 4, 5, 6])('mutated frames neither throw nor grow anything (seed %d)', (seed) => {
    const random = seeded(seed * 7919);
    const world = busy(seed);
    const { time, wire, a, b, c } = world;
    for (let i = 0; i < 5000; i++) {
      if (i % 50 === 0) time.run(time.now + SECOND / 20);
      const frame = wire.frames[Math.floor(random() * wire.frames.length)]!.bytes;
      const bytes = mutate(frame, random);
      decodeAll(bytes);
      for (const one of [a, b, c]) one.port.receive(bytes);
      if (wire.frames.length > 2000) wire.frames.splice(1000);
    }
    // Half-open connections of forged peers end by themselves; then the listener takes new ones.
    time.run(time.now + 200 * SECOND);
    expect(opensAndCloses(a, (seconds) => time.run(time.now + seconds * SECOND))).toBe(true);
    expect(b.counters.framesIn).toBeGreaterThan(5000);
  });

  it('mutated DNS and DHCP messages never throw', () => {
    const random = seeded(99);
    const world = busy(9);
    world.time.run(SECOND);
    const payloads = world.wire.frames.flatMap(({ bytes }) => (bytes[23] === 17 ? [bytes.subarray(42)] : []));
    expect(payloads.length).toBeGreaterThan(0);
    for (let i = 0; i < 50_000; i++) {
      const bytes = payloads[i % payloads.length]!.slice();
      for (let left = 3; left > 0; left--) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      decodeDns(bytes);
      decodeDhcp(bytes);
    }
  });
});
