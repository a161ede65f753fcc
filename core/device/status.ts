/** The status page's lines, in the vendor's words (domain facts, part 7). */
import type { Lease, MacAddress } from '../../hal/hal.js';
import type { RegistrationStatus } from '../sip/registration.js';

export type StatusLine = readonly [label: string, value: string];

export interface StatusFacts {
  mac: MacAddress;
  name: string;
  lease: Lease | undefined;
  registrations: readonly { account: string; status: RegistrationStatus }[];
  calls: number;
  /** Undefined until the flash is read. */
  manufacturerCertificate?: boolean;
}

const REGISTRATION: Readonly<Record<RegistrationStatus, string>> = {
  connecting: 'Connecting',
  registered: 'Successful',
  rejected: 'Rejected by Server',
  'no-reply': 'No reply from server',
  stopped: 'No Account',
};

export function statusLines(facts: StatusFacts): readonly StatusLine[] {
  const { mac, name, lease, registrations, calls, manufacturerCertificate } = facts;
  const registered = registrations.map(({ account, status }) => `${account}, ${REGISTRATION[status]};`).join('');
  return [
    ['Device Name', name],
    ['SIP Registration', registered || 'No Account'],
    ['Call Status', calls > 0 ? 'Connected' : 'Idle'],
    ['MAC', mac.replace(/(..)(?=.)/g, '$1:').toLowerCase()],
    ['IPv4', lease ? `${lease.address}/${lease.prefix}${lease.gateway ? `, Gateway: ${lease.gateway}` : ''}` : 'Not Available'],
    ['Manufacturer Certificate', manufacturerCertificate ? 'Installed' : 'Not Installed'],
  ];
}
