import { describe, expect, it } from 'vitest';
import { decodeG711, encodeG711, type G711Codec } from '../../core/media/g711.codec.js';
import { RtpView, rtpHeaderLength, writeRtpHeader } from '../../core/media/rtp.codec.js';
import { concat, fromHex } from '../../hal/base/bytes.js';
import { fuzz } from '../support/mutation.js';

const decode = (codec: G711Codec, octet: number): number => {
  const out = new Int16Array(1);
  decodeG711(codec, Uint8Array.of(octet), 0, 1, out, 0);
  return out[0]!;
};
const encode = (codec: G711Codec, sample: number): number => {
  const out = new Uint8Array(1);
  encodeG711(codec, Int16Array.of(sample), out, 0);
  return out[0]!;
};

describe('G.711', () => {
  // ITU-T G.711 table 2a, values of 14 bits: the ends of each positive segment, and the smallest.
  it.each([
    [0x80, 8031],
    [0x8f, 4191],
    [0x90, 3999],
    [0x9f, 2079],
    [0xa0, 1983],
    [0xaf, 1023],
    [0xb0, 975],
    [0xbf, 495],
    [0xc0, 471],
    [0xcf, 231],
    [0xd0, 219],
    [0xdf, 99],
    [0xe0, 93],
    [0xef, 33],
    [0xf0, 30],
    [0xfe, 2],
    [0xff, 0],
  ])('mu-law %i is %i', (octet, value) => {
    expect(decode('PCMU', octet)).toBe(4 * value);
    expect(decode('PCMU', octet & 0x7f)).toBe(value === 0 ? 0 : -4 * value);
  });

  // ITU-T G.711 table 1a, values of 13 bits, even bits inverted.
  it.each([
    [0xaa, 4032],
    [0xa5, 2112],
    [0xba, 2016],
    [0xb5, 1056],
    [0x8a, 1008],
    [0x85, 528],
    [0x9a, 504],
    [0x95, 264],
    [0xea, 252],
    [0xe5, 132],
    [0xfa, 126],
    [0xf5, 66],
    [0xca, 63],
    [0xd5, 1],
  ])('A-law %i is %i', (octet, value) => {
    expect(decode('PCMA', octet)).toBe(8 * value);
    expect(decode('PCMA', octet & 0x7f)).toBe(-8 * value);
  });

  // The decision values of tables 1a and 2a between segments: from there on upwards the sample belongs to the upper one.
  it.each([
    ['PCMU', 4 * 4063, 0x8f, 0x90],
    ['PCMU', 4 * 2015, 0x9f, 0xa0],
    ['PCMU', 4 * 991, 0xaf, 0xb0],
    ['PCMU', 4 * 479, 0xbf, 0xc0],
    ['PCMU', 4 * 223, 0xcf, 0xd0],
    ['PCMU', 4 * 95, 0xdf, 0xe0],
    ['PCMU', 4 * 31, 0xef, 0xf0],
    ['PCMA', 8 * 2048, 0xa5, 0xba],
    ['PCMA', 8 * 1024, 0xb5, 0x8a],
    ['PCMA', 8 * 512, 0x85, 0x9a],
    ['PCMA', 8 * 256, 0x95, 0xea],
    ['PCMA', 8 * 128, 0xe5, 0xfa],
    ['PCMA', 8 * 64, 0xf5, 0xca],
  ] as const)('%s decides at %i', (codec, sample, above, below) => {
    expect([encode(codec, sample), encode(codec, sample - 1)]).toEqual([above, below]);
  });

  it.each(['PCMU', 'PCMA'] as const)('%s never falls where the sample rises, and stays within half a step', (codec) => {
    let last = -32768;
    for (let sample = -32768; sample <= 32767; sample++) {
      const value = decode(codec, encode(codec, sample));
      if (value < last || Math.abs(value - sample) > Math.max(8, (Math.abs(sample) + 132) / 32))
        expect([sample, value, last]).toBeUndefined();
      last = value;
    }
  });

  it.each(['PCMU', 'PCMA'] as const)('%s: each octet survives', (codec) => {
    // Mu-law has two zeros; the negative one becomes the positive one.
    for (let octet = 0; octet < 256; octet++) {
      expect(encode(codec, decode(codec, octet))).toBe(codec === 'PCMU' && octet === 0x7f ? 0xff : octet);
    }
  });

  it('silence is the idle octet', () => {
    expect([encode('PCMU', 0), encode('PCMA', 0)]).toEqual([0xff, 0xd5]);
  });
});

describe('RTP', () => {
  const header = '8000123400000abccafebabe';
  const view = new RtpView();
  const read = (packet: Uint8Array): boolean => view.read(packet, packet.length);

  it('writes and reads the fixed header', () => {
    const packet = new Uint8Array(14);
    writeRtpHeader(packet, { marker: true, payloadType: 8, sequence: 0xfffe, timestamp: 0xdeadbeef, ssrc: 0x80000001 });
    expect(read(packet)).toBe(true);
    const { marker, payloadType, sequence, timestamp, ssrc, payloadStart, payloadEnd } = view;
    expect([marker, payloadType, sequence, timestamp, ssrc, payloadStart, payloadEnd]).toEqual([
      true,
      8,
      0xfffe,
      0xdeadbeef,
      0x80000001,
      12,
      14,
    ]);
  });

  it('finds the payload behind CSRC list and extension, and before padding', () => {
    expect(read(fromHex(`b2${header.slice(2)}0000000100000002bede00010000000055aa0002`)!)).toBe(true);
    expect([view.payloadStart, view.payloadEnd]).toEqual([28, 30]);
  });

  it.each([
    ['too short', header.slice(0, 22)],
    ['version 1', `40${header.slice(2)}`],
    ['CSRC list beyond the end', `81${header.slice(2)}`],
    ['extension beyond the end', `90${header.slice(2)}bede0001`],
    ['padding of nothing', `a0${header.slice(2)}00`],
    ['padding beyond the payload', `a0${header.slice(2)}0002`.replace(/0002$/, '03')],
    ['RTCP', `80c8${header.slice(4)}`],
  ])('refuses: %s', (_what, hex) => {
    expect(read(fromHex(hex)!)).toBe(false);
  });

  it('is total: 50,000 mutated packets', () => {
    const sample = concat(fromHex(header)!, new Uint8Array(20));
    fuzz([sample], 50_000, (input) => {
      if (!read(input)) return;
      expect(view.payloadStart).toBe(rtpHeaderLength(input, input.length));
      expect(view.payloadStart <= view.payloadEnd && view.payloadEnd <= input.length).toBe(true);
    });
  });
});
