/**
 * Reads capture files as people send them: pcapng (draft-ietf-opsawg-pcapng) and classic pcap (draft-ietf-opsawg-pcap), in either byte
 * order, with stamps in any resolution. Total: a file that ends in the middle of a packet gives the packets before it, and says so.
 */
import { fromUtf8, u32 } from '../../hal/base/bytes.js';
import { err, ok } from '../../hal/base/result.js';
import type { Result } from '../../hal/hal.js';
import { BLOCK, BYTE_ORDER_MAGIC, OPTION, TLS_KEY_LOG, type UnixMicros } from '../../hal/layers/pcapng.codec.js';

/** A packet as far as it was kept; `bytes` is a view into the file. */
export interface CapturedPacket {
  /** From 1, as Wireshark counts. */
  number: number;
  at: UnixMicros;
  /** https://www.tcpdump.org/linktypes.html */
  linkType: number;
  bytes: Uint8Array;
  /** Octets that it had on the wire. */
  length: number;
}

export interface CaptureFile {
  format: 'pcapng' | 'pcap';
  /** Key logs that the file holds, in NSS format; wherever in the file they stand. */
  secrets: string;
  /** To be walked once; then `damage` is known. */
  packets: Iterable<CapturedPacket>;
  /** Why the walk ended before the end of the file. */
  damage(): string | undefined;
}

/** Refused with what the file seems to be, and the mend. */
export function readCaptureFile(file: Uint8Array): Result<CaptureFile, string> {
  if (file.length < 4) return err('it is empty, or nearly so');
  const magic = u32(file, 0);
  if (magic === BLOCK.section) {
    const walk = new PcapngWalk(file);
    return ok({ format: 'pcapng', secrets: [...secretsOf(file)].join('\n'), packets: walk.packets(), damage: () => walk.damage });
  }
  const classic = CLASSIC[magic];
  if (classic && file.length >= CLASSIC_HEADER) {
    const walk = new ClassicWalk(file, classic);
    return ok({ format: 'pcap', secrets: '', packets: walk.packets(), damage: () => walk.damage });
  }
  if (magic >>> 16 === GZIP) return err('it is compressed: unpack it with gunzip');
  return err('it is neither pcapng nor pcap: open it in Wireshark and save it as pcapng');
}

const GZIP = 0x1f8b;

/** Of one interface, or of a whole classic file. */
interface Timing {
  /** Stamps count in these parts of a second. */
  perSecond: number;
  /** Seconds to add to each. */
  offset: number;
}

/** A stamp of nanoseconds in 64 bits passes 2^53, which costs a quarter of a microsecond. */
const micros = ({ perSecond, offset }: Timing, stamp: number): UnixMicros => Math.floor((stamp / perSecond + offset) * 1e6 + 0.5);

const CLASSIC: Readonly<Record<number, { little: boolean; perSecond: number }>> = {
  [0xa1b2c3d4]: { little: false, perSecond: 1e6 },
  [0xd4c3b2a1]: { little: true, perSecond: 1e6 },
  [0xa1b23c4d]: { little: false, perSecond: 1e9 },
  [0x4d3cb2a1]: { little: true, perSecond: 1e9 },
};
const CLASSIC_HEADER = 24;
const CLASSIC_PACKET = 16;
/** The link type shares its field with flags (draft-ietf-opsawg-pcap, 4). */
const LINK_TYPE_BITS = 0x0fff_ffff;

class ClassicWalk {
  damage: string | undefined;

  constructor(
    readonly file: Uint8Array,
    readonly form: { little: boolean; perSecond: number },
  ) {}

  *packets(): Generator<CapturedPacket> {
    const { file, form } = this;
    const view = viewOf(file);
    const linkType = view.getUint32(20, form.little) & LINK_TYPE_BITS;
    let number = 0;
    for (let at = CLASSIC_HEADER; at < file.length; ) {
      const body = at + CLASSIC_PACKET;
      const captured = body <= file.length ? view.getUint32(at + 8, form.little) : 0;
      if (body > file.length || body + captured > file.length) {
        this.damage = cutShort(number);
        return;
      }
      const stamp = view.getUint32(at, form.little) * 1e6 + Math.floor((view.getUint32(at + 4, form.little) * 1e6) / form.perSecond);
      const length = view.getUint32(at + 12, form.little);
      yield { number: ++number, at: stamp, linkType, bytes: file.subarray(body, body + captured), length };
      at = body + captured;
    }
  }
}

const cutShort = (packets: number): string => `the file ends in the middle of packet ${packets + 1}`;

/** One block, its body as a view with the byte order of its section. */
interface Block {
  type: number;
  body: DataView;
  bytes: Uint8Array;
  little: boolean;
}

interface Interface extends Timing {
  linkType: number;
}

class PcapngWalk {
  damage: string | undefined;
  #interfaces: Interface[] = [];
  #number = 0;
  #last: UnixMicros = 0;

  constructor(readonly file: Uint8Array) {}

