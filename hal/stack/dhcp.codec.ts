/** DHCP messages, both ways (RFC 2131 part 2, RFC 2132), with long options (RFC 3396) and option overload. */
import { concat, latin1, putU16, putU32, u16, u32 } from '../base/bytes.js';
import type { IpAddress, MacAddress } from '../hal.js';
import { type Ipv4, ipv4Text, macText, parseIpv4, parseMac, putMac, readMac } from './address.js';

export const DHCP_SERVER_PORT = 67;
export const DHCP_CLIENT_PORT = 68;

/** Codes of RFC 2132, and 150 of RFC 5859; 160 is the vendor's other name for 66 (`seed`). */
export const DhcpOption = {
  subnetMask: 1,
  router: 3,
  dns: 6,
  hostName: 12,
  domain: 15,
  ntp: 42,
  requestedAddress: 50,
  leaseTime: 51,
  overload: 52,
  messageType: 53,
  serverId: 54,
  parameters: 55,
  maximumSize: 57,
  renewalTime: 58,
  rebindingTime: 59,
  clientId: 61,
  tftpServer: 66,
  tftpServerAddress: 150,
  vendorServer: 160,
} as const;

const MESSAGE_TYPES = ['discover', 'offer', 'request', 'decline', 'ack', 'nak', 'release', 'inform'] as const;
export type DhcpMessageType = (typeof MESSAGE_TYPES)[number];

export interface DhcpMessage {
  op: 'request' | 'reply';
  type: DhcpMessageType;
  transaction: number;
  /** Seconds since the client began. */
  seconds: number;
  /** The client cannot take unicast before it is configured: answer to 255.255.255.255. */
  broadcast: boolean;
  /** The client's address, when it is configured and answers ARP; 0.0.0.0 otherwise. */
  clientAddress: IpAddress;
  /** The address given to the client. */
  yourAddress: IpAddress;
  serverAddress: IpAddress;
  relayAddress: IpAddress;
  clientMac: MacAddress;
  /** By code, in the order written; without message type, padding and end. Parts of one code are joined (RFC 3396). */
  options: ReadonlyMap<number, Uint8Array>;
}

const MAGIC = 0x63825363;
const OPTIONS_AT = 240;
const SNAME = { at: 44, end: 108 } as const;
const FILE = { at: 108, end: 236 } as const;
/** BOOTP relays and servers may drop anything shorter (RFC 1542 part 2.1). */
const MINIMUM = 300;
const PAD = 0;
const END = 255;
const BROADCAST_FLAG = 0x8000;

/** Undefined for what is not DHCP over Ethernet: no cookie, no or an unknown message type, an option that leaves the message. */
export function decodeDhcp(bytes: Uint8Array): DhcpMessage | undefined {
  if (bytes.length < OPTIONS_AT || u32(bytes, 236) !== MAGIC || bytes[1] !== 1 || bytes[2] !== 6) return undefined;
  if (bytes[0] !== 1 && bytes[0] !== 2) return undefined;
  const options = readOptions(bytes);
  const type = options && MESSAGE_TYPES[(options.get(DhcpOption.messageType)?.[0] ?? 0) - 1];
  if (!options || !type) return undefined;
  options.delete(DhcpOption.messageType);
  return {
    op: bytes[0] === 1 ? 'request' : 'reply',
    type,
    transaction: u32(bytes, 4),
    seconds: u16(bytes, 8),
    broadcast: (u16(bytes, 10) & BROADCAST_FLAG) !== 0,
    clientAddress: ipv4Text(u32(bytes, 12)),
    yourAddress: ipv4Text(u32(bytes, 16)),
    serverAddress: ipv4Text(u32(bytes, 20)),
    relayAddress: ipv4Text(u32(bytes, 24)),
    clientMac: macText(readMac(bytes, 28)),
    options,
  };
}

