/** Capture files in pcapng (draft-ietf-opsawg-pcapng), little-endian, with the TLS secrets that open them embedded. */
import { utf8 } from '../base/bytes.js';

/** Microseconds since 1970-01-01T00:00:00Z: integer, below 2^53 until the year 2255. */
export type UnixMicros = number;

/** One Ethernet frame, without its check sequence, as an interface saw it. */
export interface CapturedFrame {
  /** Index into the interfaces of the capture. */
  interface: number;
  at: UnixMicros;
  direction: 'in' | 'out';
  bytes: Uint8Array;
}

export interface Capture {
  interfaces: readonly string[];
  frames: readonly CapturedFrame[];
  /** Lines of an NSS key log. Undefined leaves them out; the file then says so. */
  secrets: readonly string[] | undefined;
}

/** Block types (part 4, and 11.1); `simple` and `obsolete` are read and never written. */
export const BLOCK = { section: 0x0a0d0d0a, interface: 1, obsolete: 2, simple: 3, packet: 6, secrets: 10 } as const;
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** The kind of secrets that a key log is, "TLSK". */
export const TLS_KEY_LOG = 0x544c534b;
const ETHERNET = 1;
export const OPTION = { comment: 1, interfaceName: 2, packetFlags: 2, application: 4, resolution: 9, offset: 14 } as const;
/** `if_tsresol` of 10^-6 s. */
const MICROSECONDS = Uint8Array.of(6);
const PACKET_FLAGS = { in: 1, out: 2 } as const;

const WITH_SECRETS =
  'This file holds the keys of its TLS connections: whoever has it can read them. Share it as you would share a password.';
const WITHOUT_SECRETS = 'The keys of the TLS connections were left out.';

/** The block that a file begins with; its comment says whether the file holds secrets. */
export function sectionHeader(holdsSecrets: boolean): Uint8Array {
  const fixed = new Uint8Array(16);
  const view = viewOf(fixed);
  view.setUint32(0, BYTE_ORDER_MAGIC, true);
  view.setUint16(4, 1, true);
  view.setUint16(6, 0, true);
  // Length of the section: not stated (all ones), so that a live capture can grow.
  fixed.fill(0xff, 8);
  return block(BLOCK.section, fixed, [
    [OPTION.comment, utf8(holdsSecrets ? WITH_SECRETS : WITHOUT_SECRETS)],
    [OPTION.application, utf8('Belfry')],
  ]);
}

/** An Ethernet interface with stamps in microseconds; the first described is number 0. */
export function interfaceDescription(name: string): Uint8Array {
  const fixed = new Uint8Array(8);
  viewOf(fixed).setUint16(0, ETHERNET, true);
  return block(BLOCK.interface, fixed, [
    [OPTION.interfaceName, utf8(name)],
    [OPTION.resolution, MICROSECONDS],
  ]);
}

/** Opens only the packets that stand after it. */
export function decryptionSecrets(lines: readonly string[]): Uint8Array {
  const text = utf8(lines.map((line) => `${line}\n`).join(''));
  const body = new Uint8Array(8 + text.length);
  viewOf(body).setUint32(0, TLS_KEY_LOG, true);
  viewOf(body).setUint32(4, text.length, true);
  body.set(text, 8);
  return block(BLOCK.secrets, body);
}

export function enhancedPacket(frame: CapturedFrame): Uint8Array {
  const { bytes } = frame;
  const body = new Uint8Array(20 + padded(bytes.length));
  const view = viewOf(body);
  view.setUint32(0, frame.interface, true);
  view.setUint32(4, Math.floor(frame.at / 2 ** 32), true);
  view.setUint32(8, frame.at % 2 ** 32, true);
  view.setUint32(12, bytes.length, true);
  view.setUint32(16, bytes.length, true);
  body.set(bytes, 20);
  return block(BLOCK.packet, body, [[OPTION.packetFlags, Uint8Array.of(PACKET_FLAGS[frame.direction], 0, 0, 0)]]);
}

/** A whole file: the secrets stand before the packets, because a reader that comes across them later does not go back. */
export function encodeCapture(capture: Capture): Uint8Array {
  const { secrets } = capture;
  const blocks = [sectionHeader(secrets !== undefined), ...capture.interfaces.map(interfaceDescription)];
  if (secrets && secrets.length > 0) blocks.push(decryptionSecrets(secrets));
  for (const frame of capture.frames) blocks.push(enhancedPacket(frame));
  return join(blocks);
}

type Option = readonly [code: number, value: Uint8Array];

/** Type, total length, body, options, total length again; everything padded to 32 bits. */
function block(type: number, body: Uint8Array, options: readonly Option[] = []): Uint8Array {
  const optionsLength = options.reduce((sum, [, value]) => sum + 4 + padded(value.length), options.length > 0 ? 4 : 0);
  const length = 12 + padded(body.length) + optionsLength;
  const out = new Uint8Array(length);
  const view = viewOf(out);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  out.set(body, 8);
  let at = 8 + padded(body.length);
  for (const [code, value] of options) {
    view.setUint16(at, code, true);
    view.setUint16(at + 2, value.length, true);
    out.set(value, at + 4);
    at += 4 + padded(value.length);
  }
  // opt_endofopt is all zeros, as the array already is.
  view.setUint32(length - 4, length, true);
  return out;
}

/** Not `concat(...blocks)`: a long capture has more blocks than a call can have arguments. */
function join(blocks: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(blocks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const bytes of blocks) {
    out.set(bytes, at);
    at += bytes.length;
  }
  return out;
}

const padded = (length: number): number => (length + 3) & ~3;
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
