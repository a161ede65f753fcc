/** The scenarios of a device's certificates and clock, and those of boards without TLS: each passes, and fails where what it tells of is taken away. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nodePlatform } from '../../hal/node/index.js';
import { runScenario, type ScenarioResult } from '../../sim/scenario/runner.js';
import { decodeScenario } from '../../sim/scenario/scenario.codec.js';

const platform = nodePlatform();

const yamlOf = (name: string): string => readFileSync(new URL(`../../sim/scenarios/${name}.yaml`, import.meta.url), 'utf8');

function run(name: string, sets: Readonly<Record<string, string>> = {}, seed = 1, yaml = yamlOf(name)): Promise<ScenarioResult> {
  const scenario = decodeScenario(
    yaml,
    Object.entries(sets).map(([path, value]) => ({ path, value })),
  );
  if (!scenario.ok) throw new Error(JSON.stringify(scenario.error));
  return runScenario(scenario.value, { seed, platform });
}
const bad = ({ verdicts }: ScenarioResult): string[] =>
  verdicts.filter(({ ok }) => !ok).map(({ expected, seen }) => `${expected}: ${seen}`);
const fields = ({ timeline }: ScenarioResult, name: string) =>
  timeline.events.filter(({ event }) => event === name).map((event) => event.fields);

describe.each(['boot-1970', 'time-from-https', 'thirty-one-years', 'ca-renewed', 'identity-replaced', 'old-board'])('%s', (name) => {
  it.each([1, 2, 3])('passes with seed %i', async (seed) => {
    expect(bad(await run(name, {}, seed))).toEqual([]);
  });
});

describe('boot in 1970', () => {
  it('with a battery-backed clock that is right, nobody has to be asked', async () => {
    const result = await run('boot-1970', { 'devices.lobby.rtc': '2026-01-01T00:00:00Z' });
    expect(fields(result, 'time.set')[0]).toMatchObject({ source: 'rtc', trust: 'rtc' });
    expect(fields(result, 'tls.refused')).toEqual([]);
    expect(bad(result).some((line) => line.startsWith('time.set source build'))).toBe(true);
  });
  it('with one whose battery is empty, it is not believed', async () => {
    const result = await run('boot-1970', { 'devices.lobby.rtc': '1970-01-01T00:00:00Z' });
    expect(fields(result, 'time.failed')[0]).toMatchObject({ source: 'rtc' });
    expect(bad(result)).toEqual([]);
  });
});

describe('thirty-one years', () => {
  it('a unit made a year later has a certificate that is still good', async () => {
    const result = await run('thirty-one-years', { 'devices.lobby.made': '2027-06-01T00:00:00Z' });
    expect(fields(result, 'certs.expired')).toEqual([]);
    expect(fields(result, 'server.refused')).toEqual([]);
    expect(fields(result, 'provisioning.applied')[0]).toMatchObject({ clientCertificate: '0022EE0A0001' });
  });
  it('a unit from before 2019 has none, and the servers say so', async () => {
    const result = await run('thirty-one-years', { 'devices.lobby.made': '2018-06-01T00:00:00Z' });
    expect(fields(result, 'server.refused')[0]).toMatchObject({ detail: 'the client sent no certificate' });
    expect(fields(result, 'certs.expired')).toEqual([]);
  });
});

it('a renewed CA that nobody puts on the device leaves it outside', async () => {
  const result = await run('ca-renewed', { 'steps.2.at': '9min', end: '8min', 'steps.3.at': '7min' });
  expect(bad(result).some((line) => line.startsWith('registration.registered within 3 min after 4 min'))).toBe(true);
  expect(fields(result, 'tls.refused').at(-1)).toMatchObject({ rule: 'unknown-issuer', by: 'us' });
});

it('a replacement that is none keeps the old identity', async () => {
  const result = await run('identity-replaced', { 'steps.2.put.certs/sipclient.pem': 'ca:site' });
  const shown = fields(result, 'server.registered').map(({ clientCN }) => clientCN);
  expect(new Set(shown)).toEqual(new Set(['lobby-2025']));
});

it('a factory reset takes settings and uploads away, and leaves the unit with what it was made with', async () => {
  const before = '  - { at: 1min, server: sip, stop: { for: 1s } }';
  expect(yamlOf('identity-replaced')).toContain(before);
  const result = await run(
    'identity-replaced',
    {},
    1,
    yamlOf('identity-replaced').replace(before, '  - { at: 1min, device: lobby, reset: factory }'),
  );
  const [reset] = fields(result, 'device.reset');
  expect(reset?.['erased']).toEqual(expect.arrayContaining(['certs/sipclient.pem', 'certs/trusted/site.pem', 'settings/local.conf']));
  expect(fields(result, 'boot.ready').map(({ reason }) => reason)).toEqual(['power', 'reboot']);
  expect(fields(result, 'registration.registered')).toHaveLength(1);
  expect(fields(result, 'server.unregistered')).toHaveLength(1);
});

describe('a board without TLS', () => {
  const http = { 'servers.provisioning.protocol': 'http', 'servers.dhcp.option66': 'http://prov.example.test/' };

  it('is provisioned by HTTP too', async () => {
    const result = await run('old-board', http);
    expect(bad(result)).toEqual([]);
    expect(fields(result, 'server.request').map(({ method }) => method)).toEqual(expect.arrayContaining(['GET']));
  });
  it.each(['basic', 'digest'])('and says who it is, by %s', async (scheme) => {
    const auth = { scheme, user: 'unit', password: 'brass-whistle-4' };
    const settings = { 'devices.lobby.image.settings.prov.auth.user': 'unit', 'devices.lobby.image.settings.prov.auth.pwd': auth.password };
    const server = Object.fromEntries(Object.entries(auth).map(([key, value]) => [`servers.provisioning.auth.${key}`, value]));
    const result = await run('old-board', { ...http, ...server, ...settings });
    expect(bad(result)).toEqual([]);
    expect(fields(result, 'server.request').map(({ status }) => status)).toEqual(expect.arrayContaining([401, 200]));
    expect(result.report({ file: 'c', withKeys: false }) + JSON.stringify(result.ladder)).not.toContain(auth.password);
    expect((await run('old-board', { ...http, ...server })).ok).toBe(false);
  });
  it('takes no file whose checksum is another', async () => {
    const result = await run('old-board', { 'servers.provisioning.md5': 'wrong' });
    expect(fields(result, 'provisioning.failed')[0]).toMatchObject({ stage: 'integrity' });
    expect(fields(result, 'provisioning.applied')).toEqual([]);
  });
});
