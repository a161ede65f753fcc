/**
 * What manufacture leaves in the factory partition, written once. Big-endian:
 *
 *     0   4  magic `BLFF`
 *     4   1  version, 1
 *     5   3  zero
 *     8   4  length of the fields
 *    12   4  CRC-32 of the fields
 *    16   …  fields: tag (1 octet), length (4 octets), value
 *
 * A tag unknown to this version is passed over, so that an older firmware reads a newer unit.
 */
import { concat, fromHex, fromUtf8, hex, putU32, u32, utf8 } from '../../hal/base/bytes.js';
import { err, ok } from '../../hal/base/result.js';
import type { Der, MacAddress, Result, UnixMillis } from '../../hal/hal.js';
import { crc32 } from './crc32.js';

/** The identity of one unit, and the public authorities that it trusts from the start. */
export interface FactoryContent {
  /** Id of its board profile. */
  board: string;
  /** The device's identity everywhere: file names, certificate, events. */
  mac: MacAddress;
  serial: string;
  made: UnixMillis;
  /** The first administrator password. */
  password: string;
  /** Absent in a unit from before 2019. Chain leaf first; the key as PKCS#8. */
  identity?: { chain: readonly Der[]; pkcs8: Der };
  /** The preinstalled public CAs: which set, in which version. */
  anchors: { set: string; version: string; certificates: readonly Der[] };
}

/** Octets before the fields. */
export const FACTORY_HEAD = 16;

const MAGIC = 0x424c4646; // "BLFF"
const VERSION = 1;
const FIELD_HEAD = 5;

enum Tag {
  board = 1,
  mac = 2,
  serial = 3,
  made = 4,
  password = 5,
  certificate = 6,
  pkcs8 = 7,
  anchorSet = 8,
  anchorVersion = 9,
  anchor = 10,
}

export function encodeFactory(content: FactoryContent): Uint8Array {
  const fields: Uint8Array[] = [];
  const put = (tag: Tag, value: Uint8Array): void => {
    const head = new Uint8Array(FIELD_HEAD);
    head[0] = tag;
    putU32(head, 1, value.length);
    fields.push(head, value);
  };
  put(Tag.board, utf8(content.board));
  put(Tag.mac, fromHex(content.mac) ?? new Uint8Array(6));
  put(Tag.serial, utf8(content.serial));
  put(Tag.made, utf8(String(content.made)));
  put(Tag.password, utf8(content.password));
  for (const certificate of content.identity?.chain ?? []) put(Tag.certificate, certificate);
  if (content.identity) put(Tag.pkcs8, content.identity.pkcs8);
  put(Tag.anchorSet, utf8(content.anchors.set));
  put(Tag.anchorVersion, utf8(content.anchors.version));
  for (const anchor of content.anchors.certificates) put(Tag.anchor, anchor);
  const body = concat(...fields);
  const head = new Uint8Array(FACTORY_HEAD);
  putU32(head, 0, MAGIC);
  head[4] = VERSION;
  putU32(head, 8, body.length);
  putU32(head, 12, crc32(body));
  return concat(head, body);
}

/** Octets of fields that follow a head; the error says what it is instead. */
export function factoryLength(head: Uint8Array): Result<number, string> {
  if (head.length < FACTORY_HEAD || u32(head, 0) !== MAGIC)
    return err('the factory partition is empty: no manufacture record (BLFF) in it');
  if (head[4] !== VERSION) return err(`the manufacture record has format version ${head[4]}, this is version ${VERSION}`);
  return ok(u32(head, 8));
}

/** Reads the record at the start of `bytes`; what lies behind it does not matter. */
export function decodeFactory(bytes: Uint8Array): Result<FactoryContent, string> {
  const length = factoryLength(bytes);
  if (!length.ok) return length;
  const body = bytes.subarray(FACTORY_HEAD, FACTORY_HEAD + length.value);
  if (body.length < length.value) return err('the manufacture record is cut short');
  if (crc32(body) !== u32(bytes, 12)) return err('the manufacture record is damaged: its checksum does not match');
  const fields = readFields(body);
  if (!fields) return err('the manufacture record is malformed');
  const text = (tag: Tag): string => fromUtf8(fields.get(tag)?.[0] ?? new Uint8Array(0));
  const mac = fields.get(Tag.mac)?.[0];
  if (mac?.length !== 6 || text(Tag.board) === '') return err('the manufacture record names no board or no MAC address');
  const made = Number(text(Tag.made));
  const pkcs8 = fields.get(Tag.pkcs8)?.[0];
  const chain = fields.get(Tag.certificate) ?? [];
  return ok({
    board: text(Tag.board),
    mac: hex(mac).toUpperCase(),
    serial: text(Tag.serial),
    made: Number.isSafeInteger(made) ? made : 0,
    password: text(Tag.password),
    ...(pkcs8 && chain.length > 0 ? { identity: { chain, pkcs8 } } : {}),
    anchors: { set: text(Tag.anchorSet), version: text(Tag.anchorVersion), certificates: fields.get(Tag.anchor) ?? [] },
  });
}

/** Values by tag, in order, as copies; undefined where a field runs over the end. */
function readFields(body: Uint8Array): ReadonlyMap<number, readonly Uint8Array[]> | undefined {
  const fields = new Map<number, Uint8Array[]>();
  for (let at = 0; at < body.length; ) {
    if (at + FIELD_HEAD > body.length) return undefined;
    const end = at + FIELD_HEAD + u32(body, at + 1);
    if (end > body.length) return undefined;
    const tag = body[at]!;
    const values = fields.get(tag) ?? [];
    values.push(body.slice(at + FIELD_HEAD, end));
    fields.set(tag, values);
    at = end;
  }
  return fields;
}
