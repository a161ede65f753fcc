/** All that a capture holds, sorted: TCP connections followed one by one, everything else counted by what it is. */
import { latin1 } from '../../hal/base/bytes.js';
import type { UnixMicros } from '../../hal/layers/pcapng.codec.js';
import { TcpFlag } from '../../hal/stack/index.js';
import type { CaptureFile } from './capture-file.codec.js';
import { Conversation, type End } from './conversation.js';
import { parseKeyLog } from './key-log.codec.js';
import { type Packet, readPacket } from './packet.codec.js';

export interface Survey {
  format: CaptureFile['format'];
  packets: number;
  from: UnixMicros;
  to: UnixMicros;
  /** Connections whose secrets were given, with the file or beside it, whether or not they are in the capture. */
  secrets: number;
  conversations: readonly Conversation[];
  /** Packets of connections that found no room. */
  overlooked: number;
  /** Packets that are no TCP, by what they are. */
  others: ReadonlyMap<string, number>;
  damage: string | undefined;
}

/** Ours: a device that tries every ten seconds makes fewer in a day. */
const MOST_CONNECTIONS = 10_000;

/** `secrets` is the text of a key log from beside the file. */
export function survey(file: CaptureFile, secrets: string): Survey {
  const keys = parseKeyLog(`${secrets}\n${file.secrets}`);
  const sorter = new Sorter(keys);
  for (const packet of file.packets) sorter.take(readPacket(packet), packet.at);
  for (const conversation of sorter.all) conversation.flush();
  const { packets, from, to, all, overlooked, others } = sorter;
  const damage = file.damage();
  return { format: file.format, packets, from, to, secrets: keys.size, conversations: all, overlooked, others, damage };
}

type TcpPacket = Extract<Packet, { type: 'tcp' }>;

class Sorter {
  packets = 0;
  from: UnixMicros = 0;
  to: UnixMicros = 0;
  overlooked = 0;
  readonly all: Conversation[] = [];
  readonly others = new Map<string, number>();
  /** The latest between two ends, by both. */
  readonly #current = new Map<string, Conversation>();

  constructor(readonly keys: ReturnType<typeof parseKeyLog>) {}

  take(packet: Packet, at: UnixMicros): void {
    this.from = this.packets === 0 ? at : Math.min(this.from, at);
    this.to = this.packets === 0 ? at : Math.max(this.to, at);
    this.packets++;
    if (packet.type === 'tcp') this.#tcp(packet, at);
    else if (packet.type === 'unreachable') this.#unreachable(packet);
    else this.#count(packet.type === 'udp' ? udpName(packet) : packet.what);
  }

  #count(what: string): void {
    this.others.set(what, (this.others.get(what) ?? 0) + 1);
  }

  #tcp(packet: TcpPacket, at: UnixMicros): void {
    const { source, destination } = endsOf(packet);
    const key = keyOf(source, destination);
    const isFirst = (packet.flags & (TcpFlag.syn | TcpFlag.ack)) === TcpFlag.syn;
    let conversation = this.#current.get(key);
    if (!conversation || (isFirst && conversation.isAnother(packet.sequence))) {
      if (this.all.length >= MOST_CONNECTIONS) {
        this.overlooked++;
        return;
      }
      conversation = this.#open(packet, source, destination, at);
      this.#current.set(key, conversation);
      this.all.push(conversation);
    }
    conversation.segment(source, packet, at);
  }

  #open({ flags }: TcpPacket, source: End, destination: End, at: UnixMicros): Conversation {
    const syn = (flags & TcpFlag.syn) !== 0;
    const isAnswer = (flags & TcpFlag.ack) !== 0;
    // Without a SYN the lower port is taken for the server's.
    const fromServer = syn ? isAnswer : source.port < destination.port;
    const [client, server] = fromServer ? [destination, source] : [source, destination];
    return new Conversation(client, server, { at, whole: syn, keys: this.keys });
  }

  #unreachable(packet: Extract<Packet, { type: 'unreachable' }>): void {
    const { source, destination } = endsOf(packet);
    const conversation = this.#current.get(keyOf(source, destination));
    if (conversation) conversation.unreachable = packet.by;
    else this.#count('ICMP');
  }
}

function endsOf(packet: {
  source: string;
  destination: string;
  sourcePort: number;
  destinationPort: number;
}): Record<'source' | 'destination', End> {
  return {
    source: { address: packet.source, port: packet.sourcePort },
    destination: { address: packet.destination, port: packet.destinationPort },
  };
}

/** The same in both directions. */
function keyOf(a: End, b: End): string {
  const [x, y] = [`${a.address} ${a.port}`, `${b.address} ${b.port}`];
  return x < y ? `${x} ${y}` : `${y} ${x}`;
}

export const SIP_OVER_UDP = 'SIP over UDP';

const UDP_NAMES: Readonly<Record<number, string>> = {
  53: 'DNS',
  67: 'DHCP',
  68: 'DHCP',
  69: 'TFTP',
  123: 'NTP',
  443: 'QUIC',
  514: 'syslog',
  1900: 'SSDP',
  5353: 'mDNS',
};

function udpName({ sourcePort, destinationPort, payload }: Extract<Packet, { type: 'udp' }>): string {
  const known = UDP_NAMES[destinationPort] ?? UDP_NAMES[sourcePort];
  if (known) return known;
  const line = latin1(payload, 0, Math.min(payload.length, LINE));
  return /^(\S+ \S+ SIP\/2\.0|SIP\/2\.0 \d{3})/.test(line) ? SIP_OVER_UDP : 'other UDP (audio, mostly)';
}

const LINE = 512;
