/** Ethernet II frames without check sequence, as a FramePort carries them. Padding to 60 octets is the interface's. */
import { putU16, u16 } from '../base/bytes.js';
import { type Mac, putMac, readMac } from './address.js';

export const ETHERNET_HEADER = 14;
export const EtherType = { ipv4: 0x0800, arp: 0x0806 } as const;

export interface EthernetHeader {
  destination: Mac;
  source: Mac;
  /** An EtherType; values below 0x0600 are 802.3 lengths, which Belfry does not speak. */
  type: number;
}
/** `payload` is a view that may end in padding. */
export type EthernetFrame = EthernetHeader & { payload: Uint8Array };

/** Undefined for fewer octets than a header. */
export function decodeEthernet(frame: Uint8Array): EthernetFrame | undefined {
  if (frame.length < ETHERNET_HEADER) return undefined;
  return { destination: readMac(frame, 0), source: readMac(frame, 6), type: u16(frame, 12), payload: frame.subarray(ETHERNET_HEADER) };
}

/** Writes the first 14 octets of `frame`. */
export function writeEthernet(frame: Uint8Array, header: EthernetHeader): void {
  putMac(frame, 0, header.destination);
  putMac(frame, 6, header.source);
  putU16(frame, 12, header.type);
}
