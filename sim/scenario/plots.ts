/** What a scenario's limits on rates look like: one drawing for each. */
import type { RatePlot } from '../artefacts/rate-plot.js';
import type { TimelineEvent } from '../artefacts/timeline.js';
import { matches } from './judge.js';
import { type Expectation, type Scenario, unitsOf } from './scenario.js';

type RateExpectation = Extract<Expectation, { type: 'rate' }>;
type GroupExpectation = Extract<Expectation, { type: 'event' }> & { device: string };

/** Beside each rate stands the first thing that the scenario expects of a share of a group: what the rate is the price of. */
export function ratePlots(scenario: Scenario, events: readonly TimelineEvent[]): RatePlot[] {
  const rates = scenario.expect.filter((expected): expected is RateExpectation => expected.type === 'rate');
  const goal = scenario.expect.find(
    (expected): expected is GroupExpectation =>
      expected.type === 'event' && expected.share < 1 && scenario.groups.has(expected.device ?? ''),
  );
  const hosts = new Map(Array.from(scenario.devices, ([name, { mac }]) => [name, mac]));
  const of = (name: string): ReadonlySet<string> => new Set(unitsOf(scenario, name).map((unit) => hosts.get(unit) ?? unit));
  return rates.map((rate) => {
    const whose = rate.server ?? rate.device;
    const counted = whose === undefined ? undefined : of(whose);
    const times = events.filter((event) => (counted?.has(event.device) ?? true) && matches(rate, event)).map(({ t }) => t);
    return {
      title: scenario.name,
      what: whose === undefined ? rate.event : `${rate.event} of ${whose}`,
      times,
      most: rate.most,
      per: rate.per,
      ...(goal ? { progress: progressOf(goal, of(goal.device), events) } : {}),
    };
  });
}

function progressOf(
  goal: GroupExpectation,
  macs: ReadonlySet<string>,
  events: readonly TimelineEvent[],
): NonNullable<RatePlot['progress']> {
  const first = new Map<string, number>();
  for (const event of events)
    if (macs.has(event.device) && event.t >= goal.since && !first.has(event.device) && matches(goal, event))
      first.set(event.device, event.t);
  const { event: what, share, since, within } = goal;
  return { what, times: [...first.values()], total: macs.size, share, since, ...(within === undefined ? {} : { within }) };
}
