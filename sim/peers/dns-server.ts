/** A DNS server with the whole truth about its world (RFC 1035): what it has no record of does not exist. */
import { ok } from '../../hal/base/result.js';
import type { HalError, Result } from '../../hal/hal.js';
import { DNS_PORT, type DnsMessage, DnsRcode, type DnsRecord, DnsType, decodeDns, encodeDns } from '../../hal/stack/index.js';
import type { Peer, PeerHost } from './peer-host.js';

export interface DnsServerOptions {
  records: readonly DnsRecord[];
  /** 53 unless the machine's own is in the way. */
  port?: number;
}

const typeNumber = (type: DnsRecord['type']): number => (typeof type === 'number' ? type : DnsType[type]);

/** Answers by UDP; logs nothing: what devices asked for stands in the capture. */
export function startDnsServer(host: Pick<PeerHost, 'net'>, { records, port = DNS_PORT }: DnsServerOptions): Result<Peer, HalError> {
  const opened = host.net.udp({ port });
  if (!opened.ok) return opened;
  const socket = opened.value;
  socket.onDatagram((bytes, from) => {
    const query = decodeDns(bytes);
    const answer = query && !query.response && encodeDns(answerTo(query, records));
    if (answer) socket.send(from, answer);
  });
  return ok({ close: () => socket.close() });
}

function answerTo(query: DnsMessage, records: readonly DnsRecord[]): DnsMessage {
  const [question] = query.questions;
  const name = question?.name.toLowerCase();
  const named = records.filter((record) => record.name.toLowerCase() === name);
  const rcode = !question ? DnsRcode.formatError : named.length === 0 ? DnsRcode.nameError : DnsRcode.noError;
  return {
    ...query,
    response: true,
    authoritative: true,
    recursionAvailable: true,
    rcode,
    answers: named.filter((record) => typeNumber(record.type) === question?.type),
  };
}
