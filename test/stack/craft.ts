/** Frames made by hand, right unless a field says otherwise. */
import { EMPTY } from '../../hal/base/bytes.js';
import {
  ETHERNET_HEADER,
  EtherType,
  IPV4_HEADER,
  Protocol,
  parseIpv4,
  parseMac,
  TCP_HEADER,
  TcpFlag,
  UDP_HEADER,
  writeEthernet,
  writeIpv4,
  writeTcp,
  writeUdp,
} from '../../hal/stack/index.js';
import type { Port } from './wire.js';

const SOMEBODY = parseMac('020000009999')!;
const AT = ETHERNET_HEADER + IPV4_HEADER;

interface Fields {
  to: Port;
  from: string;
  destination?: string;
  sourcePort: number;
  destinationPort?: number;
  payload?: Uint8Array;
}

function packet(fields: Fields, protocol: number, length: number): { frame: Uint8Array; source: number; destination: number } {
  const frame = new Uint8Array(AT + length);
  const source = parseIpv4(fields.from)!;
  const destination = parseIpv4(fields.destination ?? '10.0.0.2')!;
  writeEthernet(frame, { destination: parseMac(fields.to.nic().mac)!, source: SOMEBODY, type: EtherType.ipv4 });
  writeIpv4(frame, ETHERNET_HEADER, { source, destination, protocol, ttl: 64, dscp: 0 }, length);
  return { frame, source, destination };
}

export function segmentFrame(fields: Fields & { sequence: number; acknowledgment?: number; flags?: number; window?: number }): Uint8Array {
  const payload = fields.payload ?? EMPTY;
  const { frame, source, destination } = packet(fields, Protocol.tcp, TCP_HEADER + payload.length);
  frame.set(payload, AT + TCP_HEADER);
  const { sourcePort, destinationPort = 80, sequence, acknowledgment = 0, flags = TcpFlag.ack, window = 8000 } = fields;
  writeTcp(frame, AT, { sourcePort, destinationPort, sequence, acknowledgment, flags, window }, payload.length, source, destination);
  return frame;
}

export function datagramFrame(fields: Fields): Uint8Array {
  const payload = fields.payload ?? EMPTY;
  const { frame, source, destination } = packet(fields, Protocol.udp, UDP_HEADER + payload.length);
  const { sourcePort, destinationPort = 80 } = fields;
  writeUdp(frame, AT, { sourcePort, destinationPort, payload }, source, destination);
  return frame;
}
