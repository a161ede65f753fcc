/** Every event that an endpoint reports, with its fields in the order in which they are written. README documents them as stable. */
import type { ClockTrust, HalErrorKind, IpAddress, MacAddress, TlsVersion, TrustRule } from '../../hal/hal.js';

/** Times and durations are integers in µs unless the name says otherwise. */
export interface EventFields {
  'boot.ready': { board: string; firmware: string; reason: string };
  'link.up': Record<never, never>;
  'link.down': Record<never, never>;
  'lease.acquired': { address: IpAddress; gateway?: IpAddress; dns: readonly IpAddress[]; options: Readonly<Record<string, string>> };
  'time.set': { source: 'rtc' | 'sntp'; trust: ClockTrust };
  'time.failed': { source: 'sntp'; kind: HalErrorKind; detail: string; retryIn: number };
  'identity.mismatch': { nic: MacAddress; factory: MacAddress };
  'settings.changed': { by: SettingOrigin; keys: readonly string[] };
  'settings.refused': { key: string; value: string; board: string; firmware: string; detail: string; mend: string };
  'settings.unreadable': { file: string; line: number; detail: string };
  'provisioning.started': { server: string; method: string };
  'provisioning.applied': { server: string; files: readonly string[]; changed: readonly string[]; clientCertificate: string };
  'provisioning.unchanged': { server: string };
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
