/** `net.*`: the address, VLAN, time servers, marks on packets, and access to the network. */
import { CURRENT, FIRST_GENERATION, onPage, unless } from '../setting.js';
import { flag, hostPort, text, whole } from '../value-types.js';
import { ADMIN, NETWORK, TIME } from './pages.js';

const network = onPage(NETWORK);
const time = onPage(TIME);
const admin = onPage(ADMIN);

/** RFC 2474 part 3: six bits. */
const codePoint = whole(0, 63);
/** The flat keys of the first generation. */
const flat = { default: '', provenance: 'template', on: FIRST_GENERATION, effect: 'stored' } as const;
const timeServer = (n: number) => time({ label: `NTP Time Server ${n}`, read: hostPort, default: '', provenance: 'template' });

export const NETWORK_SETTINGS = {
  'net.dhcp.c.ntp': time({ label: 'NTP DHCP Option 42', read: flag, default: '1', provenance: 'template' }),
  'net.dhcp.use': network({ ...flat, label: 'DHCP', read: flag, default: '1' }),
  'net.dns1': network({ ...flat, label: 'DNS Server 1', read: text }),
  'net.dns2': network({ ...flat, label: 'DNS Server 2', read: text }),
  'net.dscp.rtcp': network({ label: 'DSCP of RTCP', read: codePoint, default: '0', provenance: 'template', effect: 'stored' }),
  'net.dscp.rtp': network({ label: 'DSCP of RTP', read: codePoint, default: '0', provenance: 'template', needsRestart: true }),
  'net.dscp.sip': network({ label: 'DSCP of SIP', read: codePoint, default: '0', provenance: 'template', needsRestart: true }),
  'net.gateway': network({ ...flat, label: 'Gateway', read: text }),
  'net.ip': network({ ...flat, label: 'IP Address', read: text }),
  'net.mask': network({ ...flat, label: 'Netmask', read: text }),
  /** IEEE 802.1X. */
  'net.pnac.auth': network({
    label: '802.1X Authentication',
    read: text,
    default: 'EAP-PEAP_MSCHAPV2',
    provenance: 'template',
    effect: 'stored',
  }),
  'net.pnac.use': network({ label: '802.1X', read: flag, default: '0', provenance: 'template', effect: 'stored' }),
  'net.time1': timeServer(1),
  'net.time2': timeServer(2),
  'net.time3': timeServer(3),
  'net.time4': timeServer(4),
  /**
   * By its name it permits old TLS. ours: cipher suites of older peers; the least version stays TLS 1.2 all the same, as the starting
   * document says (p. 8).
   */
  'net.weaktls.use': admin({
    label: 'Allow Weak TLS',
    read: flag,
    default: ({ weakTls }) => (weakTls ? '1' : '0'),
    provenance: 'template',
    on: CURRENT,
    needs: { feature: 'weakTls', when: unless('', '0') },
    needsRestart: true,
  }),
};
