/** Whole runs, with real TLS in virtual time. What they leave behind is judged as a stranger would judge it. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nodePlatform } from '../../hal/node/index.js';
import { ladderText } from '../../sim/artefacts/ladder-text.js';
import { toneShare } from '../../sim/artefacts/sound.js';
import { type RunOptions, runScenario, type ScenarioResult } from '../../sim/scenario/runner.js';
import { decodeScenario } from '../../sim/scenario/scenario.codec.js';
import { summarize, troubles } from '../../sim/scenario/summary.js';
import { BLOCK, blocksOf, packetOf } from '../artefacts/read-pcapng.js';

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
/** What a reader of the capture sees of a frame whose octets are random: when, from whom, to whom, how long. */
const frameTable = (result: ScenarioResult): string[] =>
  blocksOf(result.capture(true))
    .filter(({ type }) => type === BLOCK.packet)
    .map(packetOf)
    .map(({ at, bytes }) => `${at} ${bytes.toString('hex', 0, 12)} ${bytes.length}`);
const named = (result: ScenarioResult, name: string) => result.timeline.events.filter(({ event }) => event === name);

describe('the secure page', () => {
  it('passes, and the same seed gives the same run', async () => {
    const first = await run('secure-page');
    const again = await run('secure-page');
    expect(first.ok, seen(first)).toBe(true);
    expect(again.timeline.jsonLines()).toBe(first.timeline.jsonLines());
    expect(frameTable(again)).toEqual(frameTable(first));
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

  it('survives a bad network in the same way twice, and in another way with another seed', async () => {
    const sets = ['lan.loss=5%', 'lan.jitter=30ms'];
    const [seven, same, eight] = [
      await run('secure-page', sets, { seed: 7 }),
      await run('secure-page', sets, { seed: 7 }),
      await run('secure-page', sets, { seed: 8 }),
    ];
    expect(seven.ok, seen(seven)).toBe(true);
    expect(same.timeline.jsonLines()).toBe(seven.timeline.jsonLines());
    expect(frameTable(same)).toEqual(frameTable(seven));
    expect(frameTable(eight)).not.toEqual(frameTable(seven));
    expect(seven.links.reduce((sum, { up, down }) => sum + up.dropped + down.dropped, 0)).toBeGreaterThan(50);
  });

  it('leaves nothing secret in what people pass on', async () => {
    const result = await run('secure-page');
    const secrets = Buffer.from(blocksOf(result.capture(true)).find(({ type }) => type === BLOCK.secrets)!.body).toString('latin1', 8);
    const keys = secrets.split('\n').flatMap((line) => line.split(' ')[2] ?? []);
    expect(keys.length).toBeGreaterThan(4);
    const report = result.report({ file: 'capture.pcapng', withKeys: true });
    for (const text of [report, result.timeline.jsonLines(), ladderText(result.ladder, { width: 400 })]) {
      for (const hidden of ['amber-kettle-31', 'PRIVATE KEY', ...keys.filter((key) => key !== '')]) expect(text).not.toContain(hidden);
      expect(text).not.toMatch(/inline:[A-Za-z0-9+/]{8}/);
      expect(text).not.toMatch(/response="?[0-9a-f]{16}/);
    }
    expect(report).toContain('inline:…');
    expect(blocksOf(result.capture(false)).some(({ type }) => type === BLOCK.secrets)).toBe(false);
  });
});

describe('what must not work, does not', () => {
  it('a provisioning server that nobody vouches for is refused before a request is sent', async () => {
    const result = await run('secure-page', ['servers.provisioning.certificate=rogue']);
    expect(result.ok).toBe(false);
    expect(named(result, 'server.request')).toEqual([]);
    const [[event, fields]] = troubles(result.timeline.events) as [readonly [string, readonly (readonly [string, string])[]]];
    expect(event).toBe('tls.refused');
    expect(Object.fromEntries(fields)).toMatchObject({ rule: 'unknown-issuer', subject: 'CN=prov.example.test', by: 'us' });
    expect(fields.map(([name]) => name)).toEqual(expect.arrayContaining(['clock', 'mend']));
  });

  it.each([
    ['expired', 'expired'],
    ['wrong-name', 'name'],
  ])('a SIP server whose certificate is %s gets no REGISTER', async (certificate, rule) => {
    const result = await run('secure-page', [`servers.sip.certificate=${certificate}`]);
    expect(result.ok).toBe(false);
    expect(named(result, 'tls.refused').every(({ fields }) => fields['rule'] === rule)).toBe(true);
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

it('a cut link is come back from', async () => {
  const result = await run('link-cut');
  expect(result.ok, seen(result)).toBe(true);
});
