/** A captured frame as far as an artefact looks into it: who sent it to whom, and its UDP or TCP payload. */
import type { MacAddress } from '../../hal/hal.js';
import { decodeEthernet, decodeIpv4, decodeTcp, decodeUdp, EtherType, type Ipv4, macText, Protocol } from '../../hal/stack/index.js';

interface Addressed {
  sourceMac: MacAddress;
  destinationMac: MacAddress;
  source: Ipv4;
  destination: Ipv4;
  sourcePort: number;
  destinationPort: number;
  payload: Uint8Array;
}
export type Packet = Addressed & ({ type: 'udp' } | { type: 'tcp'; flags: number; sequence: number });

/** Undefined for everything but whole UDP and TCP over IPv4. */
export function readPacket(frame: Uint8Array): Packet | undefined {
  const ethernet = decodeEthernet(frame);
  if (ethernet?.type !== EtherType.ipv4) return undefined;
  const ip = decodeIpv4(ethernet.payload);
  if (!ip.ok || ip.value.fragment) return undefined;
  const { source, destination, protocol, payload } = ip.value;
  const ends = { sourceMac: macText(ethernet.source), destinationMac: macText(ethernet.destination), source, destination };
  if (protocol === Protocol.udp) {
    const udp = decodeUdp(payload, source, destination);
    return udp.ok ? { type: 'udp', ...ends, ...udp.value } : undefined;
  }
  if (protocol !== Protocol.tcp) return undefined;
  const tcp = decodeTcp(payload, source, destination);
  if (!tcp.ok) return undefined;
  const { sourcePort, destinationPort, flags, sequence } = tcp.value;
  return { type: 'tcp', ...ends, sourcePort, destinationPort, flags, sequence, payload: tcp.value.payload };
}
