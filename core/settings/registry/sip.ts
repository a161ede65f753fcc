/** `sip.*` of the base extension and its server, and the intercoms' call button. Keys and values of our own making: `ours.ts`. */
import { ALL_BUT_DOOR_CONTROLLERS, CALLERS, CURRENT, DOOR_CONTROLLERS, FIRST_GENERATION, onPage } from '../setting.js';
import { choice, flag, hostPort, text, whole } from '../value-types.js';
import { ADVANCED_SIP, SIP } from './pages.js';

const basic = onPage(SIP);
const advanced = onPage(ADVANCED_SIP);

export const SIP_SETTINGS = {
  'dp.dest': basic({ label: 'Extension to Dial', read: text, default: '', provenance: 'vendor', on: CALLERS, effect: 'stored' }),
  'sip.bkproxy1': advanced({ label: 'Backup Server 1', read: hostPort, default: '', provenance: 'template', effect: 'stored' }),
  'sip.bkproxy2': advanced({ label: 'Backup Server 2', read: hostPort, default: '', provenance: 'template', effect: 'stored' }),
  'sip.diffport': advanced({
    label: 'Different Port per Extension',
    read: flag,
    default: '0',
    provenance: 'template',
    effect: 'stored',
  }),
  /** What NOTIFY check-sync makes the device do once it has fetched its settings anew. */
  'sip.interop.checksync': advanced({
    label: 'NOTIFY check-sync',
    read: choice('conditional-reboot', 'always-reboot'),
    default: 'conditional-reboot',
    provenance: 'template',
  }),
  'sip.interop.cport': advanced({ label: 'Contact Port', read: flag, default: '1', provenance: 'template', effect: 'stored' }),
  'sip.interop.cuser': advanced({ label: 'Contact User', read: flag, default: '1', provenance: 'template', effect: 'stored' }),
  'sip.interop.ka.interval': advanced({
    label: 'Keep-alive Interval (seconds)',
    read: whole(1, 3600),
    default: '20',
    provenance: 'template',
    needsRestart: true,
  }),
  /** `crlf`: RFC 5626 4.4.1, on TCP and TLS. Blank is off, as for other methods. */
  'sip.interop.ka.method': advanced({
    label: 'Keep-alive Method',
    read: choice('', 'crlf'),
    default: 'crlf',
    provenance: 'template',
    needsRestart: true,
  }),
  /** The names of the two above in older firmware. */
  'sip.ka.method': advanced({ label: 'Keep-alive Method (old)', read: text, default: '0', provenance: 'template', effect: 'stored' }),
  'sip.ka.period': advanced({
    label: 'Keep-alive Period (old, seconds)',
    read: whole(0, 3600),
    default: '30',
    provenance: 'template',
    effect: 'stored',
  }),
  /** ICE, STUN or TURN; the vendor's words for them are not published. */
  'sip.nat.media': advanced({ label: 'Media NAT', read: text, default: '', provenance: 'template', effect: 'stored' }),
  'sip.obproxy': advanced({ label: 'Outbound Proxy', read: hostPort, default: '', provenance: 'vendor', needsRestart: true }),
  /** RFC 5626. */
  'sip.outbound': advanced({ label: 'SIP Outbound', read: flag, default: '0', provenance: 'template', on: CURRENT, effect: 'stored' }),
  'sip.page.use': basic({ label: 'Page Extension', read: flag, default: '1', provenance: 'template', needsRestart: true }),
  'sip.proxy': basic({
    label: 'SIP Domain (Proxy Server)',
    read: hostPort,
    default: '',
    provenance: 'vendor',
    on: ALL_BUT_DOOR_CONTROLLERS,
    counterpart: 'sip.proxy.webui',
    needsRestart: true,
  }),
  'sip.proxy.webui': basic({
    label: 'SIP Domain (Proxy Server)',
    read: hostPort,
    default: '',
    provenance: 'vendor',
    on: DOOR_CONTROLLERS,
    counterpart: 'sip.proxy',
    needsRestart: true,
  }),
  'sip.regexp': advanced({
    label: 'Register Period (seconds)',
    read: whole(30, 604_800),
    default: '3600',
    provenance: 'vendor',
    needsRestart: true,
  }),
  'sip.register.use': advanced({ label: 'Register', read: flag, default: '1', provenance: 'template', needsRestart: true }),
  'sip.registrar': advanced({ label: 'Registrar', read: hostPort, default: '', provenance: 'template', needsRestart: true }),
  'sip.regrate': advanced({ label: 'Register Rate', read: whole(0, 86_400), default: '0', provenance: 'template', effect: 'stored' }),
  'sip.sips': advanced({ label: 'SIPS Scheme', read: flag, default: '0', provenance: 'template', on: CURRENT, effect: 'stored' }),
  'sip.ssr.chkact': advanced({ label: 'Poll Active Server', read: flag, default: '0', provenance: 'template', effect: 'stored' }),
  'sip.ssr.interval': advanced({
    label: 'Polling Interval (seconds)',
    read: whole(1, 86_400),
    default: '120',
    provenance: 'template',
    effect: 'stored',
  }),
  'sip.ssr.method': advanced({ label: 'Polling Method', read: whole(0, 99), default: '0', provenance: 'template', effect: 'stored' }),
  'sip.ssr.nofb': advanced({ label: 'No Automatic Failback', read: flag, default: '0', provenance: 'template', effect: 'stored' }),
  'sip.ssr.use': advanced({ label: 'Server Redundancy', read: flag, default: '0', provenance: 'template', effect: 'stored' }),
  /** The older name of the next. */
  'sip.stun': advanced({
    label: 'STUN Server',
    read: hostPort,
    default: '',
    provenance: 'template',
    on: FIRST_GENERATION,
    counterpart: 'sip.stun.server',
    effect: 'stored',
  }),
  'sip.stun.server': advanced({
    label: 'STUN Server',
    read: hostPort,
    default: '',
    provenance: 'template',
    on: CURRENT,
    counterpart: 'sip.stun',
    effect: 'stored',
  }),
  'sip.turn.pwd': advanced({ label: 'TURN Password', read: text, default: '', provenance: 'template', secret: true, effect: 'stored' }),
  'sip.turn.server': advanced({ label: 'TURN Server', read: hostPort, default: '', provenance: 'template', effect: 'stored' }),
  'sip.turn.user': advanced({ label: 'TURN User', read: text, default: '', provenance: 'template', effect: 'stored' }),
  'sip.u1.auth': basic({ label: 'Authentication ID', read: text, default: '', provenance: 'vendor', needsRestart: true }),
  'sip.u1.dname': basic({ label: 'Display Name', read: text, default: '', provenance: 'vendor', needsRestart: true }),
  'sip.u1.pwd': basic({
    label: 'Authentication Password',
    read: text,
    default: '',
    provenance: 'vendor',
    needsRestart: true,
    secret: true,
  }),
  'sip.u1.user': basic({ label: 'Page Extension', read: text, default: '', provenance: 'vendor', needsRestart: true }),
  'sip.unreg': advanced({ label: 'Unregister First', read: flag, default: '0', provenance: 'template', effect: 'stored' }),
};
