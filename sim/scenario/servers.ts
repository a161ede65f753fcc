/** The servers and callers of a scenario, each a host of its own on the simulated LAN. */
import { encodeConf } from '../../core/settings/conf.codec.js';
import { expectOk } from '../../hal/base/result.js';
import type { Der, IpAddress, MacAddress } from '../../hal/hal.js';
import type { Platform } from '../../hal/platform.js';
import type { DnsRecord } from '../../hal/stack/index.js';
import type { Lan, LanPort } from '../lan/lan.js';
import { startDhcpServer } from '../peers/dhcp-server.js';
import { startDnsServer } from '../peers/dns-server.js';
import type { PeerHost } from '../peers/peer-host.js';
import { startProvisioningServer } from '../peers/provisioning-server.js';
import { simPeerHost } from '../peers/sim-peer-host.js';
import { type Caller, startCaller } from '../peers/sip/caller.js';
import { startSipServer } from '../peers/sip/sip-server.js';
import { startSntpServer } from '../peers/sntp-server.js';
import type { World } from '../world/world.js';
import type { SimPki } from './pki.js';
import type { Scenario, SipSetup } from './scenario.js';

/** A host with a fixed address. */
export interface FixedHost {
  name: string;
  mac: MacAddress;
  address: IpAddress;
}

const NETWORK = '10.0.0';
const PREFIX = 24;
const POOL = { first: `${NETWORK}.100`, last: `${NETWORK}.250` };
/** Last octet of the address, and of a locally administered MAC. */
const PLACE = { dhcp: 2, dns: 3, ntp: 4, provisioning: 5, sip: 6, firstCaller: 20 } as const;
const RECORD_TTL = 300;

const fixed = (name: string, place: number): FixedHost => ({
  name,
  mac: `0200000000${place.toString(16).padStart(2, '0').toUpperCase()}`,
  address: `${NETWORK}.${place}`,
});

/** The hosts with fixed addresses, in the order in which the ladder shows them. */
export function fixedHosts({ servers, callers }: Scenario): readonly FixedHost[] {
  const named = (['dhcp', 'ntp', 'provisioning', 'sip'] as const).filter((name) => servers[name] !== undefined);
  const order = ['dhcp', 'dns', 'ntp', 'provisioning', 'sip'] as const;
  const places = order.filter((name) => name === 'dns' || named.includes(name)).map((name) => fixed(name, PLACE[name]));
  return [...places, ...Array.from(callers.keys(), (name, i) => fixed(name, PLACE.firstCaller + i))];
}

export interface ServersOptions {
  scenario: Scenario;
  world: World;
  lan: Lan;
  platform: Platform;
  pki: SimPki;
  log(host: string, event: string, fields: Readonly<Record<string, unknown>>): void;
}

/** What runs beside the devices. */
export interface Servers {
  ports: ReadonlyMap<string, LanPort>;
  callers: ReadonlyMap<string, Caller>;
}

export function startServers(options: ServersOptions): Servers {
  const { scenario, world, lan, platform, log } = options;
  const ports = new Map<string, LanPort>();
  const hosts = new Map<string, PeerHost>();
  for (const { name, mac, address } of fixedHosts(scenario)) {
    const port = lan.attach(name);
    ports.set(name, port);
    const host = {
      world,
      platform,
      port,
      mac,
      address: { address, prefix: PREFIX },
      log: (event: string, fields: object) => log(name, event, { ...fields }),
    };
    hosts.set(name, simPeerHost(host));
  }
  const addresses = new Map(fixedHosts(scenario).map(({ name, address }) => [name, address]));
  startNetwork(options, hosts, addresses);
  startProvisioning(options, hosts.get('provisioning'));
  startSip(options, hosts.get('sip'));
  return { ports, callers: startCallers(options, hosts, addresses.get('sip')) };
}

type Addresses = ReadonlyMap<string, IpAddress>;
const some = <T>(value: T | undefined): readonly T[] => (value === undefined ? [] : [value]);

