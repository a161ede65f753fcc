/** A scenario: a network, what happens in it, and what is expected. Times are µs from the beginning of the run. */
import type { EventName } from '../../core/kernel/events.js';
import type { MacAddress, Micros, UnixMillis } from '../../hal/hal.js';

export interface Scenario {
  name: string;
  about?: string;
  /** What the servers' clocks show when the run begins. */
  start: UnixMillis;
  /** Then every device is shut down in order, and the run ends. */
  end: Micros;
  lan: LanSetup;
  servers: ServersSetup;
  devices: ReadonlyMap<string, DeviceSetup>;
  callers: ReadonlyMap<string, CallerSetup>;
  steps: readonly Step[];
  expect: readonly Expectation[];
}

/** Faults of every link, in both directions; chances from 0 to 1. */
export interface LanSetup {
  latency?: Micros;
  jitter?: Micros;
  loss?: number;
  duplicate?: number;
  reorder?: number;
}

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
/** `rogue` is signed by nobody that the device trusts. */
export type ServerCertificate = 'good' | 'rogue' | 'expired' | 'wrong-name';
export type ClientCertificate = 'no' | 'asked' | 'required';
export interface ProvisioningSetup {
  host: string;
  clientCertificate?: ClientCertificate;
  certificate?: ServerCertificate;
}
export interface SipSetup {
  domain: string;
  transport: 'tls' | 'udp';
  clientCertificate?: ClientCertificate;
  certificate?: ServerCertificate;
  /** Password by user name. */
  users: ReadonlyMap<string, string>;
}

export interface DeviceSetup {
  board: string;
  /** Absent: the board's newest. */
  firmware?: string;
  mac: MacAddress;
  image: ImageSetup;
  /** Settings that the provisioning server answers with. */
  provisioned: ReadonlyMap<string, string>;
}
/** What factory and installer left on the flash. */
export interface ImageSetup {
  settings: ReadonlyMap<string, string>;
  files: ReadonlyMap<string, FileSource>;
}
/** The certificate of one of the simulation's authorities. */
export interface FileSource {
  authority: Authority;
}
export type Authority = 'site' | 'factory' | 'rogue';

export interface CallerSetup {
  srtp: 'standard' | 'optional' | 'none';
  sends: { tone: number };
}

/** When a step is taken: at a time, after an event of the device, or when the device's n-th SIP request of a method has left. */
export type When =
  | { type: 'at'; at: Micros }
  | { type: 'after'; event: EventName; nth: number; fields: ReadonlyMap<string, string> }
  | { type: 'sent'; method: string; nth: number };
export type Action =
  | { type: 'power'; on: boolean }
  | { type: 'page'; from: string; for: Micros }
  /** Cuts the link of a device or a server. */
  | { type: 'cut'; link: string; for: Micros };
export interface Step {
  when: When;
  device: string;
  action: Action;
}

/** `text` is the expectation as the scenario words it. */
export type Expectation = { text: string; device?: string } & (
  | { type: 'event'; event: EventName; fields: ReadonlyMap<string, string>; within?: Micros; after?: Extract<When, { type: 'after' }> }
  | { type: 'not'; event: EventName; fields: ReadonlyMap<string, string> }
  | { type: 'heard'; device: string; tone: number; for: Micros; share: number; silent: number }
);
