/** Every event that an endpoint reports, with its fields in the order in which they are written. README documents them as stable. */
import type { ClockTrust, HalErrorKind, IpAddress, MacAddress, TlsVersion, TrustRule } from '../../hal/hal.js';

/** Times and durations are integers in µs unless the name says otherwise. */
export interface EventFields {
  'boot.ready': { board: string; firmware: string; reason: string };
  /** The image ran another version at its last boot. */
  'firmware.changed': { from: string; to: string };
  'system.reboot': { why: string };
  /** A factory reset: the paths that are gone. */
  'device.reset': { erased: readonly string[] };
  'link.up': Record<never, never>;
  'link.down': Record<never, never>;
  'lease.acquired': { address: IpAddress; gateway?: IpAddress; dns: readonly IpAddress[]; options: Readonly<Record<string, string>> };
  /**
   * `floor`: the last known time in flash; `build`: when this firmware was made. Neither is trusted: it cannot be earlier. `clock` is what
   * the clock reads now, ISO 8601.
   */
  'time.set': { source: 'rtc' | 'floor' | 'build' | 'sntp' | 'https'; trust: ClockTrust; clock: string };
  /** A source of time that gave none, or one that cannot be true; a real-time clock is not asked again. */
  'time.failed': { source: 'rtc' | 'sntp' | 'https'; kind: HalErrorKind; detail: string; mend: string; retryIn?: number };
  'identity.mismatch': { nic: MacAddress; factory: MacAddress };
  'settings.changed': { by: SettingOrigin; keys: readonly string[] };
  'settings.refused': { key: string; value: string; board: string; firmware: string; detail: string; mend: string };
  /** Keys that this firmware does not know or this board lacks: kept, exported, and without effect. Of the latter `detail` tells who has them. */
  'settings.unknown': { by: SettingOrigin; keys: readonly string[]; detail?: string };
  /** Known keys with values that ask for something, while nothing acts on them yet. */
  'settings.stored': { by: SettingOrigin; keys: readonly string[] };
  'settings.unreadable': { file: string; line: number; detail: string };
  'provisioning.requested': { by: 'check-sync' | 'schedule' | 'lease' };
  'provisioning.started': { server: string; method: string };
  'provisioning.applied': { server: string; files: readonly string[]; changed: readonly string[]; clientCertificate: string };
  'provisioning.redirected': { from: string; to: string };
  /** User name and password went over plain HTTP, readable by all on the way. */
  'provisioning.password-exposed': { server: string; mend: string };
  'provisioning.unchanged': { server: string };
  /** A registration within this time makes the new configuration final. */
  'provisioning.confirming': { within: number };
  'provisioning.confirmed': { after: number };
  'provisioning.rolled-back': { server: string; keys: readonly string[]; detail: string; mend: string };
  'provisioning.failed': { server: string; stage: string; kind: HalErrorKind; detail: string; mend: string };
  'tls.accepted': {
    service: TlsService;
    peer: string;
    version: TlsVersion;
    suite: string;
    verified: boolean;
    subject?: string;
    anchor?: string;
    clientCertificate?: string;
    /** Where validation is off: the rule by which it would have refused the server, and why. */
    doubt?: string;
  };
  'tls.refused': {
    service: TlsService;
    peer: string;
    by: 'us' | 'peer';
    rule: TrustRule;
    subject: string;
    clock: string;
    detail: string;
    mend: string;
  };
  /** The SIP ports could not be opened. */
  'sip.failed': { kind: HalErrorKind; detail: string };
  'registration.registered': { account: string; server: string; transport: string; expires: number };
  'registration.refused': { account: string; status: number; reason: string };
  'registration.failed': { account: string; kind: HalErrorKind; retryIn: number };
  'registration.unregistered': { account: string };
  'call.incoming': { call: string; account: string; from: string };
  'call.outgoing': { call: string; account: string; to: string };
  'call.established': { call: string; peer: string; codec: string; srtp: string };
  'call.rejected': { call: string; peer: string; status: number; reason: string };
  'call.ended': { call: string; by: 'us' | 'peer'; reason: string; seconds: number };
  'media.started': { call: string; codec: string; local: string; remote: string };
  'media.secured': { call: string; suite: string };
  'media.keys-exposed': { call: string; transport: string };
  'media.first-packet': { call: string; after: number };
  'media.silent': { call: string; for: number };
  'media.resumed': { call: string; after: number };
  'media.rejected': { call: string; reason: string; packets: number };
  'media.ended': { call: string; packets: number; lost: number; rejected: number; jitter: number };
  'certs.accepted': { file: string; subject: string };
  'certs.removed': { file: string };
  /** `file` is `factory` for the factory identity; `notAfter` ISO 8601; days that are left, whole. */
  'certs.expiring': { file: string; subject: string; notAfter: string; days: number };
  'certs.expired': { file: string; subject: string; notAfter: string };
  'certs.refused': { file: string; subject?: string; rule?: TrustRule; detail: string };
  'flash.committed': { files: readonly string[] };
  'flash.failed': { detail: string };
  'relay.set': { line: string; on: boolean };
  'endpoint.status': { lines: readonly (readonly [label: string, value: string])[] };
  'endpoint.stopped': { reason: string };
  'machine.state': { machine: string; from: string; to: string; on: string };
  'machine.failed': { machine: string; detail: string };
}
export type EventName = keyof EventFields;
/** Where a setting's value comes from: default < provisioned < local. */
export type SettingOrigin = 'default' | 'provisioned' | 'local';
/** Which of our connections a TLS decision was about; certificates and policy are chosen by it. */
export type TlsService = 'provisioning' | 'sip' | 'sip-server' | 'web';

/** One event as the core reports it; the owner of the endpoint adds the run's time `t` and the device's name. */
export type EndpointEvent = { [N in EventName]: { at: number; event: N } & EventFields[N] }[EventName];

/** Reports an event at the present turn. */
export type Emit = <N extends EventName>(event: N, fields: EventFields[N]) => void;
