/**
 * Every setting that this firmware acts on: one entry a key. What is not here is unknown to it: kept, exported, reported, and without effect.
 * Vendor key names and values are the vendor's; where it is silent they are ours, and marked so (`provenance`), here and nowhere else.
 */
import type { BoardProfile } from '../../hal/board.js';
import type { FeatureName, Features } from '../device/features.js';
import { choice, flag, type HostPort, hostPort, listOf, type ReadValue, text, timeOfDay, volume, whole } from './value-types.js';

export interface SettingSpec<T> {
  read: ReadValue<T>;
  /** The value where neither provisioning nor the administrator gave one. */
  default: string | ((board: BoardProfile, features: Features) => string);
  /** The feature that some of its values need. */
  needs?: { feature: FeatureName; when: (value: string) => boolean };
  /** Where it stands in the web interface. */
  page: string;
  label: string;
  /** Running services must start anew for a change to count. */
  needsRestart: boolean;
  /** Left out of exports that are to be shown, masked everywhere else. */
  secret?: true;
  /** Who gave the key its name and its values: the starting document, another vendor document, a template in the field, or this project. */
  provenance: 'seed' | 'vendor' | 'template' | 'ours';
}

const SIP = 'Basic Settings > SIP';
const FEATURES = 'Basic Settings > Features';
const ADVANCED_SIP = 'Advanced Settings > Advanced SIP';
const PROVISIONING = 'Advanced Settings > Provisioning';
const TIME = 'Advanced Settings > Time';
const ADMIN = 'Advanced Settings > Admin';

/** The value that asks for nothing: every other one needs the feature. */
const unless =
  (...harmless: readonly string[]) =>
  (value: string): boolean =>
    !harmless.includes(value);

/** RFC 4568, RFC 6188 and RFC 7714 suites in the vendor's lower case; the first is the vendor's default. */
const SRTP_SUITES = [
  'aes_cm_128_hmac_sha1_80',
  'aes_cm_128_hmac_sha1_32',
  'aes_256_cm_hmac_sha1_80',
  'aes_256_cm_hmac_sha1_32',
  'aead_aes_128_gcm',
  'aead_aes_256_gcm',
] as const;

/** `$MAC$` is expanded by the device; the names are those of exported settings, `algo-` where none was seen. */
const deviceName = (board: BoardProfile): string =>
  `${board.kind === 'paging-adapter' ? 'pagingadapter' : board.kind === 'speaker' ? 'sipalerter' : 'algo'}-$MAC$`;

const spec = <T>(entry: SettingSpec<T>): SettingSpec<T> => entry;
/** The common case: free text, blank by default. */
const plain = (page: string, label: string, provenance: SettingSpec<string>['provenance'], needsRestart: boolean): SettingSpec<string> => ({
  read: text,
  default: '',
  page,
  label,
  needsRestart,
  provenance,
});
const server = (page: string, label: string, provenance: SettingSpec<string>['provenance']): SettingSpec<HostPort | undefined> => ({
  read: hostPort,
  default: '',
  page,
  label,
  needsRestart: true,
  provenance,
});

