/** Writes down what a port delivers, and in which order. */
import { concat, fromUtf8 } from '../base/bytes.js';
import type { ByteStream, HalError, Micros, StreamEvent } from '../hal.js';
import { type Bench, check, PATIENCE } from './bench.js';

export interface Watched {
  readonly events: readonly StreamEvent[];
  /** `open data writable end closed`, with neighbours of one type as one, and `writable` left out. */
  order(): string;
  text(): string;
  until<T extends StreamEvent['type']>(type: T): Promise<Extract<StreamEvent, { type: T }>>;
  untilText(text: string): Promise<void>;
  /** Why it closed. */
  failure(): Promise<HalError | undefined>;
}

/** Takes the stream's listener. `also` runs inside each delivery. */
export function watch(stream: ByteStream, bench: Bench, also?: (event: StreamEvent) => void): Watched {
  const events: StreamEvent[] = [];
  // Kept for the case: a listener that throws would end the binding instead.
  const faults: string[] = [];
  let calling = false;
  let last: Micros = 0;
  stream.onEvent((event) => {
    if (calling) faults.push(`${event.type} came during another delivery`);
    if (event.at < last) faults.push(`${event.type} is stamped ${event.at}, after ${last}`);
    last = event.at;
    events.push(event);
    calling = true;
    also?.(event);
    calling = false;
  });
  const text = (): string => fromUtf8(concat(...events.map((event) => (event.type === 'data' ? event.bytes : new Uint8Array(0)))));
  const until: Watched['until'] = async (type) => {
    const event = await bench.until(`event ${type}`, () => events.find(isType(type)), PATIENCE);
    check(faults.length === 0, faults.join(', '));
    return event;
  };
  return {
    events,
    order: () => {
      const types = events.map(({ type }) => type).filter((type) => type !== 'writable');
      return types.filter((type, i) => type !== types[i - 1]).join(' ');
    },
    text,
    until,
    untilText: async (wanted) => {
      await bench.until(`text ${wanted}`, () => (text() === wanted ? true : undefined), PATIENCE);
    },
    failure: async () => (await until('closed')).error,
  };
}

const isType =
  <T extends StreamEvent['type']>(type: T) =>
  (event: StreamEvent): event is Extract<StreamEvent, { type: T }> =>
    event.type === type;
