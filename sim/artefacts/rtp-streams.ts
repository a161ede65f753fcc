/** The RTP streams of a capture, each as one thing: who, how many, how long, and its payloads as anyone on the network could read them. */
import { decodeG711 } from '../../core/media/g711.codec.js';
import { RtpView } from '../../core/media/rtp.codec.js';
import { concat } from '../../hal/base/bytes.js';
import type { Micros } from '../../hal/hal.js';
import { ipv4Text } from '../../hal/stack/index.js';
import type { Packet } from './packet.js';
import type { Sound } from './sound.js';

export interface RtpStream {
  /** Names of the hosts. */
  from: string;
  to: string;
  /** Address and port, `10.0.0.2:16384`. */
  source: string;
  destination: string;
  payloadType: number;
  packets: number;
  first: Micros;
  last: Micros;
  payloads: Uint8Array[];
}

/** Dynamic ports: below them stand SIP, DNS, DHCP and SNTP. */
const LOWEST_PORT = 10_000;
/** An hour of packets of 20 ms. */
const MOST_PACKETS = 180_000;
const PCMU_RATE = 8_000;
/** Static payload types (RFC 3551 6) and the usual one of telephone events. */
const PAYLOADS: Readonly<Record<number, string>> = { 0: 'PCMU', 8: 'PCMA', 9: 'G722', 101: 'events' };

export class RtpStreams {
  readonly #streams = new Map<string, RtpStream>();
  readonly #view = new RtpView();

  /** Takes a UDP packet; true when it is RTP, and then `from` and `to` name its hosts. */
  add(t: Micros, packet: Packet, from: string, to: string): boolean {
    const { payload, sourcePort, destinationPort } = packet;
    const view = this.#view;
    if (sourcePort < LOWEST_PORT || destinationPort < LOWEST_PORT || !view.read(payload, payload.length)) return false;
    const source = `${ipv4Text(packet.source)}:${sourcePort}`;
    const destination = `${ipv4Text(packet.destination)}:${destinationPort}`;
    const key = `${source} ${destination} ${view.ssrc}`;
    const fresh: RtpStream = { from, to, source, destination, payloadType: view.payloadType, packets: 0, first: t, last: t, payloads: [] };
    const stream = this.#streams.get(key) ?? fresh;
    this.#streams.set(key, stream);
    stream.packets++;
    stream.last = t;
    if (stream.payloads.length < MOST_PACKETS) stream.payloads.push(payload.slice(view.payloadStart, view.payloadEnd));
    return true;
  }

  get all(): readonly RtpStream[] {
    return [...this.#streams.values()];
  }
}

export const payloadName = (type: number): string => PAYLOADS[type] ?? `payload type ${type}`;

/** The payloads read as plain µ-law, in the order of arrival: speech where nothing is encrypted, noise where something is. */
export function withoutKey(streams: readonly RtpStream[]): Sound {
  const octets = concat(...streams.flatMap(({ payloads }) => payloads.slice(0, MOST_HEARD)));
  const samples = new Int16Array(octets.length);
  decodeG711('PCMU', octets, 0, octets.length, samples, 0);
  return { samples, rate: PCMU_RATE };
}

/** Five minutes: enough to hear the difference, and within what a call takes as arguments. */
const MOST_HEARD = 15_000;
