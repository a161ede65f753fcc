/** Makes a ladder of what a run left behind: the frames at the devices' ports, what crossed TLS in clear, and the events of all hosts. */
import { latin1 } from '../../hal/base/bytes.js';
import { SECOND } from '../../hal/base/time.js';
import type { MacAddress, Micros } from '../../hal/hal.js';
import { DHCP_CLIENT_PORT, DHCP_SERVER_PORT, DNS_PORT, decodeDhcp, TcpFlag } from '../../hal/stack/index.js';
import { dhcpWords, dnsWords, sntpWords, type Words } from './dissect.js';
import { createLadder, type Ladder, type LadderProtocol, type LadderRow } from './ladder.js';
import { eventRow } from './ladder-events.js';
import { masked } from './mask.js';
import { MessageCutter, summary } from './messages.js';
import { type Packet, readPacket } from './packet.js';
import { payloadName, type RtpStream, RtpStreams } from './rtp-streams.js';
import type { TimelineEvent } from './timeline.js';
import { readTlsSight } from './tls-wire.js';

export interface LadderHost {
  name: string;
  mac: MacAddress;
  /** Its port is captured. */
  captured: boolean;
}

export interface LadderOptions {
  /** From left to right. */
  hosts: readonly LadderHost[];
  /** Who answers DHCP broadcasts. */
  dhcpServer: string;
  /** Hidden wherever they stand. */
  passwords: readonly string[];
  /** Hears of each SIP and HTTP message as it goes by, in full. */
  onMessage?(from: string, message: string): void;
}

const SNTP_PORT = 123;
/** A page of a browser, and a terminal's patience. */
const MOST_ROWS = 5_000;
/** TCP segments told apart, so that a retransmission is told once. */
const MOST_SEGMENTS = 100_000;

export class LadderBuilder {
  readonly #options: LadderOptions;
  readonly #byMac: ReadonlyMap<MacAddress, LadderHost>;
  readonly #names: ReadonlySet<string>;
  readonly #rows: LadderRow[] = [];
  /** Rows that found no room. */
  #more = 0;
  readonly #cutters = new Map<string, MessageCutter>();
  readonly #segments = new Set<string>();
  /** Address and port where media with keys is received. */
  readonly #secure = new Set<string>();
  readonly streams = new RtpStreams();

  constructor(options: LadderOptions) {
    this.#options = options;
    this.#byMac = new Map(options.hosts.map((host) => [host.mac, host]));
    this.#names = new Set(options.hosts.map(({ name }) => name));
  }

  /** A frame as the port of that device saw it. */
  frame(t: Micros, port: string, direction: 'in' | 'out', bytes: Uint8Array): void {
    const packet = readPacket(bytes);
    const from = packet && this.#byMac.get(packet.sourceMac);
    // What one captured device sends to another was seen when it left.
    if (!packet || !from || (direction === 'in' && from.captured)) return;
    const to = this.#byMac.get(packet.destinationMac)?.name;
    if (packet.type === 'tcp') this.#tcp(t, packet, from.name, to);
    else this.#udp(t, packet, from.name, to, port);
  }

