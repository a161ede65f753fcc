/** The simulated subnet: who has which address, and what the DNS knows of it. */
import type { IpAddress, MacAddress } from '../../hal/hal.js';
import type { DnsRecord } from '../../hal/stack/index.js';
import { type Scenario, SERVER_NAMES, type SipSetup } from './scenario.js';

/** A host with a fixed address. */
export interface FixedHost {
  name: string;
  mac: MacAddress;
  address: IpAddress;
}

const NETWORK = '10.0.0';
/** Room for as many devices as a scenario may have. */
export const PREFIX = 22;
export const POOL = { first: `${NETWORK}.100`, last: '10.0.3.250' };
/** Last octet of the address, and of a locally administered MAC. */
const PLACE = { dhcp: 2, dns: 3, ntp: 4, provisioning: 5, sip: 6, firstCaller: 20 } as const;
const RECORD_TTL = 300;

const fixed = (name: string, place: number): FixedHost => ({
  name,
  mac: `0200000000${place.toString(16).padStart(2, '0').toUpperCase()}`,
  address: `${NETWORK}.${place}`,
});

/** The hosts with fixed addresses, in the order in which the ladder shows them. */
export function fixedHosts({ servers, callers }: Pick<Scenario, 'servers' | 'callers'>): readonly FixedHost[] {
  const present = SERVER_NAMES.filter((name) => name === 'dns' || servers[name] !== undefined);
  const places = present.map((name) => fixed(name, PLACE[name]));
  return [...places, ...Array.from(callers.keys(), (name, i) => fixed(name, PLACE.firstCaller + i))];
}

export function dnsRecords({ servers }: Pick<Scenario, 'servers'>, addresses: ReadonlyMap<string, IpAddress>): readonly DnsRecord[] {
  const { provisioning, sip } = servers;
  const a = (name: string | undefined, host: string): DnsRecord[] => {
    const value = addresses.get(host);
    return name === undefined || value === undefined ? [] : [{ name, ttl: RECORD_TTL, type: 'A', value }];
  };
  return [...a(provisioning?.host, 'provisioning'), ...a(sip?.domain, 'sip'), ...(sip ? [srvRecord(sip)] : [])];
}

/** RFC 3263 4.1. */
const srvRecord = ({ domain, transport }: SipSetup): DnsRecord => ({
  name: transport === 'tls' ? `_sips._tcp.${domain}` : `_sip._udp.${domain}`,
  ttl: RECORD_TTL,
  type: 'SRV',
  value: { priority: 0, weight: 0, port: transport === 'tls' ? 5061 : 5060, target: domain },
});
