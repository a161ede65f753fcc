/** `prov.*` and what else decides which files a device fetches. Keys and values of our own making: `ours.ts`. */
import { CURRENT, onPage, unless } from '../setting.js';
import { choice, flag, listOf, text, timeOfDay } from '../value-types.js';
import { MAINTENANCE, MULTICAST, PROVISIONING } from './pages.js';

const provisioning = onPage(PROVISIONING);
const informacast = onPage(MULTICAST);
const maintenance = onPage(MAINTENANCE);

export const PROVISIONING_SETTINGS = {
  'conf.backup': maintenance({ label: 'Backup Settings', read: flag, default: '0', provenance: 'template', effect: 'stored' }),
  'ifmc.dl.method': informacast({
    label: 'InformaCast Download Method',
    read: choice('tftp', 'ftp', 'http', 'https'),
    default: 'http',
    provenance: 'template',
    needs: { feature: 'tls', when: (value) => value === 'https' },
    effect: 'stored',
  }),
  'ifmc.dl.path': informacast({
    label: 'InformaCast Download Path',
    read: text,
    default: '',
    provenance: 'template',
    effect: 'stored',
  }),
  'prov.auth.pwd': provisioning({ label: 'Auth Password', read: text, default: '', provenance: 'template', secret: true }),
  'prov.auth.user': provisioning({ label: 'Auth User Name', read: text, default: '', provenance: 'template' }),
  'prov.download.cert': provisioning({
    label: 'Validate Server Certificate',
    read: flag,
    default: '0',
    provenance: 'seed',
    on: CURRENT,
    needs: { feature: 'tls', when: unless('', '0') },
  }),
  /** Blank is the server's root. */
  'prov.download.cfgpath': provisioning({ label: 'Config Download Path', read: text, default: '', provenance: 'template' }),
  'prov.download.fwpath': provisioning({
    label: 'Firmware Download Path',
    read: text,
    default: '',
    provenance: 'template',
    effect: 'stored',
  }),
  'prov.download.method': provisioning({
    label: 'Download Method',
    read: choice('tftp', 'ftp', 'http', 'https'),
    default: 'http',
    provenance: 'seed',
    needs: { feature: 'tls', when: (value) => value === 'https' },
  }),
  /** The boards whose exports have 1 say so in their profiles. */
  'prov.i': provisioning({ label: 'Partial Provisioning', read: flag, default: '0', provenance: 'template', on: CURRENT }),
  'prov.server.static': provisioning({
    label: 'Static Server',
    read: text,
    default: '',
    provenance: 'template',
    needs: { feature: 'tls', when: (value) => /^https:/i.test(value) },
  }),
  'prov.sync.endtime': provisioning({ label: 'Sync End Time', read: timeOfDay, default: '', provenance: 'template', on: CURRENT }),
  /** The only value ever seen, and what the schedule does. */
  'prov.sync.frequency': provisioning({
    label: 'Sync Frequency',
    read: choice('daily'),
    default: 'daily',
    provenance: 'template',
    on: CURRENT,
    effect: 'stored',
  }),
  'prov.sync.time': provisioning({ label: 'Sync Start Time', read: timeOfDay, default: '', provenance: 'template', on: CURRENT }),
  'prov.sync.wdays': provisioning({
    label: 'Sync Days of the Week',
    read: listOf('1', '2', '3', '4', '5', '6', '7'),
    default: '1,2,3,4,5,6,7,',
    provenance: 'template',
    on: CURRENT,
  }),
  'prov.use': provisioning({ label: 'Provisioning Mode', read: flag, default: '1', provenance: 'template' }),
  'prov.version.firmware': provisioning({
    label: 'Firmware Version',
    read: text,
    default: '',
    provenance: 'template',
    effect: 'stored',
  }),
  /** The vendor's redirect service; its protocol is not published. */
  'prov.ztp.use': provisioning({
    label: 'Zero Touch Provisioning',
    read: flag,
    default: '0',
    provenance: 'template',
    on: CURRENT,
    effect: 'stored',
  }),
};
