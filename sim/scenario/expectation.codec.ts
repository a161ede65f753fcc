/** One expectation of a scenario: an event, the absence of one, or what was heard. */
import { isMap } from 'yaml';
import { duration, frequency, share } from './quantity.js';
import { object, objectAnd, optional, type Reader, refined, required, text } from './reader.js';
import type { Expectation } from './scenario.js';
import { after, checkFields, eventName, fieldValue } from './step.codec.js';
import { durationText, shareText } from './units.js';

/** A tone heard through G.711 and a loss-free network keeps more; what is asked for unless told otherwise (issue "One secure page", point 4). */
const SHARE = 0.9;
/** Nothing of the tone's time may be silent unless told otherwise, but for the jitter buffer's first filling. */
const SILENT = 0.05;

const device = optional(text, 'name of the device; any of them unless told otherwise');

const event: Reader<Expectation> = refined(
  objectAnd(
    {
      event: required(eventName, 'an event that must happen'),
      device,
      within: optional(duration, 'from the beginning of the run, or from the event named by after'),
      after: optional(after, 'an event that must have happened before'),
    },
    fieldValue,
  ),
  ({ known, others }, source) => {
    checkFields(known.event, others, source);
    return { type: 'event', ...known, fields: others, text: `${words(known.event, others)}${within(known)}` };
  },
);

const not: Reader<Expectation> = refined(
  objectAnd({ not: required(eventName, 'an event that must not happen'), device }, fieldValue),
  ({ known: { not: name, ...rest }, others }, source) => {
    checkFields(name, others, source);
    return { type: 'not', event: name, ...rest, fields: others, text: `no ${words(name, others)}` };
  },
);

const heard: Reader<Expectation> = refined(
  object({
    heard: required(frequency, 'a tone that the loudspeaker must play'),
    device: required(text, 'name of the device'),
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

export const expectation: Reader<Expectation> = {
  schema: { anyOf: [event.schema, not.schema, heard.schema] },
  read: (source) => {
    const { node } = source;
    const kind = isMap(node) ? ([event, not, heard] as const)[['event', 'not', 'heard'].findIndex((name) => node.has(name))] : undefined;
    return kind ? kind.read(source) : source.problem('an expectation has one of event, not and heard');
  },
};

const words = (name: string, fields: ReadonlyMap<string, string>): string =>
  [name, ...Array.from(fields, ([field, value]) => `${field} ${value}`)].join(' ');

const within = (known: { within?: number; after?: { event: string; nth: number } }): string => {
  const since = known.after ? ` of ${known.after.event}${known.after.nth > 1 ? ` no. ${known.after.nth}` : ''}` : '';
  if (known.within === undefined) return known.after ? `, after${since.slice(3)}` : '';
  return ` within ${durationText(known.within)}${since}`;
};
