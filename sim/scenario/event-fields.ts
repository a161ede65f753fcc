/** Names and fields of events, where a scenario's words are checked against them. The compiler keeps it complete. */
import type { EventFields, EventName } from '../../core/kernel/events.js';
import type { PeerEventFields, PeerEventName } from '../peers/peer-events.js';

type FieldOf<F> = Extract<AllKeys<F>, string>;
type AllKeys<T> = T extends unknown ? keyof T : never;

export const EVENT_FIELDS: { readonly [N in EventName]: readonly FieldOf<EventFields[N]>[] } = {
  'boot.ready': ['board', 'firmware', 'reason'],
  'firmware.changed': ['from', 'to'],
  'system.reboot': ['why'],
  'device.reset': ['erased'],
  'link.up': [],
  'link.down': [],
  'lease.acquired': ['address', 'gateway', 'dns', 'options'],
  'time.set': ['source', 'trust', 'clock'],
  'time.failed': ['source', 'kind', 'detail', 'mend', 'retryIn'],
  'identity.mismatch': ['nic', 'factory'],
  'settings.changed': ['by', 'keys'],
  'settings.refused': ['key', 'value', 'board', 'firmware', 'detail', 'mend'],
  'settings.unknown': ['by', 'keys', 'detail'],
  'settings.stored': ['by', 'keys'],
  'settings.unreadable': ['file', 'line', 'detail'],
  'provisioning.requested': ['by'],
  'provisioning.started': ['server', 'method'],
  'provisioning.applied': ['server', 'files', 'changed', 'clientCertificate'],
  'provisioning.redirected': ['from', 'to'],
  'provisioning.password-exposed': ['server', 'mend'],
  'provisioning.unchanged': ['server'],
  'provisioning.confirming': ['within'],
  'provisioning.confirmed': ['after'],
  'provisioning.rolled-back': ['server', 'keys', 'detail', 'mend'],
  'provisioning.failed': ['server', 'stage', 'kind', 'detail', 'mend'],
  'tls.accepted': ['service', 'peer', 'version', 'suite', 'verified', 'subject', 'anchor', 'clientCertificate', 'doubt'],
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
  'certs.removed': ['file'],
  'certs.expiring': ['file', 'subject', 'notAfter', 'days'],
  'certs.expired': ['file', 'subject', 'notAfter'],
  'certs.refused': ['file', 'subject', 'rule', 'detail'],
  'flash.committed': ['files'],
  'flash.failed': ['detail'],
  'relay.set': ['line', 'on'],
  'endpoint.status': ['lines'],
  'endpoint.stopped': ['reason'],
  'machine.state': ['machine', 'from', 'to', 'on'],
  'machine.failed': ['machine', 'detail'],
};

export const PEER_EVENT_FIELDS: { readonly [N in PeerEventName]: readonly FieldOf<PeerEventFields[N]>[] } = {
  'server.leased': ['address', 'mac'],
  'server.request': ['method', 'target', 'status', 'clientCN', 'clientSubject'],
  'server.refused': ['account', 'detail'],
  'server.registered': ['account', 'contact', 'expires', 'clientCN'],
  'server.unregistered': ['account'],
  'server.notified': ['account', 'status', 'kind'],
  'caller.calling': ['to'],
  'caller.rejected': ['to', 'status', 'reason'],
  'caller.established': ['to', 'codec', 'srtp'],
  'caller.ended': ['to', 'by', 'sent', 'received'],
  'caller.failed': ['to', 'kind'],
};

export const EVENT_NAMES = Object.keys(EVENT_FIELDS) as readonly EventName[];
export const PEER_EVENT_NAMES = Object.keys(PEER_EVENT_FIELDS) as readonly PeerEventName[];
export const isEventName = (name: string): name is EventName => Object.hasOwn(EVENT_FIELDS, name);
export const isPeerEventName = (name: string): name is PeerEventName => Object.hasOwn(PEER_EVENT_FIELDS, name);
/** Names of what an event says. */
export const fieldsOf = (event: EventName | PeerEventName): readonly string[] =>
  isEventName(event) ? EVENT_FIELDS[event] : PEER_EVENT_FIELDS[event];
