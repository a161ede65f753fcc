/** What a board does with a firmware version. Whoever asks "can this device …?" asks here; no other file compares versions. */
import type { BoardProfile } from '../../hal/board.js';
import type { TlsVersion } from '../../hal/hal.js';
import { compareFirmware } from './firmware-version.js';

export type FeatureName =
  | 'tls'
  | 'srtp'
  | 'dnsSrv'
  | 'deviceCertificate'
  | 'trustedUpload'
  | 'forceSecureTls'
  | 'restApi'
  | 'weakTls'
  | 'cloudManagement';

/** The features by name, and what varies with the version beside them. */
export interface Features extends Readonly<Record<FeatureName, boolean>> {
  board: string;
  firmware: string;
  /** The range that the device may negotiate; absent without TLS. */
  tlsVersions?: { min: TlsVersion; max: TlsVersion };
  /** SIP's "Validate Server Certificate" where no setting says otherwise. */
  sipValidateDefault: boolean;
}

/** Why a feature is missing, and what would mend it. */
export interface Lack {
  detail: string;
  mend: string;
}

interface FeatureRow {
  /** For sentences: "… has no <what>". */
  what: string;
  /** What the board itself must have. */
  needs?: 'tls' | 'dnsSrv' | 'current';
  /** The first firmware that has it. */
  since?: string;
  /** The first firmware that has it no more, and what took its place. */
  until?: { version: string; instead: string };
}

/** `seed`: "Securing Algo IP Endpoints", 2021-12-28, by page. `ours`: the vendor is silent. */
const TABLE: Readonly<Record<FeatureName, FeatureRow>> = {
  // seed p. 3: "Algo devices that support firmware 1.6.4 or later support Transport Layer Security (TLS) for both Provisioning and SIP".
  tls: { what: 'TLS', needs: 'tls', since: '1.6.4' },
  // ours: SRTP is tied to TLS; the boards without TLS are listed as having neither.
  srtp: { what: 'SRTP', needs: 'tls', since: '1.6.4' },
  // The Webex guide lists the boards without TLS as lacking DNS SRV too.
  dnsSrv: { what: 'DNS SRV', needs: 'dnsSrv' },
  // seed p. 4: "factory installed on Algo devices since 2019, starting with firmware 1.7.1".
  deviceCertificate: { what: 'device certificate', needs: 'tls', since: '1.7.1' },
  // seed p. 5: "If you are on a firmware lower than 3.1.X, please upgrade the device."
  trustedUpload: { what: "uploads to 'certs/trusted'", needs: 'tls', since: '3.1' },
  // seed p. 8: "Algo devices running firmware v3.1 & above", "This option has been removed in v4.0+ since TLS v1.2 is used by default".
  forceSecureTls: {
    what: '"Force secure TLS Version"',
    needs: 'tls',
    since: '3.1',
    until: { version: '4.0', instead: 'TLS 1.2 is the least it speaks' },
  },
  // The REST API guide asks for firmware 3.3 or later.
  restApi: { what: 'REST API', needs: 'current', since: '3.3' },
  // Exports of firmware 5 have the key `net.weaktls.use`; which 5.x brought it is not known.
  weakTls: { what: '"Allow Weak TLS"', needs: 'tls', since: '5.0' },
  // The ADMP guide asks for firmware 5.2 or later, and for the device certificate.
  cloudManagement: { what: 'Device Management Platform', needs: 'tls', since: '5.2' },
};

/** From that firmware on, newest first. The first and the last row are ours; the others seed p. 8. */
const TLS_VERSIONS: readonly { since: string; min: TlsVersion; max: TlsVersion }[] = [
  { since: '5.0', min: '1.2', max: '1.3' },
  { since: '4.0', min: '1.2', max: '1.2' },
  { since: '3.1', min: '1.1', max: '1.2' },
  { since: '1.6.4', min: '1.0', max: '1.2' },
];

/** ours: the secure default came late, so that no upgrade turns a running device away from its server. */
const SIP_VALIDATES_SINCE = '5.0';

const atLeast = (firmware: string, version: string): boolean => compareFirmware(firmware, version) >= 0;

export function featuresOf(board: BoardProfile, firmware: string): Features {
  const has = (feature: FeatureName): boolean => lackOf(board, firmware, feature) === undefined;
  const versions = has('tls') ? TLS_VERSIONS.find((row) => atLeast(firmware, row.since)) : undefined;
  return {
    board: board.id,
    firmware,
    tls: has('tls'),
    srtp: has('srtp'),
    dnsSrv: has('dnsSrv'),
    deviceCertificate: has('deviceCertificate'),
    trustedUpload: has('trustedUpload'),
    forceSecureTls: has('forceSecureTls'),
    restApi: has('restApi'),
    weakTls: has('weakTls'),
    cloudManagement: has('cloudManagement'),
    sipValidateDefault: has('tls') && atLeast(firmware, SIP_VALIDATES_SINCE),
    ...(versions ? { tlsVersions: { min: versions.min, max: versions.max } } : {}),
  };
}

/** Why this board with this firmware lacks a feature; undefined where it has it. */
export function lackOf(board: BoardProfile, firmware: string, feature: FeatureName): Lack | undefined {
  const { what, needs, since, until } = TABLE[feature];
  const name = `the ${board.model}`;
  if (needs === 'tls' && !board.tls.supported) {
    return { detail: `${name} has no ${what} (${board.tls.why})`, mend: 'clear the setting, or use a board with TLS' };
  }
  if (needs === 'current' && board.settings !== 'current') {
    return { detail: `${name} has no ${what}`, mend: 'clear the setting, or use a board of the current generation' };
  }
  if (needs === 'dnsSrv' && !board.dnsSrv) return { detail: `${name} has no ${what}`, mend: 'name the server by host and port' };
  if (since !== undefined && !atLeast(firmware, since)) {
    return { detail: `${name} has ${what} from firmware ${since}, and runs ${firmware}`, mend: `upgrade to firmware ${since} or later` };
  }
  if (until !== undefined && atLeast(firmware, until.version)) {
    return { detail: `${what} was removed in firmware ${until.version}: ${until.instead}`, mend: 'clear the setting' };
  }
  return undefined;
}
