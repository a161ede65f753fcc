/** Names and fields of events, where a scenario's words are checked against them. The compiler keeps it complete. */
import type { EventFields, EventName } from '../../core/kernel/events.js';

type FieldOf<N extends EventName> = Extract<AllKeys<EventFields[N]>, string>;
type AllKeys<T> = T extends unknown ? keyof T : never;

export const EVENT_FIELDS: { readonly [N in EventName]: readonly FieldOf<N>[] } = {
  'boot.ready': ['board', 'firmware', 'reason'],
  'link.up': [],
  'link.down': [],
  'lease.acquired': ['address', 'gateway', 'dns', 'options'],
  'time.set': ['source', 'trust'],
  'time.failed': ['source', 'kind', 'detail', 'retryIn'],
  'identity.mismatch': ['nic', 'factory'],
  'settings.changed': ['by', 'keys'],
  'settings.refused': ['key', 'value', 'board', 'firmware', 'detail', 'mend'],
  'settings.unreadable': ['file', 'line', 'detail'],
  'provisioning.started': ['server', 'method'],
  'provisioning.applied': ['server', 'files', 'changed', 'clientCertificate'],
  'provisioning.unchanged': ['server'],
  'provisioning.failed': ['server', 'stage', 'kind', 'detail', 'mend'],
  'tls.accepted': ['service', 'peer', 'version', 'suite', 'verified', 'subject', 'anchor', 'clientCertificate'],
  'tls.refused': ['service', 'peer', 'by', 'rule', 'subject', 'clock', 'detail', 'mend'],
  'sip.failed': ['kind', 'detail'],
  'registration.registered': ['account', 'server', 'transport', 'expires'],
  'registration.refused': ['account', 'status', 'reason'],
  'registration.failed': ['account', 'kind', 'retryIn'],
  'registration.unregistered': ['account'],
  'call.incoming': ['call', 'account', 'from'],
  'call.outgoing': ['call', 'account', 'to'],
  'call.established': ['call', 'peer', 'codec', 'srtp'],
  'call.rejected': ['call', 'peer', 'status', 'reason'],
  'call.ended': ['call', 'by', 'reason', 'seconds'],
  'media.started': ['call', 'codec', 'local', 'remote'],
  'media.secured': ['call', 'suite'],
  'media.keys-exposed': ['call', 'transport'],
  'media.first-packet': ['call'],
  'media.silent': ['call', 'for'],
  'media.resumed': ['call'],
  'media.rejected': ['call', 'reason', 'packets'],
  'media.ended': ['call', 'packets', 'lost', 'rejected', 'jitter'],
  'certs.accepted': ['file', 'subject'],
  'certs.refused': ['file', 'subject', 'rule', 'detail'],
  'flash.committed': ['files'],
  'flash.failed': ['detail'],
  'relay.set': ['line', 'on'],
  'endpoint.status': ['lines'],
  'endpoint.stopped': ['reason'],
  'machine.state': ['machine', 'from', 'to', 'on'],
  'machine.failed': ['machine', 'detail'],
};

export const EVENT_NAMES = Object.keys(EVENT_FIELDS) as readonly EventName[];
export const isEventName = (name: string): name is EventName => Object.hasOwn(EVENT_FIELDS, name);