/** DHCP, DNS and time. */
function startNetwork({ scenario }: ServersOptions, hosts: ReadonlyMap<string, PeerHost>, addresses: Addresses): void {
  const { dhcp } = scenario.servers;
  const dhcpHost = hosts.get('dhcp');
  if (dhcp && dhcpHost) {
    const { option66, option150, option160 } = dhcp;
    startDhcpServer(dhcpHost, {
      pool: POOL,
      prefix: PREFIX,
      dns: some(addresses.get('dns')),
      ntp: some(addresses.get('ntp')),
      ...(option66 === undefined ? {} : { option66 }),
      ...(option160 === undefined ? {} : { option160 }),
      ...(option150 === undefined ? {} : { option150: option150.split(',').map((address) => address.trim()) }),
    });
  }
  const dnsHost = hosts.get('dns');
  if (dnsHost) startDnsServer(dnsHost, { records: dnsRecords(scenario, addresses) });
  const ntpHost = hosts.get('ntp');
  if (ntpHost) startSntpServer(ntpHost);
}

function dnsRecords({ servers }: Scenario, addresses: Addresses): readonly DnsRecord[] {
  const { provisioning, sip } = servers;
  const a = (name: string | undefined, host: string): DnsRecord[] =>
    name === undefined ? [] : some(addresses.get(host)).map((value) => ({ name, ttl: RECORD_TTL, type: 'A', value }));
  return [...a(provisioning?.host, 'provisioning'), ...a(sip?.domain, 'sip'), ...some(sip).map(srvRecord)];
}

/** RFC 3263 4.1. */
const srvRecord = ({ domain, transport }: SipSetup): DnsRecord => ({
  name: transport === 'tls' ? `_sips._tcp.${domain}` : `_sip._udp.${domain}`,
  ttl: RECORD_TTL,
  type: 'SRV',
  value: { priority: 0, weight: 0, port: transport === 'tls' ? 5061 : 5060, target: domain },
});

/** Those who may show a certificate: units from the factory, and what the site's own authority signed. */
const clientAuthorities = ({ factory, site }: SimPki): readonly Der[] => [factory.root.certificate, site.certificate];

function startProvisioning({ scenario, pki }: ServersOptions, host: PeerHost | undefined): void {
  const { provisioning } = scenario.servers;
  if (!provisioning || !host) return;
  const files = new Map(
    Array.from(scenario.devices.values(), ({ mac, provisioned }) => [`/algom${mac}.conf`, encodeConf(provisioned)] as const),
  );
  const started = startProvisioningServer(host, {
    tls: {
      identity: pki.server(provisioning.host, provisioning.certificate ?? 'good'),
      clientCertificate: provisioning.clientCertificate ?? 'no',
      clientAuthorities: clientAuthorities(pki),
    },
    files: new Map([...files].filter(([, content]) => content.length > 0)),
  });
  expectOk(started, 'provisioning server');
}

function startSip({ scenario, pki }: ServersOptions, host: PeerHost | undefined): void {
  const { sip } = scenario.servers;
  if (!sip || !host) return;
  const tls = {
    identity: pki.server(sip.domain, sip.certificate ?? 'good'),
    clientCertificate: sip.clientCertificate ?? 'no',
    clientAuthorities: clientAuthorities(pki),
  };
  expectOk(
    startSipServer(host, { domain: sip.domain, users: sip.users, ...(sip.transport === 'tls' ? { tls } : { udp: {} }) }),
    'SIP server',
  );
}

function startCallers(
  { scenario, pki }: ServersOptions,
  hosts: ReadonlyMap<string, PeerHost>,
  proxy: IpAddress | undefined,
): Map<string, Caller> {
  const { sip } = scenario.servers;
  const callers = new Map<string, Caller>();
  if (!sip || proxy === undefined) return callers;
  for (const [name, { srtp, sends }] of scenario.callers) {
    const started = startCaller(hosts.get(name)!, {
      user: name,
      domain: sip.domain,
      proxy: { address: proxy, port: sip.transport === 'tls' ? 5061 : 5060 },
      transport: sip.transport,
      identity: pki.caller(name),
      srtp,
      tone: sends.tone,
    });
    callers.set(name, expectOk(started, `caller ${name}`));
  }
  return callers;
}
