/** Whole runs, with real TLS in virtual time. What they leave behind is judged as a stranger would judge it. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nodePlatform } from '../../hal/node/index.js';
import { toneShare } from '../../sim/artefacts/sound.js';
import { type RunOptions, runScenario, type ScenarioResult } from '../../sim/scenario/runner.js';
import { decodeScenario } from '../../sim/scenario/scenario.codec.js';
import { summarize, troubles } from '../../sim/scenario/summary.js';
import { frameTable } from '../support/captured.js';

const platform = nodePlatform();
const yaml = (name: string): string => readFileSync(new URL(`../../sim/scenarios/${name}.yaml`, import.meta.url), 'utf8');

function scenario(name: string, ...sets: string[]) {
  const overrides = sets.map((set) => ({ path: set.slice(0, set.indexOf('=')), value: set.slice(set.indexOf('=') + 1) }));
  const read = decodeScenario(yaml(name), overrides);
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  return read.value;
}

const run = (name: string, sets: readonly string[] = [], options: Partial<RunOptions> = {}): Promise<ScenarioResult> =>
  runScenario(scenario(name, ...sets), { seed: 1, platform, ...options });

const seen = (result: ScenarioResult): string =>
  result.verdicts.map(({ ok, expected, seen }) => `${ok ? 'ok' : 'BAD'} ${expected}: ${seen}`).join('\n');
const named = (result: ScenarioResult, name: string) => result.timeline.events.filter(({ event }) => event === name);

describe('the secure page', () => {
  it('passes, and the same seed gives the same run', async () => {
    const first = await run('secure-page');
    const again = await run('secure-page');
    expect(first.ok, seen(first)).toBe(true);
    expect(again.timeline.jsonLines()).toBe(first.timeline.jsonLines());
    expect(frameTable(again.capture(true))).toEqual(frameTable(first.capture(true)));
    const [page] = first.pages;
    expect(toneShare(page!.onTheWire, 1000)).toBeLessThan(0.1);
    expect(summarize(scenario('secure-page'), first).map(([label]) => label)).toEqual(
      expect.arrayContaining([
        'address',
        'TLS provisioning',
        'TLS sip',
        'server log',
        'registered',
        'call',
        'packets',
        'heard',
        'on the wire',
      ]),
    );
  });
});

describe('what must not work, does not', () => {
  it('a provisioning server that nobody vouches for is refused before a request is sent', async () => {
    const result = await run('secure-page', ['servers.provisioning.certificate=rogue']);
    expect(result.ok).toBe(false);
    expect(named(result, 'server.request')).toEqual([]);
    const [[event, fields]] = troubles(result.timeline.events) as [readonly [string, readonly (readonly [string, string])[]]];
    expect(event).toMatch(/^tls\.refused( \(\d+ times\))?$/);
    expect(Object.fromEntries(fields)).toMatchObject({ rule: 'unknown-issuer', subject: 'CN=prov.example.test', by: 'us' });
    expect(fields.map(([name]) => name)).toEqual(expect.arrayContaining(['clock', 'mend']));
  });

  it.each([
    ['provisioning', 'expired', 'expired'],
    ['provisioning', 'wrong-name', 'name'],
    ['sip', 'expired', 'expired'],
    ['sip', 'wrong-name', 'name'],
  ])('a %s server whose certificate is %s gets no request', async (server, certificate, rule) => {
    const result = await run('secure-page', [`servers.${server}.certificate=${certificate}`]);
    expect(result.ok).toBe(false);
    const refusals = named(result, 'tls.refused');
    expect(refusals.length).toBeGreaterThan(0);
    for (const { fields } of refusals) expect(fields).toMatchObject({ service: server, rule, by: 'us' });
    expect(named(result, 'server.request').length === 0).toBe(server === 'provisioning');
    expect(result.ladder.rows.some(({ label }) => label.startsWith('REGISTER'))).toBe(false);
  });

  it('a board without TLS says so, by board and key', async () => {
    const result = await run('secure-page', ['devices.lobby.board=8061']);
    expect(result.ok).toBe(false);
    expect(named(result, 'settings.refused')[0]?.fields).toMatchObject({ board: '8061', key: 'prov.download.cert' });
  });

  it('a step whose time never comes fails the run', async () => {
    const result = await run('clear-page', ['devices.lobby.image.settings.sip.u1.pwd=wrong', 'end=5s']);
    expect(seen(result)).toContain('BAD page from desk for 5 s, after registration.registered: its time never came');
  });
});

describe('a power cut', () => {
  it('while the flash is read, and while the configuration is written, leaves the old configuration and a device that goes on', async () => {
    const whole = await run('secure-page', ['end=30s']);
    const write = Number(named(whole, 'flash.op').find(({ fields }) => fields['type'] === 'program')?.fields['nth']);
    for (const cutPower of [17, write]) {
      const result = await run('secure-page', ['end=30s'], { cutPower });
      expect(result.ok, seen(result)).toBe(true);
      expect(named(result, 'power.cut').map(({ fields }) => fields['configuration'])).toEqual(['old']);
    }
  });

  it('that never came fails the run', async () => {
    const result = await run('clear-page', [], { cutPower: 100_000 });
    expect(seen(result)).toMatch(/BAD a power cut at flash operation 100000: there were only \d+/);
  });
});
