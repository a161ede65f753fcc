/** Reads back what the codec writes, by the specification and not by the codec. */
export interface Block {
  type: number;
  body: Buffer;
}

export function blocksOf(file: Uint8Array): Block[] {
  const bytes = Buffer.from(file);
  const blocks: Block[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4);
    if (length % 4 !== 0 || bytes.readUInt32LE(at + length - 4) !== length) throw new Error(`block at ${at} has two lengths`);
    blocks.push({ type: bytes.readUInt32LE(at), body: bytes.subarray(at + 8, at + length - 4) });
    at += length;
  }
  return blocks;
}

export interface Packet {
  interface: number;
  at: number;
  bytes: Buffer;
  options: Map<number, Buffer>;
}

export function packetOf({ body }: Block): Packet {
  const captured = body.readUInt32LE(12);
  return {
    interface: body.readUInt32LE(0),
    at: body.readUInt32LE(4) * 2 ** 32 + body.readUInt32LE(8),
    bytes: body.subarray(20, 20 + captured),
    options: optionsOf(body.subarray(20 + Math.ceil(captured / 4) * 4)),
  };
}

export function optionsOf(bytes: Buffer): Map<number, Buffer> {
  const options = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= bytes.length && bytes.readUInt16LE(at) !== 0; ) {
    const length = bytes.readUInt16LE(at + 2);
    options.set(bytes.readUInt16LE(at), bytes.subarray(at + 4, at + 4 + length));
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return options;
}

export const BLOCK = { section: 0x0a0d0d0a, interface: 1, packet: 6, secrets: 10 };
