/** TCP found in frames of every link that captures come from. */
import { describe, expect, it } from 'vitest';
import { concat } from '../../hal/base/bytes.js';
import { type Packet, readPacket } from '../../tools/explain/packet.codec.js';
import { Wire } from './wire.js';

const octets = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
const FRAME = new Wire({}, 1000).frame('client', 0x18, Uint8Array.from(Buffer.from('hello')));
const IP = FRAME.subarray(14);
const SEGMENT = {
  type: 'tcp',
  source: '10.0.0.50',
  destination: '10.0.0.10',
  sourcePort: 50_000,
  destinationPort: 443,
  sequence: 1000,
  length: 5,
};

const read = (linkType: number, bytes: Uint8Array, length = bytes.length): Packet => readPacket({ linkType, bytes, length });
const texts = (packet: Packet): unknown => (packet.type === 'tcp' ? { ...packet, payload: `${Buffer.from(packet.payload)}` } : packet);

describe('a segment is found', () => {
  const tag = (type: string, id: string): Uint8Array => octets(type + id);
  const tagged = (...tags: Uint8Array[]): Uint8Array => concat(FRAME.subarray(0, 12), ...tags, FRAME.subarray(12));
  it.each([
    ['on Ethernet', 1, FRAME],
    ['on Ethernet, padded', 1, concat(FRAME, new Uint8Array(9))],
    ['behind a VLAN tag', 1, tagged(tag('8100', '0014'))],
    ['behind two', 1, tagged(tag('88a8', '0001'), tag('8100', '0014'))],
    ['in Linux "any"', 113, concat(octets('0000000100060200000000320000'), octets('0800'), IP)],
    ['in Linux "any", second form', 276, concat(octets('0800000000000002000100060200000000320000'), IP)],
    ['on a BSD loopback', 0, concat(octets('02000000'), IP)],
    ['on an OpenBSD loopback', 108, concat(octets('00000002'), IP)],
    ['as raw IP', 101, IP],
    ['as raw IP by an older number', 12, IP],
    ['as IPv4', 228, IP],
  ])('%s', (_title, linkType, bytes) => {
    expect(texts(read(linkType, bytes))).toMatchObject({ ...SEGMENT, payload: 'hello' });
  });

  it('in IPv6, behind extension headers', () => {
    const tcp = IP.subarray(20);
    const header = (next: number, length: number) =>
      concat(
        octets('6000'),
        Uint8Array.of(0, 0, length >> 8, length & 255, next, 64),
        octets(`${'20010db8'.padEnd(30, '0')}01`),
        octets(`${'20010db8'.padEnd(30, '0')}02`),
      );
    const wanted = { ...SEGMENT, source: '2001:db8::1', destination: '2001:db8::2', payload: 'hello' };
    expect(texts(read(229, concat(header(6, tcp.length), tcp)))).toMatchObject(wanted);
    const options = Uint8Array.of(60, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0);
    expect(texts(read(101, concat(header(0, tcp.length + 16), options, tcp)))).toMatchObject(wanted);
    expect(read(229, concat(header(44, tcp.length + 8), new Uint8Array(8), tcp))).toEqual({ type: 'other', what: 'IP fragment' });
  });

  it('with a checksum that the interface would have filled in, and without a length', () => {
    const offloaded = FRAME.slice();
    offloaded.set([0xfe, 0x28], 14 + 20 + 16);
    offloaded.set([0, 0], 14 + 2);
    offloaded.set([0, 0], 14 + 10);
    expect(texts(read(1, offloaded))).toMatchObject({ ...SEGMENT, payload: 'hello' });
  });

  it('cut short: what is here, and how long it was', () => {
    expect(texts(read(1, FRAME.subarray(0, FRAME.length - 3), FRAME.length))).toMatchObject({ ...SEGMENT, payload: 'he' });
    expect(read(1, FRAME.subarray(0, 40), FRAME.length)).toEqual({ type: 'other', what: 'cut short' });
  });
});

it('what is no TCP is named', () => {
  const named = (bytes: Uint8Array): string => {
    const packet = read(1, bytes);
    return packet.type === 'other' ? packet.what : packet.type;
  };
  const ethernet = (type: string): Uint8Array => concat(FRAME.subarray(0, 12), octets(type), new Uint8Array(50));
  expect(named(ethernet('0806'))).toBe('ARP');
  expect(named(ethernet('888e'))).toBe('802.1X');
  expect(named(ethernet('0026'))).toBe('spanning tree and the like');
  expect(named(ethernet('9999'))).toBe('EtherType 0x9999');
  expect(read(147, FRAME)).toEqual({ type: 'other', what: 'link type 147' });
  const fragment = FRAME.slice();
  fragment[14 + 6] = 0x20;
  expect(named(fragment)).toBe('IP fragment');
});

it('a router that cannot deliver quotes the segment', () => {
  const icmp = concat(octets('0301000000000000'), IP.subarray(0, 28));
  const ip = concat(octets('45000038000000004001'), octets('0000'), octets('0a0000fe'), octets('0a000032'), icmp);
  expect(read(101, ip)).toEqual({
    type: 'unreachable',
    by: '10.0.0.254',
    source: '10.0.0.50',
    destination: '10.0.0.10',
    sourcePort: 50_000,
    destinationPort: 443,
  });
});
