/** `admin.*`: the device's name, access to it, and services around it. */
import { CURRENT, onPage, unless } from '../setting.js';
import { flag, text } from '../value-types.js';
import { ADMIN } from './pages.js';

const admin = onPage(ADMIN);

export const ADMIN_SETTINGS = {
  /** `$MAC$` is expanded by the device; boards whose exports have another name say so in their profiles. */
  'admin.devname': admin({ label: 'Device Name', read: text, default: 'algo-$MAC$', provenance: 'template' }),
  /** Whether passwords of SIP are encrypted in exports. */
  'admin.security.encsip': admin({ label: 'Encrypt SIP Passwords', read: flag, default: '0', provenance: 'template', effect: 'stored' }),
  'admin.web.api': admin({
    label: 'RESTful API',
    read: flag,
    default: '0',
    provenance: 'vendor',
    on: CURRENT,
    needs: { feature: 'restApi', when: unless('', '0') },
    effect: 'stored',
  }),
  /** The vendor's cloud management, ADMP. */
  'iot.use': admin({
    label: 'Device Management Platform',
    read: flag,
    default: '0',
    provenance: 'template',
    on: CURRENT,
    needs: { feature: 'cloudManagement', when: unless('', '0') },
    effect: 'stored',
  }),
};
