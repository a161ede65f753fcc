import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeScenario, problemText, scenarioSchema } from '../../sim/scenario/scenario.codec.js';

const folder = new URL('../../sim/scenarios/', import.meta.url);
const yaml = (name: string): string => readFileSync(new URL(`${name}.yaml`, folder), 'utf8');
const page = yaml('secure-page');

/** The problems of a scenario in which one text is replaced, as the command line would print them. */
function problems(from: string, to: string): string[] {
  expect(page).toContain(from);
  const result = decodeScenario(page.replace(from, to));
  return result.ok ? [] : result.error.map((problem) => problemText('f.yaml', problem));
}
const lineOf = (piece: string): number => page.slice(0, page.indexOf(piece)).split('\n').length;

describe('scenario', () => {
  it.each(readdirSync(folder).map((file) => file.replace('.yaml', '')))('%s, which comes with Belfry, can be read', (name) => {
    const result = decodeScenario(yaml(name));
    expect(result).toMatchObject({ ok: true });
  });

  it('is read into units, maps and steps', () => {
    const result = decodeScenario(page);
    if (!result.ok) throw new Error('unread');
    const { start, end, lan, devices, steps, expect: expected, servers } = result.value;
    expect([start, end, lan]).toEqual([Date.UTC(2026, 0, 1), 60_000_000, { latency: 1000, jitter: 200 }]);
    expect(servers.sip?.users.get('101')).toBe('amber-kettle-31');
    expect(devices.get('lobby')).toMatchObject({ board: '8180-g2', firmware: '5.5', mac: '0022EE0A0001' });
    expect(devices.get('lobby')?.image.files.get('certs/trusted/site.pem')).toEqual({ authority: 'site' });
    expect(devices.get('lobby')?.provisioned.get('sip.srtp')).toBe('standard');
    expect(steps[1]).toEqual({
      when: { type: 'after', event: 'registration.registered', nth: 1, fields: new Map() },
      device: 'lobby',
      over: 0,
      action: { type: 'page', from: 'desk', for: 5_000_000 },
    });
    expect(expected[2]).toMatchObject({ type: 'event', event: 'call.established', within: 20_000_000 });
    expect(expected[3]).toMatchObject({ type: 'heard', tone: 1000, for: 4_800_000, share: 0.9 });
  });

  it.each([
    [
      'a MAC without quotes',
      'mac: "0022EE0A0001"',
      'mac: 002200E00001',
      'devices.lobby.mac: 002200E00001 is a number here; quote it: "002200E00001"',
    ],
    [
      'a number as a setting',
      'sip.tls.cert: "1"',
      'sip.tls.cert: 1',
      'devices.lobby.provisioned.sip.tls.cert: 1 is a number here; quote it: "1"',
    ],
    [
      'an unknown field',
      'lan: { latency: 1ms, jitter: 200us }',
      'lan: { latency: 1ms, jiter: 200us }',
      'lan.jiter: there is no field "jiter" here; did you mean "jitter"?',
    ],
    ['a missing unit', 'latency: 1ms', 'latency: 1', 'lan.latency: "1" is not a time with its unit, such as 200ms or 10s'],
    [
      'an unknown event',
      'after: registration.registered',
      'after: registration.registred',
      'steps.1.after: there is no event "registration.registred"; did you mean "registration.registered"?',
    ],
    [
      'an unknown field of an event',
      'srtp: AES_CM_128_HMAC_SHA1_80',
      'srpt: AES_CM_128_HMAC_SHA1_80',
      'expect.2.srpt: call.established has no field "srpt"; did you mean "srtp"?',
    ],
    [
      'a device that is not there',
      'device: lobby, page',
      'device: loby, page',
      'steps.1.device: there is no device "loby"; did you mean "lobby"?',
    ],
    ['a caller that is not there', 'from: desk', 'from: desks', 'steps.1.page.from: there is no caller "desks"; did you mean "desk"?'],
    [
      'a value that is none of the choices',
      'srtp: standard, sends',
      'srtp: standart, sends',
      'callers.desk.srtp: "standart" is none of standard, optional, none; did you mean "standard"?',
    ],
    ['a step without a time', 'at: 0s, power: on', 'power: on', 'steps.0: a step has one of at, after and sent'],
    ['a text in place of a map', 'ntp: {}', 'ntp: yes', 'servers.ntp: a map is expected here, with nothing in it: {}'],
    [
      'an impossible date',
      '2026-01-01T00:00:00Z',
      '2026-02-30T00:00:00Z',
      'start: "2026-02-30T00:00:00Z" is not a time in UTC, such as 2026-01-01T00:00:00Z',
    ],
  ])('tells where %s stands, and the mend', (_, from, to, message) => {
    const [first] = problems(from, to);
    expect(first).toMatch(new RegExp(`^f\\.yaml:${lineOf(from)}:\\d+: `));
    expect(first?.replace(/^f\.yaml:\d+:\d+: /, '')).toBe(message);
  });

  it('tells a missing field at its map', () => {
    expect(problems('    board: 8180-g2\n', '')).toEqual([
      'f.yaml:15:5: devices.lobby: board is missing: the model, such as 8180-g2; "belfry boards" lists them',
    ]);
  });

  it('tells the place of text that is no YAML', () => {
    expect(problems('servers:\n', 'servers: [\n')[0]).toMatch(/^f\.yaml:\d+:\d+: not YAML: /);
  });

  it('refuses two devices of one MAC', () => {
    expect(problems('callers:', '  gate: { board: "8061", mac: "0022ee0a0001" }\ncallers:')).toEqual([
      expect.stringMatching(/devices\.gate\.mac: "lobby" has the same MAC$/),
    ]);
  });
});

