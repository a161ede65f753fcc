/** One step of a scenario: when, on whom, and what. */
import { isScalar } from 'yaml';
import type { EventName } from '../../core/kernel/events.js';
import { EVENT_NAMES, fieldsOf, isEventName } from './event-fields.js';
import { fileSource, serverCertificate, values } from './files.codec.js';
import { didYouMean } from './near-miss.js';
import { duration } from './quantity.js';
import {
  integer,
  object,
  objectAnd,
  oneOf,
  optional,
  parsed,
  type Reader,
  record,
  refined,
  required,
  type Source,
  text,
} from './reader.js';
import { type AnyEventName, type DeviceAction, SERVER_NAMES, type ServerAction, type Step, type When } from './scenario.js';

/** More of one event than any scenario waits for. */
const MOST = 1_000;
const nth = optional(integer(1, MOST), 'which of them, from 1; the first unless told otherwise');

const eventName: Reader<EventName> = {
  schema: { enum: EVENT_NAMES },
  read: (source) => {
    const name = text.read(source);
    if (name === undefined || isEventName(name)) return name;
    return source.problem(`there is no event "${name}"${didYouMean(name, EVENT_NAMES)}`);
  },
};

/** What a field of an event must be; numbers and truth values are compared as they are written. */
export const fieldValue: Reader<string> = parsed((value) => value, 'a value');

/** Reports fields that the event does not have. */
export function checkFields(event: AnyEventName, fields: ReadonlyMap<string, string>, source: Source): void {
  const known = fieldsOf(event);
  for (const name of fields.keys()) {
    if (!known.includes(name)) source.field(name, null, source.node).problem(`${event} has no field "${name}"${didYouMean(name, known)}`);
  }
}

type After = Extract<When, { type: 'after' }>;

const afterInFull: Reader<After> = refined(
  objectAnd({ event: required(eventName, 'name of the event'), nth }, fieldValue),
  ({ known, others }, source) => {
    checkFields(known.event, others, source);
    return { type: 'after', event: known.event, nth: known.nth ?? 1, fields: others };
  },
);

/** `after: registration.registered`, or `after: { event: link.up, nth: 2 }`. */
export const after: Reader<After> = {
  schema: { anyOf: [eventName.schema, afterInFull.schema] },
  read: (source) => {
    if (!isScalar(source.node)) return afterInFull.read(source);
    const event = eventName.read(source);
    return event && { type: 'after', event, nth: 1, fields: new Map() };
  },
};

const forSomeTime = (about: string) => ({ for: required(duration, about) });
const page = object({ from: required(text, 'name of the caller'), ...forSomeTime('how long it speaks') });
const cut = object({
  link: optional(text, 'whose link; that of the server or device unless told otherwise'),
  ...forSomeTime('then it is whole again'),
});
const CHECK_SYNC = { 'check-sync': {}, 'check-sync;reboot=true': { reboot: true }, 'check-sync;reboot=false': { reboot: false } } as const;
const notify = oneOf('check-sync', 'check-sync;reboot=true', 'check-sync;reboot=false');

const fields = object({
  at: optional(duration, 'from the beginning of the run'),
  after: optional(after, 'an event of the device'),
  sent: optional(text, 'a SIP method: after the device has sent such a request'),
  nth,
  device: optional(text, 'name of a device, or of a group: then each of its devices'),
  server: optional(oneOf(...SERVER_NAMES), 'name of a server'),
  over: optional(duration, 'the devices of a group one after another, evenly within this time; all at once unless told otherwise'),
  power: optional(oneOf('on', 'off'), 'switches the device on, or off without warning'),
  page: optional(page, 'a caller calls the device'),
  cut: optional(cut, 'a link is cut for a while'),
  put: optional(record(fileSource), 'files put on the running device, by path'),
  reset: optional(oneOf('factory'), 'the device goes back to what it was when it left the factory'),
  notify: optional(notify, 'the SIP server tells the device to look for a new configuration'),
  stop: optional(object(forSomeTime('then it serves again')), 'the server refuses what comes, for a while'),
  certificate: optional(serverCertificate, 'the server starts anew with this certificate'),
  serves: optional(record(values), 'settings in place of those that the server gave before, by device, group or file'),
});

type Fields = NonNullable<ReturnType<typeof fields.read>>;

export const step: Reader<Step> = refined(fields, (value, source) => {
  const { device, server, over = 0 } = value;
  const whens = whensOf(value);
  const [onDevice, onServer] = [deviceActions(value), serverActions(value)];
  const [when, action] = [whens[0], onDevice[0] ?? onServer[0]];
  if (!when || whens.length > 1) return source.problem('a step has one of at, after and sent');
  if (!action || onDevice.length + onServer.length > 1) return source.problem(`a step has one of ${ACTIONS.join(', ')}`);
  if (device === undefined && when.type !== 'at') return source.problem('device is missing: whose event is waited for');
  if (device === undefined && onDevice.length > 0 && action.type !== 'cut')
    return source.problem('device is missing: on which device this is done');
  if (server === undefined && onServer.length > 0) return source.problem('server is missing: which server does this');
  return { when, ...(device === undefined ? {} : { device }), ...(server === undefined ? {} : { server }), over, action };
});

const ACTIONS = ['power', 'page', 'cut', 'put', 'reset', 'notify', 'stop', 'certificate', 'serves'] as const satisfies (keyof Fields)[];

const whensOf = ({ at, after, sent, nth = 1 }: Fields): When[] =>
  present<When>([at !== undefined && { type: 'at', at }, after, sent !== undefined && { type: 'sent', method: sent, nth }]);

const deviceActions = ({ power, page, cut, put, reset, notify, server, device }: Fields): DeviceAction[] =>
  present<DeviceAction>([
    power !== undefined && { type: 'power', on: power === 'on' },
    page && { type: 'page', ...page },
    cut && { type: 'cut', link: cut.link ?? server ?? device ?? '', for: cut.for },
    put && { type: 'put', files: put },
    reset && { type: 'factory-reset' },
    notify && { type: 'check-sync', ...CHECK_SYNC[notify] },
  ]);

const serverActions = ({ stop, certificate, serves }: Fields): ServerAction[] =>
  present<ServerAction>([
    stop && { type: 'stop', for: stop.for },
    certificate && { type: 'certificate', certificate },
    serves && { type: 'serves', files: serves },
  ]);

const present = <T>(candidates: readonly (T | false | undefined)[]): T[] =>
  candidates.filter((candidate): candidate is T => candidate !== false && candidate !== undefined);