  /** Octets that crossed TLS in clear from one host to another; `connection` tells connections apart. */
  clear(t: Micros, connection: string, from: string, to: string, bytes: Uint8Array): void {
    // As with the segments: there are not so many connections in a ladder that anyone reads.
    if (this.#cutters.size >= MOST_SEGMENTS) return;
    const key = `${connection} ${from}>${to}`;
    const cutter = this.#cutters.get(key) ?? new MessageCutter();
    this.#cutters.set(key, cutter);
    for (const message of cutter.push(bytes)) this.#message(t, from, to, message);
  }

  /** `host` is where the event is drawn, if it has a lane. */
  event(host: string, event: TimelineEvent): void {
    const row = this.#names.has(host) ? eventRow(host, event) : undefined;
    if (row) this.#add({ ...row, label: this.#mask(row.label), detail: this.#mask(row.detail) });
  }

  build(): Ladder {
    const streams = this.streams.all.map((stream) => this.#streamRow(stream));
    return createLadder(
      this.#options.hosts.map(({ name }) => name),
      [...this.#rows, ...streams],
      this.#more,
    );
  }

  #udp(t: Micros, packet: Packet, from: string, to: string | undefined, port: string): void {
    const { payload } = packet;
    const between = (port: number): boolean => packet.sourcePort === port || packet.destinationPort === port;
    if (between(DHCP_CLIENT_PORT) && between(DHCP_SERVER_PORT)) this.#dhcp(t, payload, from, port);
    else if (to === undefined) return;
    else if (between(DNS_PORT)) this.#said(t, 'DNS', from, to, dnsWords(payload));
    else if (between(SNTP_PORT)) this.#said(t, 'SNTP', from, to, sntpWords(payload));
    else if (!this.streams.add(t, packet, from, to)) {
      const text = latin1(payload);
      if (summary(text).protocol === 'SIP') this.#message(t, from, to, text);
    }
  }

  #tcp(t: Micros, packet: Extract<Packet, { type: 'tcp' }>, from: string, to: string | undefined): void {
    if (to === undefined) return;
    if (packet.flags & TcpFlag.rst) this.#said(t, 'TCP', from, to, { label: 'reset', detail: '' }, true);
    const sight = packet.payload.length > 0 ? readTlsSight(packet.payload) : undefined;
    const key = `${packet.source}:${packet.sourcePort}>${packet.destination}:${packet.destinationPort} ${packet.sequence}`;
    if (!sight || this.#segments.has(key) || this.#segments.size >= MOST_SEGMENTS) return;
    this.#segments.add(key);
    this.#said(t, 'TLS', from, to, { label: sight.label, detail: '' }, sight.bad);
  }

  /** Requests are broadcast, and answers too: the other end is known by its part in the conversation. Each is told at the client's port. */
  #dhcp(t: Micros, payload: Uint8Array, from: string, port: string): void {
    const message = decodeDhcp(payload);
    const client = message && this.#byMac.get(message.clientMac);
    if (!message || client?.name !== port) return;
    const to = message.op === 'request' ? this.#options.dhcpServer : client.name;
    this.#said(t, 'DHCP', from, to, dhcpWords(message), message.type === 'nak');
  }

  #said(t: Micros, protocol: LadderProtocol, from: string, to: string, words: Words | undefined, bad = false): void {
    if (words) this.#add({ t, protocol, from, to, ...words, mood: bad ? 'bad' : 'plain' });
  }

  #add(row: LadderRow): void {
    if (this.#rows.length < MOST_ROWS) this.#rows.push(row);
    else this.#more++;
  }

  #message(t: Micros, from: string, to: string, message: string): void {
    const { protocol, label, bad } = summary(message);
    this.#options.onMessage?.(from, message);
    const [address, port] = [/^c=IN IP4 (\S+)/m, /^m=audio (\d+)/m].map((line) => line.exec(message)?.[1]);
    if (/^a=crypto:/m.test(message)) this.#secure.add(`${address}:${port}`);
    this.#said(t, protocol, from, to, { label: this.#mask(label), detail: this.#mask(message.replace(/\r\n/g, '\n')) }, bad);
  }

  /** Both sides gave keys in their SDP: the stream is SRTP. */
  #streamRow(stream: RtpStream): LadderRow {
    const { from, to, source, destination, packets, first, last, payloadType } = stream;
    const secure = this.#secure.has(source) && this.#secure.has(destination);
    const seconds = ((last - first) / SECOND).toFixed(1);
    const label = `${packets} packets of ${payloadName(payloadType)} in ${seconds} s, ${secure ? 'encrypted (SRTP)' : 'in clear'}`;
    return { t: first, protocol: 'RTP', from, to, label, detail: `${source} to ${destination}`, mood: secure ? 'good' : 'plain' };
  }

  #mask(text: string): string {
    return masked(text, this.#options.passwords);
  }
}
