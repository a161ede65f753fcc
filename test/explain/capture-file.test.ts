/** Capture files of every form, built octet by octet from their specifications. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type CapturedPacket, readCaptureFile } from '../../tools/explain/capture-file.codec.js';

const AT = 1_767_225_600; // 2026-01-01T00:00:00Z
const FRAMES = ['first frame', 'second, and longer than the first'].map((text) => Buffer.from(text));

function packetsOf(file: Uint8Array): { packets: CapturedPacket[]; damage: string | undefined; secrets: string; format: string } {
  const read = readCaptureFile(file);
  if (!read.ok) throw new Error(read.error);
  const packets = [...read.value.packets];
  return { packets, damage: read.value.damage(), secrets: read.value.secrets, format: read.value.format };
}

/** Writes in either byte order. */
class Octets {
  readonly parts: Buffer[] = [];
  constructor(readonly little: boolean) {}
  u16(...values: number[]): this {
    for (const value of values) this.#number(2, (b) => (this.little ? b.writeUInt16LE(value) : b.writeUInt16BE(value)));
    return this;
  }
  u32(...values: number[]): this {
    for (const value of values) this.#number(4, (b) => (this.little ? b.writeUInt32LE(value) : b.writeUInt32BE(value)));
    return this;
  }
  i64(value: number): this {
    return this.#number(8, (b) => (this.little ? b.writeBigInt64LE(BigInt(value)) : b.writeBigInt64BE(BigInt(value))));
  }
  bytes(value: Uint8Array): this {
    this.parts.push(Buffer.from(value));
    return this;
  }
  padded(value: Uint8Array): this {
    return this.bytes(value).bytes(new Uint8Array((4 - (value.length % 4)) % 4));
  }
  #number(length: number, write: (buffer: Buffer) => void): this {
    const buffer = Buffer.alloc(length);
    write(buffer);
    this.parts.push(buffer);
    return this;
  }
  get all(): Buffer {
    return Buffer.concat(this.parts);
  }
}

describe('classic pcap', () => {
  const classic = (little: boolean, magic: number, fraction: number): Buffer => {
    const out = new Octets(little).u32(magic).u16(2, 4).u32(0, 0, 65_535, 113);
    for (const [i, frame] of FRAMES.entries()) out.u32(AT + i, fraction, frame.length, frame.length + i).bytes(frame);
    return out.all;
  };

  it.each([
    ['little-endian, µs', true, 0xa1b2c3d4, 250_000],
    ['big-endian, µs', false, 0xa1b2c3d4, 250_000],
    ['little-endian, ns', true, 0xa1b23c4d, 250_000_999],
    ['big-endian, ns', false, 0xa1b23c4d, 250_000_999],
  ])('%s', (_title, little, magic, fraction) => {
    const { packets, damage, format } = packetsOf(classic(little, magic, fraction));
    expect([format, damage]).toEqual(['pcap', undefined]);
    expect(
      packets.map(({ number, at, linkType, bytes, length }) => ({ number, at, linkType, text: `${Buffer.from(bytes)}`, length })),
    ).toEqual([
      { number: 1, at: AT * 1e6 + 250_000, linkType: 113, text: `${FRAMES[0]}`, length: FRAMES[0]!.length },
      { number: 2, at: (AT + 1) * 1e6 + 250_000, linkType: 113, text: `${FRAMES[1]}`, length: FRAMES[1]!.length + 1 },
    ]);
  });

  it('that ends in the middle of a packet gives those before, and says so', () => {
    const file = classic(true, 0xa1b2c3d4, 0);
    for (let end = 25; end < file.length; end++) {
      const { packets, damage } = packetsOf(file.subarray(0, end));
      expect(packets.length).toBe(end < 40 + FRAMES[0]!.length ? 0 : 1);
      const isWhole = end === 40 + FRAMES[0]!.length;
      expect(damage).toBe(isWhole ? undefined : `the file ends in the middle of packet ${packets.length + 1}`);
    }
  });
});

