/** A scenario: a network, what happens in it, and what is expected. Times are µs from the beginning of the run. */
import type { EventName } from '../../core/kernel/events.js';
import type { MacAddress, Micros, UnixMillis } from '../../hal/hal.js';
import type { PeerEventName } from '../peers/peer-events.js';
import type { ProvisioningAuth } from '../peers/provisioning-server.js';

export interface Scenario {
  name: string;
  about?: string;
  /** What the servers' clocks show when the run begins. */
  start: UnixMillis;
  /** Then every device is shut down in order, and the run ends. */
  end: Micros;
  lan: LanSetup;
  servers: ServersSetup;
  /** Every single device, those of groups among them. */
  devices: ReadonlyMap<string, DeviceSetup>;
  /** Names of the devices of each group. */
  groups: ReadonlyMap<string, readonly string[]>;
  callers: ReadonlyMap<string, CallerSetup>;
  steps: readonly Step[];
  expect: readonly Expectation[];
}

/** The devices that a name stands for: those of a group, or the one of that name. */
export const unitsOf = ({ groups }: Pick<Scenario, 'groups'>, name: string): readonly string[] => groups.get(name) ?? [name];

/** Faults of every link, in both directions; chances from 0 to 1. */
export interface LanSetup {
  latency?: Micros;
  jitter?: Micros;
  loss?: number;
  duplicate?: number;
  reorder?: number;
}

export const SERVER_NAMES = ['dhcp', 'dns', 'ntp', 'provisioning', 'sip'] as const;
/** A server, and its host on the network. */
export type ServerName = (typeof SERVER_NAMES)[number];

export interface ServersSetup {
  dhcp?: DhcpSetup;
  /** Absent: nobody tells the time. */
  ntp?: Record<never, never>;
  provisioning?: ProvisioningSetup;
  sip?: SipSetup;
}
/** DHCP options as URLs or host names. */
export interface DhcpSetup {
  option66?: string;
  option150?: string;
  option160?: string;
}
/** `rogue` is signed by nobody that the device trusts, `renewed` by the authority that takes the place of the site's. */
export type ServerCertificate = 'good' | 'rogue' | 'expired' | 'wrong-name' | 'renewed';
export type ClientCertificate = 'no' | 'asked' | 'required';
export interface ProvisioningSetup {
  host: string;
  protocol: 'https' | 'http' | 'tftp';
  clientCertificate?: ClientCertificate;
  certificate?: ServerCertificate;
  auth?: ProvisioningAuth;
  /** Absent: no file has a companion. */
  md5?: 'right' | 'wrong';
  /** Settings by name of the file, beside what stands with the devices: `algop8180g2.conf`. */
  files: ReadonlyMap<string, Values>;
}
export interface SipSetup {
  domain: string;
  transport: 'tls' | 'udp';
  clientCertificate?: ClientCertificate;
  certificate?: ServerCertificate;
  /** Password by user name. */
  users: ReadonlyMap<string, string>;
}

/** Settings by their key. */
export type Values = ReadonlyMap<string, string>;

export interface DeviceSetup {
  board: string;
  /** Absent: the board's newest. */
  firmware?: string;
  mac: MacAddress;
  /** When it was made; absent: a year before the run. */
  made?: UnixMillis;
  /** What its real-time clock shows when the run begins; absent: it has none, and every boot is in 1970. */
  rtc?: UnixMillis;
  image: ImageSetup;
  /** Settings that the provisioning server answers with. */
  provisioned: Values;
}
/** What factory and installer left on the flash. */
export interface ImageSetup {
  settings: Values;
  files: ReadonlyMap<string, FileSource>;
}
/** The certificate of one of the simulation's authorities, or a client certificate of the site's for that name, with its key. */
export type FileSource = { authority: Authority } | { identity: string };
export type Authority = 'site' | 'renewed' | 'factory' | 'rogue';

export interface CallerSetup {
  srtp: 'standard' | 'optional' | 'none';
  sends: { tone: number };
}

/** When a step is taken: at a time, after an event of the device, or when the device's n-th SIP request of a method has left. */
export type When =
  | { type: 'at'; at: Micros }
  | { type: 'after'; event: EventName; nth: number; fields: ReadonlyMap<string, string> }
  | { type: 'sent'; method: string; nth: number };

export type Action = DeviceAction | ServerAction;
export type DeviceAction =
  | { type: 'power'; on: boolean }
  | { type: 'page'; from: string; for: Micros }
  /** Cuts the link of a device, a caller or a server. */
  | { type: 'cut'; link: string; for: Micros }
  /** Files are put on the running device, as its web interface would. */
  | { type: 'put'; files: ReadonlyMap<string, FileSource> }
  | { type: 'factory-reset' }
  /** The SIP server tells the device to look for a new configuration; `reboot` as the Event header has it. */
  | { type: 'check-sync'; reboot?: boolean };
export type ServerAction =
  /** The host stays, and refuses what comes. */
  | { type: 'stop'; for: Micros }
  /** The server starts anew with another certificate. */
  | { type: 'certificate'; certificate: ServerCertificate }
  /** Settings by device, group or file, in place of those served before. */
  | { type: 'serves'; files: ReadonlyMap<string, Values> };

/** `device` is whom `when` speaks of, and on whom a device's action is done. A group stands for each of its devices, one after another within `over`. */
export interface Step {
  when: When;
  device?: string;
  server?: ServerName;
  over: Micros;
  action: Action;
}

/** `text` is the expectation as the scenario words it. A group stands for each of its devices. */
export type Expectation = { text: string; device?: string; server?: ServerName } & (
  | EventExpectation
  | { type: 'not'; event: AnyEventName; fields: ReadonlyMap<string, string>; since: Micros; until?: Micros }
  | { type: 'rate'; event: AnyEventName; fields: ReadonlyMap<string, string>; most: number; per: Micros }
  | { type: 'heard'; device: string; tone: number; for: Micros; share: number; silent: number }
);
export interface EventExpectation {
  type: 'event';
  event: AnyEventName;
  fields: ReadonlyMap<string, string>;
  /** From the beginning of the run. */
  since: Micros;
  after?: Extract<When, { type: 'after' }>;
  /** From `since`, or from `after`. */
  within?: Micros;
  /** At least this share of the devices of a group. */
  share: number;
}
export type AnyEventName = EventName | PeerEventName;
