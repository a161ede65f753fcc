/** DHCP, DNS and SNTP in a few words, for the ladder. */
import { u32 } from '../../hal/base/bytes.js';
import { iso8601 } from '../../hal/base/time.js';
import type { DnsRecords } from '../../hal/hal.js';
import { type DhcpMessage, DhcpOption, type DnsRecord, DnsType, decodeDns, optionAddresses, optionText } from '../../hal/stack/index.js';

export interface Words {
  label: string;
  detail: string;
}

/** 1900-01-01 to 1970-01-01 in seconds (RFC 5905 6). */
const NTP_TO_UNIX = 2_208_988_800;
/** RFC 4330 3: seconds below it are counted from 2036 on. */
const FIRST_ERA = 2 ** 31;
const ERA = 2 ** 32;
const SNTP_PACKET = 48;
const SNTP_SERVER_MODE = 4;
const SNTP_TRANSMIT = 40;

export function dhcpWords({ op, type, yourAddress, options }: DhcpMessage): Words {
  const text = (code: number): string[] => [options.get(code)].flatMap((value) => (value ? [`option ${code}: ${optionText(value)}`] : []));
  const addresses = (name: string, code: number): string[] =>
    options.has(code) ? [`${name}: ${optionAddresses(options.get(code)).join(', ')}`] : [];
  const told = [
    ...addresses('gateway', DhcpOption.router),
    ...addresses('DNS', DhcpOption.dns),
    ...addresses('NTP', DhcpOption.ntp),
    ...text(DhcpOption.tftpServer),
    ...addresses(`option ${DhcpOption.tftpServerAddress}`, DhcpOption.tftpServerAddress),
    ...text(DhcpOption.vendorServer),
  ];
  return { label: op === 'reply' && type !== 'nak' ? `${type} ${yourAddress}` : type, detail: op === 'reply' ? told.join('\n') : '' };
}

export function dnsWords(payload: Uint8Array): Words | undefined {
  const message = decodeDns(payload);
  const [question] = message?.questions ?? [];
  if (!message || !question) return undefined;
  const type = Object.entries(DnsType).find(([, number]) => number === question.type)?.[0] ?? `type ${question.type}`;
  const asked = `${type} ${question.name}`;
  if (!message.response) return { label: `${asked}?`, detail: '' };
  const answers = message.answers.map(recordText);
  const nothing = message.rcode === 0 ? `no ${asked}` : `no such name: ${question.name}`;
  return { label: answers[0] ?? nothing, detail: answers.join('\n') };
}

function recordText({ type, value }: DnsRecord): string {
  if (value instanceof Uint8Array) return `type ${type}`;
  if (typeof value === 'string') return `${type} ${value}`;
  return `${type} ${'target' in value ? srvText(value) : value.replacement}`;
}
const srvText = ({ priority, weight, port, target }: DnsRecords['SRV']): string => `${priority} ${weight} ${port} ${target}`;

/** RFC 5905 7.3: the mode stands in the low three bits. */
export function sntpWords(payload: Uint8Array): Words | undefined {
  if (payload.length < SNTP_PACKET) return undefined;
  const answer = (payload[0]! & 7) === SNTP_SERVER_MODE;
  const seconds = u32(payload, SNTP_TRANSMIT);
  const since1900 = seconds >= FIRST_ERA ? seconds : seconds + ERA;
  return { label: answer ? iso8601((since1900 - NTP_TO_UNIX) * 1000) : 'what time is it?', detail: '' };
}
