/** One step of a scenario: when, and what. */

import { isScalar } from 'yaml';
import type { EventName } from '../../core/kernel/events.js';
import { EVENT_FIELDS, EVENT_NAMES, isEventName } from './event-fields.js';
import { didYouMean } from './near-miss.js';
import { duration } from './quantity.js';
import { integer, object, objectAnd, oneOf, optional, parsed, type Reader, refined, required, type Source, text } from './reader.js';
import type { Action, Step, When } from './scenario.js';

/** More of one event than any scenario waits for. */
const MOST = 1_000;
const nth = optional(integer(1, MOST), 'which of them, from 1; the first unless told otherwise');

export const eventName: Reader<EventName> = {
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
export function checkFields(event: EventName, fields: ReadonlyMap<string, string>, source: Source): void {
  const known: readonly string[] = EVENT_FIELDS[event];
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

const page = object({ from: required(text, 'name of the caller'), for: required(duration, 'how long it speaks') });
const cut = object({
  link: optional(text, "whose link; the device's unless told otherwise"),
  for: required(duration, 'then it is whole again'),
});

export const step: Reader<Step> = refined(
  object({
    at: optional(duration, 'from the beginning of the run'),
    after: optional(after, 'an event of the device'),
    sent: optional(text, 'a SIP method: after the device has sent such a request'),
    nth,
    device: required(text, 'name of the device'),
    power: optional(oneOf('on', 'off'), 'switches the device on, or off without warning'),
    page: optional(page, 'a caller calls the device'),
    cut: optional(cut, 'a link is cut for a while'),
  }),
  (value, source) => {
    const whens = present<When>([
      value.at !== undefined && { type: 'at', at: value.at },
      value.after,
      value.sent !== undefined && { type: 'sent', method: value.sent, nth: value.nth ?? 1 },
    ]);
    const actions = present<Action>([
      value.power !== undefined && { type: 'power', on: value.power === 'on' },
      value.page && { type: 'page', ...value.page },
      value.cut && { type: 'cut', link: value.cut.link ?? value.device, for: value.cut.for },
    ]);
    const [when, action] = [whens[0], actions[0]];
    if (!when || whens.length > 1) return source.problem('a step has one of at, after and sent');
    if (!action || actions.length > 1) return source.problem('a step has one of power, page and cut');
    return { when, device: value.device, action };
  },
);

const present = <T>(candidates: readonly (T | false | undefined)[]): T[] =>
  candidates.filter((candidate): candidate is T => candidate !== false && candidate !== undefined);
