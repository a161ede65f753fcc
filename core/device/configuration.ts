/** From the vendor's keys to what each part is told: the one place where names of settings meet the parts' own words. */
import type { Lease } from '../../hal/hal.js';
import type { CallLimits } from '../call/call.machine.js';
import type { Url } from '../http/url.js';
import { srtpSuiteNamed } from '../media/srtp-suites.js';
import { chooseServer, type ServerSources } from '../provisioning/server.policy.js';
import type { SrtpSettings } from '../sdp/srtp.policy.js';
import type { Settings } from '../settings/settings.js';
import type { SipAccount, SipConfig, SipServer } from '../sip/config.js';
import { type TlsPolicy, tlsPolicy } from '../tls/tls.policy.js';

/** Local ports; `rtp` is the first, even one of the range. */
export interface EndpointPorts {
  sip: number;
  tls: number;
  rtp: number;
}

/** RFC 3261 19.1.2 for SIP; the RTP range is ours. */
export const DEFAULT_PORTS: EndpointPorts = { sip: 5060, tls: 5061, rtp: 16_384 };

export function sipConfig(settings: Settings, ports: EndpointPorts): SipConfig {
  const { features } = settings.owner;
  const transport = settings.get('sip.transp');
  const server = sipServer(settings);
  return {
    transport,
    ports: { sip: ports.sip, tls: ports.tls },
    ...(server ? { server } : {}),
    userAgent: userAgent(settings),
    accounts: accounts(settings),
    registerPeriod: settings.get('sip.regexp'),
    keepalive: settings.get('sip.interop.ka.method') === 'crlf' ? settings.get('sip.interop.ka.interval') : 0,
    accept: settings.get('sip.accept') || (transport === 'tls' ? 'proxy' : 'any'),
    refuseMd5: false,
    srv: features.dnsSrv,
    dscp: settings.get('net.dscp.sip'),
  };
}

/** ours: a provisioning server in the field looks for `Algo-8301` (domain facts); SIP says the same of itself. */
export const userAgent = ({ owner: { board, features } }: Settings): string =>
  `Algo-${board.model.replaceAll(' ', '')}/${features.firmware}`;

function sipServer(settings: Settings): SipServer | undefined {
  // A board has one of the two.
  const domain = settings.get('sip.proxy') ?? settings.get('sip.proxy.webui');
  const registrar = settings.get('sip.registrar');
  const outboundProxy = settings.get('sip.obproxy');
  return domain && { domain, ...(registrar ? { registrar } : {}), ...(outboundProxy ? { outboundProxy } : {}) };
}

/** The page extension; others come with their own keys. */
function accounts(settings: Settings): readonly SipAccount[] {
  const user = settings.get('sip.u1.user');
  if (!settings.get('sip.page.use') || !settings.get('sip.register.use') || user === '') return [];
  return [
    {
      id: 'page',
      user,
      authUser: settings.get('sip.u1.auth'),
      password: settings.get('sip.u1.pwd'),
      displayName: settings.get('sip.u1.dname'),
    },
  ];
}

export function srtpSettings(settings: Settings): SrtpSettings {
  return {
    mode: settings.get('sip.srtp') || 'disabled',
    suites: settings.get('sip.srtp.suite').flatMap((name) => srtpSuiteNamed(name) ?? []),
    insecure: settings.get('sip.srtp.insecure'),
  };
}

export function tlsPolicyOf(settings: Settings): TlsPolicy | undefined {
  return tlsPolicy(settings.owner.features, {
    validate: { provisioning: settings.get('prov.download.cert'), sip: settings.get('sip.tls.cert') },
    forceSecure: settings.get('sip.tls.force'),
    sipWildcards: settings.get('sip.tls.wildcard'),
    // Firmware without the setting has nothing against older suites.
    weak: !settings.owner.features.weakTls || settings.get('net.weaktls.use'),
  });
}

/** Pairs of RTP ports: a round through them takes longer than a late packet of an ended call lives (ours). */
export const RTP_PAIRS = 32;

/** Milliseconds (ours). */
const SILENCE = 30_000;

export const callLimits = (settings: Settings): CallLimits => ({
  duration: settings.get('phone.timeout.inbound') * 1000,
  silence: SILENCE,
});

/** Names or addresses of time servers, best first: what DHCP gave where the settings take it, then the settings' own. */
export function timeServers(settings: Settings, lease: Lease | undefined): readonly string[] {
  const named = ([1, 2, 3, 4] as const).map((n) => settings.get(`net.time${n}`)?.host ?? '');
  const leased = settings.get('net.dhcp.c.ntp') ? (lease?.ntp ?? []) : [];
  return [...leased, ...named.filter((name) => name !== '')];
}

/** Where the date of an HTTPS answer may be had: the provisioning server, as the settings and the lease name it. */
export function dateServer(sources: ServerSources): Url | undefined {
  const choice = chooseServer(sources);
  return choice.type === 'server' && choice.url.scheme === 'https' ? choice.url : undefined;
}
