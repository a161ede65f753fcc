/** The firmware on bad networks and on other boards: many seeds of each, with the spread of what came of them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nodePlatform } from '../../hal/node/index.js';
import { sounding, soundReport, toneShare } from '../../sim/artefacts/sound.js';
import type { TimelineEvent } from '../../sim/artefacts/timeline.js';
import { runScenario, type ScenarioResult } from '../../sim/scenario/runner.js';
import { decodeScenario } from '../../sim/scenario/scenario.codec.js';
import { summarize } from '../../sim/scenario/summary.js';

const platform = nodePlatform();
const SEEDS = Array.from({ length: 10 }, (_, i) => i + 1);
const SECOND = 1e6;

const yaml = (name: string): string => readFileSync(new URL(`../../sim/scenarios/${name}.yaml`, import.meta.url), 'utf8');

function read(text: string) {
  const scenario = decodeScenario(text);
  if (!scenario.ok) throw new Error(JSON.stringify(scenario.error));
  return scenario.value;
}

/** A run that must be good. */
async function good(text: string, seed: number): Promise<ScenarioResult> {
  const result = await runScenario(read(text), { seed, platform });
  const bad = result.verdicts.filter(({ ok }) => !ok);
  expect(bad.map(({ expected, seen }) => `seed ${seed}: ${expected}: ${seen}`)).toEqual([]);
  return result;
}

/** The text with one place changed, which must be there once. */
function changed(text: string, from: string, to: string): string {
  expect(text.split(from)).toHaveLength(2);
  return text.replace(from, to);
}

const spread = (values: readonly number[]): string => `${Math.min(...values).toFixed(3)} to ${Math.max(...values).toFixed(3)}`;
const times = (events: readonly TimelineEvent[], name: string): number[] => events.filter(({ event }) => event === name).map(({ t }) => t);

it('plays a page over links that lose one frame in twenty and delay each by up to 30 ms', async () => {
  const runs: { dropped: number; share: number; silent: number; seconds: number }[] = [];
  for (const seed of SEEDS) {
    const result = await good(yaml('lossy-page'), seed);
    const speaker = result.speakers.get('lobby')!;
    const dropped = result.links.reduce((sum, { up, down }) => sum + up.dropped + down.dropped, 0);
    const { silent, seconds } = soundReport(speaker);
    runs.push({ dropped, silent, seconds, share: toneShare(sounding(speaker), 1000) });
    const links = summarize(read(yaml('lossy-page')), result).filter(([label]) => label.startsWith('link '));
    expect(links).toHaveLength(result.links.length);
  }
  for (const key of ['dropped', 'share', 'silent', 'seconds'] as const) console.log(`${key}: ${spread(runs.map((run) => run[key]))}`);
  expect(Math.min(...runs.map(({ dropped }) => dropped))).toBeGreaterThan(50);
  expect(Math.min(...runs.map(({ share }) => share))).toBeGreaterThanOrEqual(0.9);
  expect(Math.max(...runs.map(({ silent }) => silent))).toBeLessThanOrEqual(0.08);
});

describe('a link cut for 10 s', () => {
  const text = yaml('link-cut');
  const CUT = '{ sent: REGISTER, device: lobby, cut: { for: 10s } }';
  /** The scenario's own expectations speak of the device's own link. */
  const withoutLinkEvents = (changedText: string): string =>
    changedText
      .split('\n')
      .filter((line) => !line.includes('link.down') && !line.includes('link.up'))
      .join('\n');

  it.each([
    ['right after the first REGISTER left', CUT],
    ['right after the REGISTER with credentials left', '{ sent: REGISTER, nth: 2, device: lobby, cut: { for: 10s } }'],
    ["at the server's end, right after REGISTER left", '{ sent: REGISTER, device: lobby, cut: { link: sip, for: 10s } }'],
    ['while the connection is made', '{ at: 62ms, device: lobby, cut: { for: 10s } }'],
  ])('%s: registered within 35 s of its return, without a reboot', async (_when, step) => {
    const test = step.includes('link: sip') ? withoutLinkEvents(changed(text, CUT, step)) : changed(text, CUT, step);
    const waited: number[] = [];
    for (const seed of SEEDS) {
      const { events } = (await good(test, seed)).timeline;
      const [registered] = times(events, 'registration.registered');
      // The cut begins within the first tenth of a second, at either end.
      const returned = times(events, 'link.up')[1] ?? 10.1 * SECOND;
      waited.push((registered! - returned) / SECOND);
      expect(times(events, 'boot.ready')).toHaveLength(1);
    }
    console.log(`registered after: ${spread(waited)} s`);
    expect(Math.max(...waited)).toBeLessThan(35);
  });

  it('when the device has long been registered: it can still be called', async () => {
    const later = changed(text, CUT, '{ at: 30s, device: lobby, cut: { for: 10s } }');
    const paged = changed(later, '{ after: registration.registered, device: lobby, page', '{ at: 45s, device: lobby, page');
    for (const seed of SEEDS)
      await good(
        changed(paged, '  - { event: registration.registered, device: lobby, after: { event: link.up, nth: 2 }, within: 35s }\n', ''),
        seed,
      );
  });
});

describe('another board', () => {
  it.each([
    ['8301', 'secure-page'],
    ['8301', 'clear-page'],
    ['8301', 'lossy-page'],
    ['8301', 'link-cut'],
    // Without TLS.
    ['8180-g1', 'clear-page'],
    ['8028-g1', 'clear-page'],
  ])('%s: %s', async (board, name) => {
    await good(changed(yaml(name), 'board: 8180-g2', `board: "${board}"`).replace(/^ +firmware: .*\n/m, ''), 1);
  });
});
