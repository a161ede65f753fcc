/** DNS messages, both ways (RFC 1035 part 4), with SRV (RFC 2782), NAPTR (RFC 3403) and AAAA (RFC 3596). Written without compression. */
import { concat, fromLatin1, latin1, putU16, putU32, u16, u32 } from '../base/bytes.js';
import type { DnsRecords, IpAddress } from '../hal.js';
import { ipv4Text, parseIpv4 } from './address.js';
import { encodeName, readName } from './dns-name.codec.js';
import { ipv6Text, parseIpv6 } from './ipv6-text.js';

export const DNS_PORT = 53;
export const DnsType = { A: 1, CNAME: 5, AAAA: 28, SRV: 33, NAPTR: 35 } as const;
export const DnsRcode = { noError: 0, formatError: 1, serverFailure: 2, nameError: 3, notImplemented: 4, refused: 5 } as const;
const CLASS_INTERNET = 1;
const HEADER = 12;
/** Records read of one message: more do not fit a datagram of 64 KiB, and a count in the header is only a claim. */
const RECORD_LIMIT = 4096;

export interface DnsQuestion {
  name: string;
  type: number;
}
export type DnsData =
  | { type: 'A'; value: IpAddress }
  | { type: 'AAAA'; value: IpAddress }
  | { type: 'CNAME'; value: string }
  | { type: 'SRV'; value: DnsRecords['SRV'] }
  | { type: 'NAPTR'; value: DnsRecords['NAPTR'] }
  /** Of a type not read here: its number and its octets. */
  | { type: number; value: Uint8Array };
/** `ttl` in seconds. */
export type DnsRecord = { name: string; ttl: number } & DnsData;

export interface DnsMessage {
  id: number;
  response: boolean;
  authoritative: boolean;
  truncated: boolean;
  recursionDesired: boolean;
  recursionAvailable: boolean;
  rcode: number;
  questions: readonly DnsQuestion[];
  /** Of class IN; records of other classes are passed over. */
  answers: readonly DnsRecord[];
}

/** Header, questions and answers; what follows is not read. Undefined for a message that is cut off or contradicts itself. */
export function decodeDns(bytes: Uint8Array): DnsMessage | undefined {
  if (bytes.length < HEADER) return undefined;
  const flags = u16(bytes, 2);
  const questions: DnsQuestion[] = [];
  let at = HEADER;
  for (let left = u16(bytes, 4); left > 0; left--) {
    const name = readName(bytes, at);
    if (!name || name.end + 4 > bytes.length || questions.length >= RECORD_LIMIT) return undefined;
    questions.push({ name: name.name, type: u16(bytes, name.end) });
    at = name.end + 4;
  }
  const answers = readRecords(bytes, at, u16(bytes, 6));
  return (
    answers && {
      id: u16(bytes, 0),
      response: (flags & 0x8000) !== 0,
      authoritative: (flags & 0x0400) !== 0,
      truncated: (flags & 0x0200) !== 0,
      recursionDesired: (flags & 0x0100) !== 0,
      recursionAvailable: (flags & 0x0080) !== 0,
      rcode: flags & 15,
      questions,
      answers,
    }
  );
}

function readRecords(bytes: Uint8Array, start: number, count: number): DnsRecord[] | undefined {
  const records: DnsRecord[] = [];
  let at = start;
  for (let left = Math.min(count, RECORD_LIMIT); left > 0; left--) {
    const name = readName(bytes, at);
    if (!name || name.end + 10 > bytes.length) return undefined;
    const data = name.end + 10;
    const end = data + u16(bytes, name.end + 8);
    if (end > bytes.length) return undefined;
    const value = readData(bytes, u16(bytes, name.end), data, end);
    if (!value) return undefined;
    if (u16(bytes, name.end + 2) === CLASS_INTERNET) records.push({ name: name.name, ttl: u32(bytes, name.end + 4), ...value });
    at = end;
  }
  return records;
}