describe('--set', () => {
  const set = (path: string, value: string) => decodeScenario(page, [{ path, value }]);
  const get = (path: string, value: string) => {
    const result = set(path, value);
    if (!result.ok) throw new Error(result.error.map((problem) => problemText('f', problem)).join('\n'));
    return result.value;
  };
  const refused = (path: string, value: string): string[] => {
    const result = set(path, value);
    return result.ok ? [] : result.error.map((problem) => problemText('f', problem));
  };

  it('overrides what is there, adds what is not, and reaches names with dots and list entries', () => {
    expect(get('devices.lobby.board', '8061').devices.get('lobby')?.board).toBe('8061');
    expect(get('servers.provisioning.certificate', 'rogue').servers.provisioning?.certificate).toBe('rogue');
    expect(get('lan.loss', '5%').lan).toEqual({ latency: 1000, jitter: 200, loss: 0.05 });
    expect(get('devices.lobby.provisioned.sip.srtp', 'optional').devices.get('lobby')?.provisioned.get('sip.srtp')).toBe('optional');
    expect(get('devices.lobby.provisioned.sip.srtp.suite', 'x').devices.get('lobby')?.provisioned.get('sip.srtp.suite')).toBe('x');
    expect(get('devices.lobby.image.settings.sip.tls.cert', '0').devices.get('lobby')?.image.settings.get('sip.tls.cert')).toBe('0');
    expect(get('devices.lobby.image.certs/trusted/other.pem', 'ca:rogue').devices.get('lobby')?.image.files.size).toBe(2);
    expect(get('steps.1.page.for', '2s').steps[1]?.action).toMatchObject({ for: 2_000_000 });
  });

  it('names itself as the place of what is wrong with it', () => {
    expect(refused('lan.los', '5%')).toEqual(['--set lan.los: there is no field "los" here; did you mean "loss"?']);
    expect(refused('lan.loss', '5')).toEqual(['--set lan.loss: "5" is not a share from 0% to 100%']);
    expect(refused('devices.loby.board', '8061')).toEqual([
      '--set devices.loby.board: there is no "loby" among devices; did you mean "lobby"?',
    ]);
    expect(refused('steps.7.at', '1s')).toEqual(['--set steps.7.at: the list has 2 entries, numbered from 0']);
    expect(refused('name.first', 'x')).toEqual(['--set name.first: "name" has no fields']);
    expect(refused('devices..board', 'x')).toEqual(['--set devices..board: a path is names with dots between them: devices.lobby.board']);
  });
});

it('the schema for editors is the one that the codec has', () => {
  const file = new URL('../../sim/scenario.schema.json', import.meta.url);
  if (process.env['BELFRY_WRITE']) writeFileSync(file, `${JSON.stringify(scenarioSchema, null, 2)}\n`);
  const mend = 'BELFRY_WRITE=1 npx vitest run test/scenario/scenario.test.ts && npx biome check --write sim/scenario.schema.json';
  expect(JSON.parse(readFileSync(file, 'utf8')), `to write it anew: ${mend}`).toEqual(scenarioSchema);
});
