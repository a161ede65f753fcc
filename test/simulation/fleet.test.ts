/** Groups of devices: what a fleet costs its server, and that a run of many is as exact as a run of one. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nodePlatform } from '../../hal/node/index.js';
import { runScenario, type ScenarioResult } from '../../sim/scenario/runner.js';
import { decodeScenario } from '../../sim/scenario/scenario.codec.js';
import { summarize } from '../../sim/scenario/summary.js';

const platform = nodePlatform();
const MINUTES = 10 * 60_000;

function read(name: string, ...sets: readonly (readonly [path: string, value: string])[]) {
  const yaml = readFileSync(new URL(`../../sim/scenarios/${name}.yaml`, import.meta.url), 'utf8');
  const scenario = decodeScenario(
    yaml,
    sets.map(([path, value]) => ({ path, value })),
  );
  if (!scenario.ok) throw new Error(JSON.stringify(scenario.error));
  return scenario.value;
}

const verdicts = (result: ScenarioResult): string[] =>
  result.verdicts.map(({ ok, expected, seen }) => `${ok ? 'ok' : 'BAD'} ${expected}: ${seen}`);
const bad = (result: ScenarioResult): string[] => verdicts(result).filter((line) => line.startsWith('BAD'));
const times = ({ timeline }: ScenarioResult, name: string): number[] =>
  timeline.events.filter(({ event }) => event === name).map(({ t }) => t / 1e6);

describe('200 devices whose server comes back after half an hour', () => {
  it(
    'never ask it more than 20 times in a second, and 190 are provisioned within 5 minutes',
    async () => {
      const scenario = read('fleet-return');
      const began = performance.now();
      const result = await runScenario(scenario, { seed: 1, platform });
      console.log(verdicts(result).join('\n'), `\n${((performance.now() - began) / 1000).toFixed(1)} s`);
      expect(bad(result)).toEqual([]);
      // Counted anew, beside what the scenario's own judge says.
      const requests = times(result, 'server.request');
      expect(requests.length).toBeGreaterThanOrEqual(200);
      expect(Math.min(...requests)).toBeGreaterThan(1800);
      const most = Math.max(...requests.map((t) => requests.filter((other) => other >= t && other < t + 1).length));
      expect(most).toBeLessThanOrEqual(20);
      const applied = times(result, 'provisioning.applied');
      expect(applied.filter((t) => t <= 2100).length).toBeGreaterThanOrEqual(190);
      // And a person can read what came of it.
      expect(result.watched).toHaveLength(8);
      expect(summarize(scenario, result).length).toBeLessThan(20);
      expect(result.plots).toHaveLength(1);
      expect(result.report({ file: 'capture.pcapng', withKeys: true }).length).toBeLessThan(4e6);
    },
    MINUTES,
  );

  it(
    'are the same run again with the same seed, event by event, and another with another',
    async () => {
      const scenario = read('fleet-return', ['devices.unit.count', '25']);
      const run = async (seed: number): Promise<string> => (await runScenario(scenario, { seed, platform })).timeline.jsonLines();
      const first = await run(3);
      expect(first.length).toBeGreaterThan(100_000);
      expect((await run(3)) === first).toBe(true);
      expect((await run(4)) === first).toBe(false);
    },
    MINUTES,
  );
});

it(
  'a bad configuration for many: each goes back to the good one, and none takes the bad one again',
  async () => {
    const result = await runScenario(read('bad-configuration'), { seed: 1, platform });
    console.log(verdicts(result).join('\n'));
    expect(bad(result)).toEqual([]);
    expect(times(result, 'provisioning.rolled-back')).toHaveLength(50);
  },
  MINUTES,
);
