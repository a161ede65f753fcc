/** The servers and callers of a scenario, each a host of its own on the simulated LAN. */
import { expectOk } from '../../hal/base/result.js';
import type { Der, HalError, IpAddress, Result } from '../../hal/hal.js';
import type { Platform } from '../../hal/platform.js';
import type { Lan, LanPort } from '../lan/lan.js';
import { startDhcpServer } from '../peers/dhcp-server.js';
import { startDnsServer } from '../peers/dns-server.js';
import type { PeerLog } from '../peers/peer-events.js';
import type { Peer, PeerHost } from '../peers/peer-host.js';
import { startProvisioningServer } from '../peers/provisioning-server.js';
import { simPeerHost } from '../peers/sim-peer-host.js';
import { type Caller, startCaller } from '../peers/sip/caller.js';
import { type SipPeer, startSipServer } from '../peers/sip/sip-server.js';
import { startSntpServer } from '../peers/sntp-server.js';
import { startTftpServer } from '../peers/tftp-server.js';
import type { World } from '../world/world.js';
import { dnsRecords, fixedHosts, POOL, PREFIX } from './addresses.js';
import type { SimPki } from './pki.js';
import type { DhcpSetup, ProvisioningSetup, Scenario, ServerCertificate, ServerName, SipSetup, Values } from './scenario.js';
import { ServedFiles } from './served-files.js';

export interface ServersOptions {
  scenario: Scenario;
  world: World;
  lan: Lan;
  platform: Platform;
  pki: SimPki;
  log(host: string, event: string, fields: Readonly<Record<string, unknown>>): void;
}

/** What runs beside the devices. Starts with it. */
export class Servers {
  /** By name of the host. */
  readonly ports = new Map<string, LanPort>();
  readonly callers = new Map<string, Caller>();
  readonly #options: ServersOptions;
  readonly #files: ServedFiles;
  readonly #hosts = new Map<string, PeerHost>();
  readonly #addresses: ReadonlyMap<string, IpAddress>;
  readonly #certificates: Record<'provisioning' | 'sip', ServerCertificate>;
  readonly #running = new Map<ServerName, Peer>();
  #sip: SipPeer | undefined;

  constructor(options: ServersOptions) {
    this.#options = options;
    const { scenario, platform } = options;
    const { provisioning, sip } = scenario.servers;
    this.#files = new ServedFiles(scenario, platform.crypto);
    this.#certificates = { provisioning: provisioning?.certificate ?? 'good', sip: sip?.certificate ?? 'good' };
    const hosts = fixedHosts(scenario);
    this.#addresses = new Map(hosts.map(({ name, address }) => [name, address]));
    for (const { name, mac, address } of hosts) this.#attach(name, mac, address);
    for (const name of ['dhcp', 'dns', 'ntp', 'provisioning', 'sip'] as const) this.start(name);
    this.#startCallers();
  }

  /** Does nothing where the server runs already. */
  start(name: ServerName): void {
    const host = this.#hosts.get(name);
    if (host && !this.#running.has(name)) this.#running.set(name, expectOk(this.#open(name, host), `server ${name}`));
  }

  /** The host stays, and refuses what comes: a reset for TCP, an unreachable port for UDP. */
  stop(name: ServerName): void {
    this.#running.get(name)?.close();
    this.#running.delete(name);
  }

  /** Starts the server anew with another certificate. */
  certify(name: ServerName, certificate: ServerCertificate): void {
    if (name !== 'provisioning' && name !== 'sip') return;
    this.#certificates[name] = certificate;
    this.stop(name);
    this.start(name);
  }

  /** Settings by device, group or file: what the provisioning server answers with from now on. */
  serve(files: ReadonlyMap<string, Values>): void {
    for (const [name, values] of files) this.#files.change(name, values);
  }

  /** Whole configurations that a device can have fetched so far, the present one last. */
  given(device: string): readonly Values[] {
    return this.#files.given(device);
  }

  checkSync(user: string, reboot?: boolean): void {
    this.#sip?.checkSync(user, reboot);
  }

  #attach(name: string, mac: string, address: IpAddress): void {
    const { world, lan, platform, log } = this.#options;
    const port = lan.attach(name);
    const report: PeerLog = (event, fields) => log(name, event, { ...fields });
    this.ports.set(name, port);
    this.#hosts.set(name, simPeerHost({ world, platform, port, mac, address: { address, prefix: PREFIX }, log: report }));
  }

  #open(name: ServerName, host: PeerHost): Result<Peer, HalError> {
    const { dhcp, provisioning, sip } = this.#options.scenario.servers;
    switch (name) {
      case 'dhcp':
        return this.#openDhcp(host, dhcp!);
      case 'dns':
        return startDnsServer(host, { records: dnsRecords(this.#options.scenario, this.#addresses) });
      case 'ntp':
        return startSntpServer(host);
      case 'provisioning':
        return this.#openProvisioning(host, provisioning!);
      case 'sip':
        return this.#openSip(host, sip!);
    }
  }

  #openDhcp(host: PeerHost, { option66, option150, option160 }: DhcpSetup): Result<Peer, HalError> {
    const some = (address: IpAddress | undefined): readonly IpAddress[] => (address === undefined ? [] : [address]);
    return startDhcpServer(host, {
      pool: POOL,
      prefix: PREFIX,
      dns: some(this.#addresses.get('dns')),
      ntp: some(this.#addresses.get('ntp')),
      ...(option66 === undefined ? {} : { option66 }),
      ...(option160 === undefined ? {} : { option160 }),
      ...(option150 === undefined ? {} : { option150: option150.split(',').map((address) => address.trim()) }),
    });
  }

  #openProvisioning(host: PeerHost, { protocol, auth, ...setup }: ProvisioningSetup): Result<Peer, HalError> {
    const { pki } = this.#options;
    if (protocol === 'tftp') return startTftpServer(host, { files: this.#files.content });
    const tls = {
      identity: pki.server(setup.host, this.#certificates.provisioning),
      clientCertificate: setup.clientCertificate ?? 'no',
      clientAuthorities: clientAuthorities(pki),
    };
    const files = this.#files.content;
    return startProvisioningServer(host, { files, ...(auth ? { auth } : {}), ...(protocol === 'https' ? { tls } : {}) });
  }

  #openSip(host: PeerHost, { domain, users, transport, clientCertificate = 'no' }: SipSetup): Result<Peer, HalError> {
    const { pki } = this.#options;
    const tls = { identity: pki.server(domain, this.#certificates.sip), clientCertificate, clientAuthorities: clientAuthorities(pki) };
    const started = startSipServer(host, { domain, users, ...(transport === 'tls' ? { tls } : { udp: {} }) });
    this.#sip = started.ok ? started.value : undefined;
    return started;
  }

  #startCallers(): void {
    const { scenario, pki } = this.#options;
    const { sip } = scenario.servers;
    const address = this.#addresses.get('sip');
    if (!sip || address === undefined) return;
    for (const [name, { srtp, sends }] of scenario.callers) {
      const started = startCaller(this.#hosts.get(name)!, {
        user: name,
        domain: sip.domain,
        proxy: { address, port: sip.transport === 'tls' ? 5061 : 5060 },
        transport: sip.transport,
        identity: pki.caller(name),
        srtp,
        tone: sends.tone,
      });
      this.callers.set(name, expectOk(started, `caller ${name}`));
    }
  }
}

/** Those who may show a certificate: units from the factory, and what the site's own authority signed. */
const clientAuthorities = ({ factory, site }: SimPki): readonly Der[] => [factory.root.certificate, site.certificate];
