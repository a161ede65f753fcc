/** Writes down what a stream delivers. */
import type { ByteStream, StreamEvent } from '../../hal/hal.js';
import { until } from '../conformance/real-bench.js';

export interface Recorder {
  events: StreamEvent[];
  types(): string[];
  text(): string;
  closed(): Promise<Extract<StreamEvent, { type: 'closed' }>>;
  opened(): Promise<Extract<StreamEvent, { type: 'open' }>>;
  received(text: string): Promise<void>;
}

const PATIENCE = 5_000_000;

export function record(stream: ByteStream, also?: (event: StreamEvent) => void): Recorder {
  const events: StreamEvent[] = [];
  stream.onEvent((event) => {
    events.push(event);
    also?.(event);
  });
  const find = <T extends StreamEvent['type']>(type: T): Promise<Extract<StreamEvent, { type: T }>> =>
    until(type, () => events.find((event): event is Extract<StreamEvent, { type: T }> => event.type === type), PATIENCE);
  const text = (): string => events.map((event) => (event.type === 'data' ? Buffer.from(event.bytes).toString() : '')).join('');
  return {
    events,
    text,
    types: () => events.map(({ type }) => type),
    closed: () => find('closed'),
    opened: () => find('open'),
    received: async (wanted) => void (await until(`data ${wanted}`, () => (text() === wanted ? true : undefined), PATIENCE)),
  };
}
