/** ARP for IPv4 over Ethernet (RFC 826). */
import { putU16, putU32, u16, u32 } from '../base/bytes.js';
import { type Ipv4, type Mac, putMac, readMac } from './address.js';
import { ETHERNET_HEADER, EtherType, writeEthernet } from './ethernet.codec.js';

const ARP_LENGTH = 28;
const HARDWARE_ETHERNET = 1;
const OPERATION = { request: 1, reply: 2 } as const;

export interface ArpPacket {
  operation: 'request' | 'reply';
  senderMac: Mac;
  sender: Ipv4;
  targetMac: Mac;
  target: Ipv4;
}

/** Undefined for anything but a request or reply for IPv4 over Ethernet. */
export function decodeArp(payload: Uint8Array): ArpPacket | undefined {
  if (payload.length < ARP_LENGTH) return undefined;
  if (u16(payload, 0) !== HARDWARE_ETHERNET || u16(payload, 2) !== EtherType.ipv4 || u16(payload, 4) !== 0x0604) return undefined;
  const operation = u16(payload, 6);
  if (operation !== OPERATION.request && operation !== OPERATION.reply) return undefined;
  return {
    operation: operation === OPERATION.request ? 'request' : 'reply',
    senderMac: readMac(payload, 8),
    sender: u32(payload, 14),
    targetMac: readMac(payload, 18),
    target: u32(payload, 24),
  };
}

/** A whole frame to `destination`. */
export function encodeArp(packet: ArpPacket, destination: Mac): Uint8Array {
  const frame = new Uint8Array(ETHERNET_HEADER + ARP_LENGTH);
  writeEthernet(frame, { destination, source: packet.senderMac, type: EtherType.arp });
  const at = ETHERNET_HEADER;
  putU16(frame, at, HARDWARE_ETHERNET);
  putU16(frame, at + 2, EtherType.ipv4);
  putU16(frame, at + 4, 0x0604); // Lengths of a hardware and a protocol address.
  putU16(frame, at + 6, OPERATION[packet.operation]);
  putMac(frame, at + 8, packet.senderMac);
  putU32(frame, at + 14, packet.sender);
  putMac(frame, at + 18, packet.targetMac);
  putU32(frame, at + 24, packet.target);
  return frame;
}