export const REGISTRY = {
  'admin.devname': spec({ ...plain(ADMIN, 'Device Name', 'template', true), default: deviceName }),
  'audio.page.tone': spec({ ...plain(FEATURES, 'Page Tone', 'ours', false), default: 'None' }),
  'audio.page.vol': spec({
    read: volume,
    default: '0dB',
    page: FEATURES,
    label: 'Page Speaker Volume',
    needsRestart: false,
    provenance: 'template',
  }),
  'net.dhcp.c.ntp': spec({
    read: flag,
    default: '1',
    page: TIME,
    label: 'NTP DHCP Option 42',
    needsRestart: true,
    provenance: 'template',
  }),
  'net.time1': server(TIME, 'NTP Time Server 1', 'template'),
  'net.time2': server(TIME, 'NTP Time Server 2', 'template'),
  'net.time3': server(TIME, 'NTP Time Server 3', 'template'),
  'net.time4': server(TIME, 'NTP Time Server 4', 'template'),
  'prov.auth.pwd': spec({ ...plain(PROVISIONING, 'Auth Password', 'template', false), secret: true }),
  'prov.auth.user': plain(PROVISIONING, 'Auth User Name', 'template', false),
  'prov.confirm': spec({
    read: whole(0, 86_400),
    default: '300',
    page: PROVISIONING,
    label: 'Confirm by Registration Within (seconds)',
    needsRestart: false,
    provenance: 'ours',
  }),
  'prov.download.cert': spec({
    read: flag,
    default: '0',
    needs: { feature: 'tls', when: unless('0') },
    page: PROVISIONING,
    label: 'Validate Server Certificate',
    needsRestart: false,
    provenance: 'seed',
  }),
  'prov.download.cfgpath': plain(PROVISIONING, 'Config Download Path', 'template', false),
  'prov.download.fwpath': plain(PROVISIONING, 'Firmware Download Path', 'template', false),
  'prov.download.method': spec({
    read: choice('tftp', 'ftp', 'http', 'https'),
    default: 'http',
    needs: { feature: 'tls', when: (value) => value === 'https' },
    page: PROVISIONING,
    label: 'Download Method',
    needsRestart: false,
    provenance: 'seed',
  }),
  'prov.i': spec({
    read: flag,
    default: '0',
    page: PROVISIONING,
    label: 'Partial Provisioning',
    needsRestart: false,
    provenance: 'template',
  }),
  'prov.md5': spec({
    read: choice('use', 'require', 'off'),
    default: 'use',
    page: PROVISIONING,
    label: 'MD5 Checksum',
    needsRestart: false,
    provenance: 'ours',
  }),
  'prov.server.method': spec({
    read: choice('auto', 'static', 'none'),
    default: 'auto',
    page: PROVISIONING,
    label: 'Server Method',
    needsRestart: false,
    provenance: 'ours',
  }),
  'prov.server.static': spec({
    ...plain(PROVISIONING, 'Static Server', 'template', false),
    needs: { feature: 'tls', when: (value) => /^https:/i.test(value) },
  }),
  'prov.sync.endtime': spec({
    read: timeOfDay,
    default: '',
    page: PROVISIONING,
    label: 'Sync End Time',
    needsRestart: false,
    provenance: 'template',
  }),
  'prov.sync.frequency': spec({
    read: choice('daily'),
    default: 'daily',
    page: PROVISIONING,
    label: 'Sync Frequency',
    needsRestart: false,
    provenance: 'template',
  }),
  'prov.sync.time': spec({
    read: timeOfDay,
    default: '',
    page: PROVISIONING,
    label: 'Sync Start Time',
    needsRestart: false,
    provenance: 'template',
  }),
  'prov.sync.wdays': spec({
    read: listOf('1', '2', '3', '4', '5', '6', '7'),
    default: '1,2,3,4,5,6,7,',
    page: PROVISIONING,
    label: 'Sync Days of the Week',
    needsRestart: false,
    provenance: 'template',
  }),
  'prov.use': spec({
    read: flag,
    default: '1',
    page: PROVISIONING,
    label: 'Provisioning Mode',
    needsRestart: false,
    provenance: 'template',
  }),
  'prov.version.firmware': plain(PROVISIONING, 'Firmware Version', 'template', false),
  'prov.ztp.use': spec({
    read: flag,
    default: '0',
    page: PROVISIONING,
    label: 'Zero Touch Provisioning',
    needsRestart: false,
    provenance: 'template',
  }),
  'sip.accept': spec({
    read: choice('', 'any', 'proxy'),
    // Blank follows the transport: `proxy` with TLS, else `any`.
    default: '',
    page: ADVANCED_SIP,
    label: 'Accept Calls From',
    needsRestart: true,
    provenance: 'ours',
  }),
  'sip.interop.checksync': spec({
    read: choice('conditional-reboot', 'always-reboot'),
    default: 'conditional-reboot',
    page: ADVANCED_SIP,
    label: 'NOTIFY check-sync',
    needsRestart: false,
    provenance: 'template',
  }),
  'sip.obproxy': server(ADVANCED_SIP, 'Outbound Proxy', 'vendor'),
  'sip.page.use': spec({ read: flag, default: '1', page: SIP, label: 'Page Extension', needsRestart: true, provenance: 'template' }),
  'sip.proxy': server(SIP, 'SIP Domain (Proxy Server)', 'vendor'),
  'sip.regexp': spec({
    read: whole(30, 604_800),
    default: '3600',
    page: ADVANCED_SIP,
    label: 'Register Period (seconds)',
    needsRestart: true,
    provenance: 'vendor',
  }),
  'sip.register.use': spec({ read: flag, default: '1', page: ADVANCED_SIP, label: 'Register', needsRestart: true, provenance: 'template' }),
  'sip.registrar': server(ADVANCED_SIP, 'Registrar', 'template'),
  'sip.srtp': spec({
    read: choice('', 'optional', 'standard'),
    default: '',
    needs: { feature: 'srtp', when: unless('') },
    page: ADVANCED_SIP,
    label: 'SDP SRTP Offer',
    needsRestart: true,
    provenance: 'ours',
  }),
  'sip.srtp.insecure': spec({
    read: choice('warn', 'refuse'),
    default: 'warn',
    page: ADVANCED_SIP,
    label: 'SRTP Keys Over Unencrypted Signalling',
    needsRestart: true,
    provenance: 'ours',
  }),
  'sip.srtp.suite': spec({
    read: listOf(...SRTP_SUITES),
    default: SRTP_SUITES[0],
    page: ADVANCED_SIP,
    label: 'SDP SRTP Offer Crypto Suite',
    needsRestart: true,
    provenance: 'ours',
  }),
  'sip.tls.cert': spec({
    read: flag,
    default: (_board, features) => (features.sipValidateDefault ? '1' : '0'),
    needs: { feature: 'tls', when: unless('0') },
    page: ADVANCED_SIP,
    label: 'Validate Server Certificate',
    needsRestart: true,
    provenance: 'ours',
  }),
  'sip.tls.force': spec({
    read: flag,
    default: '0',
    needs: { feature: 'forceSecureTls', when: unless('0') },
    page: ADVANCED_SIP,
    label: 'Force secure TLS Version',
    needsRestart: true,
    provenance: 'ours',
  }),
  'sip.transp': spec({
    read: choice('auto', 'udp', 'tcp', 'tls'),
    default: 'auto',
    needs: { feature: 'tls', when: (value) => value === 'tls' },
    page: ADVANCED_SIP,
    label: 'SIP Transportation',
    needsRestart: true,
    provenance: 'ours',
  }),
  'sip.u1.auth': plain(SIP, 'Authentication ID', 'vendor', true),
  'sip.u1.dname': plain(SIP, 'Display Name', 'vendor', true),
  'sip.u1.pwd': spec({ ...plain(SIP, 'Authentication Password', 'vendor', true), secret: true }),
  'sip.u1.user': plain(SIP, 'Page Extension', 'vendor', true),
  'sip.unreg': spec({
    read: flag,
    default: '0',
    page: ADVANCED_SIP,
    label: 'Unregister First',
    needsRestart: true,
    provenance: 'template',
  }),
} as const satisfies Record<string, SettingSpec<unknown>>;

export type SettingKey = keyof typeof REGISTRY;
export type SettingValue<K extends SettingKey> = (typeof REGISTRY)[K] extends SettingSpec<infer T> ? T : never;

/** The entry of any key; undefined for one that this firmware does not know. */
export const findSetting = (key: string): SettingSpec<unknown> | undefined =>
  Object.hasOwn(REGISTRY, key) ? (REGISTRY as Readonly<Record<string, SettingSpec<unknown>>>)[key] : undefined;

/** Also for keys that this firmware does not know: a password is one wherever it stands. */
export const isSecret = (key: string): boolean => findSetting(key)?.secret === true || /(^|\.)(pwd|passwd|password|secret)$/i.test(key);