function readData(bytes: Uint8Array, type: number, at: number, end: number): DnsData | undefined {
  switch (type) {
    case DnsType.A:
      return end - at === 4 ? { type: 'A', value: ipv4Text(u32(bytes, at)) } : undefined;
    case DnsType.AAAA:
      return end - at === 16 ? { type: 'AAAA', value: ipv6Text(bytes.subarray(at, end)) } : undefined;
    case DnsType.CNAME: {
      const name = readName(bytes, at);
      return name?.end === end ? { type: 'CNAME', value: name.name } : undefined;
    }
    case DnsType.SRV: {
      const target = at + 6 < end ? readName(bytes, at + 6) : undefined;
      if (target?.end !== end) return undefined;
      return {
        type: 'SRV',
        value: { priority: u16(bytes, at), weight: u16(bytes, at + 2), port: u16(bytes, at + 4), target: target.name },
      };
    }
    case DnsType.NAPTR:
      return readNaptr(bytes, at, end);
    default:
      return { type, value: bytes.subarray(at, end) };
  }
}

function readNaptr(bytes: Uint8Array, at: number, end: number): DnsData | undefined {
  const texts: string[] = [];
  let next = at + 4;
  // Flags, service, regular expression: each a length octet and its characters.
  for (let i = 0; i < 3; i++) {
    const stop = next + 1 + (bytes[next] ?? end);
    if (stop > end) return undefined;
    texts.push(latin1(bytes, next + 1, stop));
    next = stop;
  }
  const replacement = next < end ? readName(bytes, next) : undefined;
  if (replacement?.end !== end) return undefined;
  const [flags, service] = texts;
  return {
    type: 'NAPTR',
    value: { order: u16(bytes, at), preference: u16(bytes, at + 2), flags: flags!, service: service!, replacement: replacement.name },
  };
}

/** Undefined where a name, an address or a text cannot be written. */
export function encodeDns(message: DnsMessage): Uint8Array | undefined {
  const header = new Uint8Array(HEADER);
  putU16(header, 0, message.id);
  const flags = [message.response, message.authoritative, message.truncated, message.recursionDesired, message.recursionAvailable];
  const masks = [0x8000, 0x0400, 0x0200, 0x0100, 0x0080];
  putU16(
    header,
    2,
    flags.reduce((sum, set, i) => (set ? sum | masks[i]! : sum), message.rcode & 15),
  );
  putU16(header, 4, message.questions.length);
  putU16(header, 6, message.answers.length);
  const parts: Uint8Array[] = [header];
  for (const { name, type } of message.questions) {
    const owner = encodeName(name);
    if (!owner) return undefined;
    parts.push(owner, words(type, CLASS_INTERNET));
  }
  for (const record of message.answers) {
    const owner = encodeName(record.name);
    const data = encodeData(record);
    if (!owner || !data) return undefined;
    const fixed = new Uint8Array(10);
    putU16(fixed, 0, typeof record.type === 'number' ? record.type : DnsType[record.type]);
    putU16(fixed, 2, CLASS_INTERNET);
    putU32(fixed, 4, record.ttl);
    putU16(fixed, 8, data.length);
    parts.push(owner, fixed, data);
  }
  return concat(...parts);
}

function encodeData(data: DnsData): Uint8Array | undefined {
  switch (data.type) {
    case 'A': {
      const address = parseIpv4(data.value);
      return address === undefined ? undefined : words(address >>> 16, address & 0xffff);
    }
    case 'AAAA':
      return parseIpv6(data.value);
    case 'CNAME':
      return encodeName(data.value);
    case 'SRV': {
      const { priority, weight, port } = data.value;
      const target = encodeName(data.value.target);
      return target && concat(words(priority, weight, port), target);
    }
    case 'NAPTR':
      return encodeNaptr(data.value);
    default:
      return data.value;
  }
}

function encodeNaptr(value: DnsRecords['NAPTR']): Uint8Array | undefined {
  const replacement = encodeName(value.replacement);
  const texts = [value.flags, value.service, ''].map(fromLatin1);
  if (!replacement || texts.some((text) => text.length > 255)) return undefined;
  return concat(words(value.order, value.preference), ...texts.flatMap((text) => [Uint8Array.of(text.length), text]), replacement);
}

function words(...values: readonly number[]): Uint8Array {
  const out = new Uint8Array(2 * values.length);
  values.forEach((value, i) => void putU16(out, 2 * i, value));
  return out;
}