  *packets(): Generator<CapturedPacket> {
    for (const block of blocksOf(this.file, (damage) => this.#damaged(damage))) {
      const packet = this.#take(block);
      if (packet) yield packet;
    }
  }

  #damaged(end: BlocksEnd): void {
    this.damage = end === 'cut' ? cutShort(this.#number) : `the file is damaged behind packet ${this.#number}`;
  }

  #take(block: Block): CapturedPacket | undefined {
    // A new section numbers its interfaces anew.
    if (block.type === BLOCK.section) this.#interfaces = [];
    else if (block.type === BLOCK.interface) this.#interfaces.push(readInterface(block));
    else if (block.type === BLOCK.packet || block.type === BLOCK.obsolete) return this.#packet(block);
    else if (block.type === BLOCK.simple) return this.#simple(block);
    return undefined;
  }

  /** Interface, stamp in two halves, lengths captured and on the wire; the obsolete kind has a count of drops beside the interface. */
  #packet({ type, body, bytes, little }: Block): CapturedPacket | undefined {
    if (bytes.length < 20) return undefined;
    const from = this.#interfaces[type === BLOCK.packet ? body.getUint32(0, little) : body.getUint16(0, little)];
    const stamp = body.getUint32(4, little) * 2 ** 32 + body.getUint32(8, little);
    if (!from) return undefined;
    this.#last = micros(from, stamp);
    return this.#numbered(from, bytes.subarray(20, 20 + body.getUint32(12, little)), body.getUint32(16, little));
  }

  /** Its length on the wire, and no stamp: the one before counts. */
  #simple({ body, bytes, little }: Block): CapturedPacket | undefined {
    const [from] = this.#interfaces;
    if (bytes.length < 4 || !from) return undefined;
    const length = body.getUint32(0, little);
    return this.#numbered(from, bytes.subarray(4, 4 + length), length);
  }

  #numbered({ linkType }: Interface, bytes: Uint8Array, length: number): CapturedPacket {
    return { number: ++this.#number, at: this.#last, linkType, bytes, length };
  }
}

function readInterface({ body, bytes, little }: Block): Interface {
  const timing: Timing = { perSecond: 1e6, offset: 0 };
  if (bytes.length < 8) return { linkType: -1, ...timing };
  for (const [code, value] of optionsOf(body, 8, little)) {
    if (code === OPTION.resolution && value.byteLength >= 1) timing.perSecond = resolution(value.getUint8(0));
    if (code === OPTION.offset && value.byteLength >= 8) timing.offset = Number(value.getBigInt64(0, little));
  }
  return { linkType: body.getUint16(0, little), ...timing };
}

/** A power of 10, or of 2 where the highest bit says so (if_tsresol). */
const resolution = (octet: number): number => (octet & 0x80 ? 2 ** (octet & 0x7f) : 10 ** octet);

function* optionsOf(body: DataView, from: number, little: boolean): Generator<readonly [code: number, value: DataView]> {
  for (let at = from; at + 4 <= body.byteLength; ) {
    const [code, length] = [body.getUint16(at, little), body.getUint16(at + 2, little)];
    if (code === 0 || at + 4 + length > body.byteLength) return;
    yield [code, new DataView(body.buffer, body.byteOffset + at + 4, length)];
    at += 4 + padded(length);
  }
}

/** Texts of the Decryption Secrets Blocks that hold a TLS key log. */
function* secretsOf(file: Uint8Array): Generator<string> {
  for (const { type, body, bytes, little } of blocksOf(file, () => undefined)) {
    if (type !== BLOCK.secrets || bytes.length < 8 || body.getUint32(0, little) !== TLS_KEY_LOG) continue;
    yield fromUtf8(bytes, 8, Math.min(bytes.length, 8 + body.getUint32(4, little)));
  }
}

type BlocksEnd = 'cut' | 'damaged';

/** Smallest block: type, length, length again. */
const BLOCK_FRAME = 12;

function* blocksOf(file: Uint8Array, onDamage: (end: BlocksEnd) => void): Generator<Block> {
  const view = viewOf(file);
  let little = true;
  for (let at = 0; at < file.length; ) {
    if (at + BLOCK_FRAME > file.length) return onDamage('cut');
    // The type of a section header reads alike in both orders, and what follows its length tells the order.
    if (view.getUint32(at, true) === BLOCK.section) {
      if (at + BLOCK_FRAME + 4 > file.length) return onDamage('cut');
      little = view.getUint32(at + 8, true) === BYTE_ORDER_MAGIC;
      if (!little && view.getUint32(at + 8, false) !== BYTE_ORDER_MAGIC) return onDamage('damaged');
    }
    const length = view.getUint32(at + 4, little);
    if (length < BLOCK_FRAME || length % 4 !== 0) return onDamage('damaged');
    if (at + length > file.length) return onDamage('cut');
    const bytes = file.subarray(at + 8, at + length - 4);
    yield { type: view.getUint32(at, little), bytes, body: viewOf(bytes), little };
    at += length;
  }
}

const padded = (length: number): number => (length + 3) & ~3;
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
