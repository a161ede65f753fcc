/** One expectation of a scenario: an event, the absence of one, how many in a time, or what was heard. */
import { isMap } from 'yaml';
import { EVENT_NAMES, isEventName, isPeerEventName, PEER_EVENT_NAMES } from './event-fields.js';
import { didYouMean } from './near-miss.js';
import { duration, frequency, share } from './quantity.js';
import { integer, object, objectAnd, oneOf, optional, type Reader, refined, required, text } from './reader.js';
import { type AnyEventName, type EventExpectation, type Expectation, SERVER_NAMES } from './scenario.js';
import { after, checkFields, fieldValue } from './step.codec.js';
import { durationText, shareText } from './units.js';

/** A tone heard through G.711 and a loss-free network keeps more; what is asked for unless told otherwise (issue "One secure page", point 4). */
const SHARE = 0.9;
/** Nothing of the tone's time may be silent unless told otherwise, but for the jitter buffer's first filling. */
const SILENT = 0.05;
/** More of one event in a time than any scenario allows. */
const MOST = 1_000_000;

const NAMES = [...EVENT_NAMES, ...PEER_EVENT_NAMES];
const eventName: Reader<AnyEventName> = {
  schema: { enum: NAMES },
  read: (source) => {
    const name = text.read(source);
    if (name === undefined || isEventName(name) || isPeerEventName(name)) return name;
    return source.problem(`there is no event "${name}"${didYouMean(name, NAMES)}`);
  },
};

const whose = {
  device: optional(text, 'name of a device, or of a group: then each of its devices; any device unless told otherwise'),
  server: optional(oneOf(...SERVER_NAMES), 'name of the server whose event it is'),
};
const since = optional(duration, 'what was before that does not count');

const event: Reader<Expectation> = refined(
  objectAnd(
    {
      event: required(eventName, 'an event that must happen'),
      ...whose,
      since,
      after: optional(after, 'an event that must have happened before'),
      within: optional(duration, 'from the beginning of the run, or from since or after'),
      share: optional(share, 'at least this share of the devices of a group; all of them unless told otherwise'),
    },
    fieldValue,
  ),
  ({ known: { since: from = 0, share: least = 1, ...known }, others }, source) => {
    checkFields(known.event, others, source);
    const expected = { type: 'event', ...known, fields: others, since: from, share: least } as const;
    return { ...expected, text: `${words(known.event, others)}${within(expected)}` };
  },
);

const not: Reader<Expectation> = refined(
  objectAnd(
    {
      not: required(eventName, 'an event that must not happen'),
      ...whose,
      since,
      until: optional(duration, 'what comes later does not count'),
    },
    fieldValue,
  ),
  ({ known: { not: name, since: from = 0, ...rest }, others }, source) => {
    checkFields(name, others, source);
    const times = [from > 0 && ` after ${durationText(from)}`, rest.until !== undefined && ` before ${durationText(rest.until)}`];
    const text = `no ${words(name, others)}${times.filter(Boolean).join('')}`;
    return { type: 'not', event: name, ...rest, fields: others, since: from, text };
  },
);

const rate: Reader<Expectation> = refined(
  objectAnd(
    {
      rate: required(eventName, 'an event that must not happen too often'),
      ...whose,
      most: required(integer(0, MOST), 'how often at most'),
      per: required(duration, 'in any time that long'),
    },
    fieldValue,
  ),
  ({ known: { rate: name, ...rest }, others }, source) => {
    checkFields(name, others, source);
    const text = `${words(name, others)} never more than ${rest.most} times in ${durationText(rest.per)}`;
    return { type: 'rate', event: name, ...rest, fields: others, text };
  },
);

const heard: Reader<Expectation> = refined(
  object({
    heard: required(frequency, 'a tone that the loudspeaker must play'),
    device: required(text, 'name of the device, or of a group: then each of its devices'),
    for: required(duration, 'at least so long'),
    share: optional(share, "at least this share of the page's energy; 90% unless told otherwise"),
    silent: optional(share, 'at most this share of the page may be silent; 5% unless told otherwise'),
  }),
  ({ heard: tone, share: least = SHARE, silent = SILENT, ...rest }) => ({
    type: 'heard',
    tone,
    share: least,
    silent,
    ...rest,
    text: `${tone} Hz heard for ${durationText(rest.for)}, ${shareText(least)} of the energy, at most ${shareText(silent)} silent`,
  }),
);

const KINDS = { event, not, rate, heard } as const;

export const expectation: Reader<Expectation> = {
  schema: { anyOf: Object.values(KINDS).map(({ schema }) => schema) },
  read: (source) => {
    const { node } = source;
    const kind = isMap(node) ? Object.entries(KINDS).find(([name]) => node.has(name))?.[1] : undefined;
    return kind ? kind.read(source) : source.problem(`an expectation has one of ${Object.keys(KINDS).join(', ')}`);
  },
};

const words = (name: string, fields: ReadonlyMap<string, string>): string =>
  [name, ...Array.from(fields, ([field, value]) => `${field} ${value === '' ? '""' : value}`)].join(' ');

/** ` within 10 s of link.up no. 2, for 95 % of them` */
function within({ within: time, after: first, since: from, share: least }: EventExpectation): string {
  const nth = first && first.nth > 1 ? ` no. ${first.nth}` : '';
  const beginning = first ? `${first.event}${nth}` : from > 0 ? durationText(from) : undefined;
  const when = time === undefined ? '' : ` within ${durationText(time)}`;
  const since = beginning === undefined ? '' : time === undefined ? `, after ${beginning}` : ` ${first ? 'of' : 'after'} ${beginning}`;
  return `${when}${since}${least < 1 ? `, for ${shareText(least)} of them` : ''}`;
}