/** The options field, then `file`, then `sname` where option 52 says that they hold options too (RFC 3396 part 5). */
function readOptions(bytes: Uint8Array): Map<number, Uint8Array> | undefined {
  const options = new Map<number, Uint8Array>();
  if (!readField(bytes, OPTIONS_AT, bytes.length, options)) return undefined;
  const overload = options.get(DhcpOption.overload)?.[0] ?? 0;
  options.delete(DhcpOption.overload);
  if (overload & 1 && !readField(bytes, FILE.at, FILE.end, options)) return undefined;
  if (overload & 2 && !readField(bytes, SNAME.at, SNAME.end, options)) return undefined;
  return options;
}

function readField(bytes: Uint8Array, start: number, end: number, options: Map<number, Uint8Array>): boolean {
  for (let at = start; at < end; ) {
    const code = bytes[at++]!;
    if (code === END) return true;
    if (code === PAD) continue;
    const length = at < end ? bytes[at]! : end;
    if (at + 1 + length > end) return false;
    const part = bytes.subarray(at + 1, at + 1 + length);
    const before = options.get(code);
    options.set(code, before ? concat(before, part) : part);
    at += 1 + length;
  }
  return true;
}

/** At least 300 octets. An address that is no dotted quad is written as 0.0.0.0. */
export function encodeDhcp(message: DhcpMessage): Uint8Array {
  const options = [option(DhcpOption.messageType, Uint8Array.of(MESSAGE_TYPES.indexOf(message.type) + 1))];
  for (const [code, value] of message.options) options.push(option(code, value));
  const body = concat(...options, Uint8Array.of(END));
  const out = new Uint8Array(Math.max(MINIMUM, OPTIONS_AT + body.length));
  out.set([message.op === 'request' ? 1 : 2, 1, 6]);
  putU32(out, 4, message.transaction);
  putU16(out, 8, message.seconds);
  putU16(out, 10, message.broadcast ? BROADCAST_FLAG : 0);
  putU32(out, 12, parseIpv4(message.clientAddress) ?? 0);
  putU32(out, 16, parseIpv4(message.yourAddress) ?? 0);
  putU32(out, 20, parseIpv4(message.serverAddress) ?? 0);
  putU32(out, 24, parseIpv4(message.relayAddress) ?? 0);
  putMac(out, 28, parseMac(message.clientMac) ?? 0);
  putU32(out, 236, MAGIC);
  out.set(body, OPTIONS_AT);
  return out;
}

/** One option, in parts of at most 255 octets (RFC 3396 part 6). */
function option(code: number, value: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < value.length; at += 255) {
    const part = value.subarray(at, at + 255);
    parts.push(Uint8Array.of(code, part.length), part);
  }
  return concat(...parts);
}

/** The addresses of an option that holds some (1, 3, 6, 42, 50, 54, 150); octets after the last whole one are passed over. */
export function optionAddresses(value: Uint8Array | undefined): readonly IpAddress[] {
  const addresses: IpAddress[] = [];
  for (let at = 0; value && at + 4 <= value.length; at += 4) addresses.push(ipv4Text(u32(value, at)));
  return addresses;
}

/** The octets of an option that holds addresses; texts that are no dotted quads are left out. */
export function addressOption(...addresses: readonly IpAddress[]): Uint8Array {
  const values: Ipv4[] = addresses.map(parseIpv4).filter((address) => address !== undefined);
  const out = new Uint8Array(4 * values.length);
  values.forEach((value, i) => void putU32(out, 4 * i, value));
  return out;
}

/** The seconds of options 51, 58 and 59. */
export const optionSeconds = (value: Uint8Array | undefined): number | undefined => (value?.length === 4 ? u32(value, 0) : undefined);

export function secondsOption(seconds: number): Uint8Array {
  const out = new Uint8Array(4);
  putU32(out, 0, seconds);
  return out;
}

/** The text of an option (12, 15, 66, 160): some servers end it with NUL, which RFC 2132 part 2 asks clients to take off. */
export const optionText = (value: Uint8Array): string => latin1(value).replace(/\0+$/, '');