describe('pcapng', () => {
  const block = (little: boolean, type: number, body: Buffer): Buffer =>
    new Octets(little)
      .u32(type, 12 + body.length)
      .bytes(body)
      .u32(12 + body.length).all;
  const section = (little: boolean): Buffer => block(little, 0x0a0d0d0a, new Octets(little).u32(0x1a2b3c4d).u16(1, 0).i64(-1).all);
  const described = (little: boolean, options: (out: Octets) => Octets): Buffer =>
    block(little, 1, options(new Octets(little).u16(1, 0).u32(0)).all);
  const plain = (little: boolean): Buffer => described(little, (out) => out);
  const packet = (little: boolean, stamp: bigint, frame: Uint8Array): Buffer => {
    const [high, low] = [Number(stamp >> 32n), Number(stamp & 0xffff_ffffn)];
    return block(little, 6, new Octets(little).u32(0, high, low, frame.length, frame.length).padded(frame).all);
  };
  const secretsBlock = (little: boolean, text: string): Buffer =>
    block(little, 10, new Octets(little).u32(0x544c534b, text.length).padded(Buffer.from(text)).all);

  it.each([true, false])('stamps in ns, in powers of two, with an offset; little-endian: %s', (little) => {
    const at = (options: (out: Octets) => Octets, stamp: bigint): number =>
      packetsOf(Buffer.concat([section(little), described(little, options), packet(little, stamp, FRAMES[0]!)])).packets[0]!.at;
    const wanted = AT * 1e6 + 123_456;
    expect(at((out) => out, BigInt(wanted))).toBe(wanted);
    expect(at((out) => out.u16(9, 1).bytes(Uint8Array.of(9, 0, 0, 0)), BigInt(wanted) * 1000n)).toBe(wanted);
    expect(at((out) => out.u16(9, 1).bytes(Uint8Array.of(0x80 | 10, 0, 0, 0)), BigInt(AT) * 1024n + 512n)).toBe(AT * 1e6 + 500_000);
    expect(at((out) => out.u16(14, 8).i64(AT), 123_456n)).toBe(wanted);
  });

  it('sections in both byte orders in one file, each with its own interfaces', () => {
    const file = [true, false].flatMap((little) => [section(little), plain(little), packet(little, BigInt(AT * 1e6), FRAMES[0]!)]);
    const { packets, damage } = packetsOf(Buffer.concat(file));
    expect([packets.length, damage]).toEqual([2, undefined]);
    expect(packets.map(({ number, at, bytes }) => [number, at, `${Buffer.from(bytes)}`])).toEqual([
      [1, AT * 1e6, `${FRAMES[0]}`],
      [2, AT * 1e6, `${FRAMES[0]}`],
    ]);
  });

  it('simple and obsolete packets, and blocks that mean nothing here', () => {
    const simple = block(true, 3, new Octets(true).u32(FRAMES[1]!.length).padded(FRAMES[1]!).all);
    const obsolete = block(true, 2, new Octets(true).u16(0, 7).u32(0, 77, FRAMES[0]!.length, 999).padded(FRAMES[0]!).all);
    const strange = block(true, 0x4242, Buffer.alloc(8));
    const { packets } = packetsOf(Buffer.concat([section(true), plain(true), strange, obsolete, simple]));
    expect(packets.map(({ at, length, bytes }) => [at, length, `${Buffer.from(bytes)}`])).toEqual([
      [77, 999, `${FRAMES[0]}`],
      [77, FRAMES[1]!.length, `${FRAMES[1]}`],
    ]);
  });

  it('secrets from wherever in the file they stand', () => {
    const line = `CLIENT_RANDOM ${'ab'.repeat(32)} ${'cd'.repeat(48)}`;
    const file = Buffer.concat([
      section(false),
      plain(false),
      packet(false, 1n, FRAMES[0]!),
      secretsBlock(false, line),
      secretsBlock(false, 'x'),
    ]);
    expect(packetsOf(file).secrets).toBe(`${line}\nx`);
  });

  it('that is cut short, or damaged, gives the packets before', () => {
    const good = Buffer.concat([section(true), plain(true), packet(true, 1n, FRAMES[0]!)]);
    expect(packetsOf(Buffer.concat([good, packet(true, 2n, FRAMES[1]!).subarray(0, 30)]))).toMatchObject({
      packets: [{ number: 1 }],
      damage: 'the file ends in the middle of packet 2',
    });
    expect(packetsOf(Buffer.concat([good, new Octets(true).u32(6, 7, 0, 0).all]))).toMatchObject({
      packets: [{ number: 1 }],
      damage: 'the file is damaged behind packet 1',
    });
  });
});

it('what is no capture is refused with what it is', () => {
  const reason = (file: Uint8Array): string => {
    const read = readCaptureFile(file);
    return read.ok ? 'read' : read.error;
  };
  expect(reason(new Uint8Array(3))).toMatch(/empty/);
  expect(reason(gzipSync('pcap'))).toMatch(/gunzip/);
  expect(reason(Buffer.from('<html>not a capture</html>'))).toMatch(/neither pcapng nor pcap: open it in Wireshark/);
  expect(reason(Buffer.from([0xd4, 0xc3, 0xb2, 0xa1, 0]))).toMatch(/neither/);
});
