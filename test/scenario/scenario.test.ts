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

const FLEET = `
belfry: 1
name: fleet
start: 2026-01-01T00:00:00Z
end: 1h
servers:
  ntp: {}
  provisioning: { host: prov.example.test, files: { algop8180g2.conf: { sip.transp: udp } } }
  sip: { domain: sip.example.test, transport: udp, users: { unit: secret, "101": other } }
devices:
  unit: { count: 12, board: 8180-g2, mac: "0022EE0A00FE", provisioned: { sip.u1.user: "{name}" } }
  gate: { board: "8301", mac: "0022EE0B0001", made: 2018-06-01T00:00:00Z, rtc: 1970-01-01T00:00:00Z }
steps:
  - { at: 0s, power: on, device: unit, over: 60s }
  - { at: 1min, server: provisioning, stop: { for: 30min } }
  - { at: 2min, server: sip, certificate: renewed }
  - { at: 3min, server: provisioning, serves: { unit: { sip.transp: tls }, algop8180g2.conf: { audio.page.vol: 0dB } } }
  - { at: 4min, device: gate, put: { certs/sipclient.pem: identity:gate-2 } }
  - { at: 5min, device: gate, reset: factory }
  - { at: 6min, device: unit, notify: check-sync;reboot=false }
  - { at: 7min, server: ntp, cut: { for: 1min } }
expect:
  - { event: provisioning.applied, device: unit, since: 30min, within: 5min, share: 95% }
  - { rate: server.request, server: provisioning, status: 200, most: 20, per: 1s }
  - { not: link.up, device: unit, since: 1min, until: 2min }
`;

describe('a fleet', () => {
  const read = (text = FLEET) => {
    const result = decodeScenario(text);
    if (!result.ok) throw new Error(result.error.map((problem) => problemText('f', problem)).join('\n'));
    return result.value;
  };
  const broken = (from: string, to: string): string[] => {
    expect(FLEET).toContain(from);
    const result = decodeScenario(FLEET.replace(from, to));
    return result.ok ? [] : result.error.map((problem) => problemText('f.yaml', problem).replace(/^f\.yaml:\d+:\d+: /, ''));
  };

  it('is as many devices, with names and MACs that count up, and users of their own', () => {
    const { devices, groups, servers } = read();
    expect([...devices.keys()].slice(0, 3)).toEqual(['unit-01', 'unit-02', 'unit-03']);
    expect(groups.get('unit')).toHaveLength(12);
    expect(devices.get('unit-02')?.mac).toBe('0022EE0A00FF');
    expect(devices.get('unit-03')).toMatchObject({ mac: '0022EE0A0100', provisioned: new Map([['sip.u1.user', 'unit-03']]) });
    expect(servers.sip?.users.get('unit-12')).toBe('secret');
    expect(servers.sip?.users.size).toBe(13);
    expect(devices.get('gate')).toMatchObject({ made: Date.UTC(2018, 5, 1), rtc: 0 });
  });

  it('is acted upon, one after another or all at once, and so are servers', () => {
    const actions = read().steps.map(({ device, server, over, action }) => [device ?? server, over, action]);
    expect(actions).toEqual([
      ['unit', 60_000_000, { type: 'power', on: true }],
      ['provisioning', 0, { type: 'stop', for: 1_800_000_000 }],
      ['sip', 0, { type: 'certificate', certificate: 'renewed' }],
      ['provisioning', 0, expect.objectContaining({ type: 'serves' })],
      ['gate', 0, { type: 'put', files: new Map([['certs/sipclient.pem', { identity: 'gate-2' }]]) }],
      ['gate', 0, { type: 'factory-reset' }],
      ['unit', 0, { type: 'check-sync', reboot: false }],
      ['ntp', 0, { type: 'cut', link: 'ntp', for: 60_000_000 }],
    ]);
  });

  it('is expected of by share, rate and time', () => {
    const [applied, rate, not] = read().expect;
    expect(applied).toMatchObject({ share: 0.95, since: 1_800_000_000, within: 300_000_000, device: 'unit' });
    expect(applied?.text).toBe('provisioning.applied within 5 min after 30 min, for 95 % of them');
    expect(rate).toMatchObject({ type: 'rate', server: 'provisioning', most: 20, per: 1_000_000, fields: new Map([['status', '200']]) });
    expect(rate?.text).toBe('server.request status 200 never more than 20 times in 1 s');
    expect(not?.text).toBe('no link.up after 60 s before 2 min');
  });

  it.each([
    ['a MAC twice', 'mac: "0022EE0B0001"', 'mac: "0022EE0A0101"', 'devices.gate.mac: "unit" has the same MAC'],
    ['a unit twice', '  gate: {', '  unit-07: {', 'devices.unit-07: there is another device "unit-07"'],
    [
      'an event of a server without one',
      'rate: server.request, server: provisioning,',
      'rate: server.request,',
      'expect.1: server is missing: whose server.request it is',
    ],
    [
      'an event of a device with a server',
      'not: link.up, device: unit',
      'not: link.up, server: sip',
      'expect.2.server: link.up is an event of a device',
    ],
    [
      'a server that is not there',
      'server: ntp, cut',
      'server: dhcp, cut',
      'steps.7.server: there is no server dhcp: servers.dhcp is missing',
    ],
    [
      'a certificate of a server that has none',
      'server: sip, certificate',
      'server: ntp, certificate',
      'steps.2.server: a certificate is shown by provisioning or sip, not by ntp',
    ],
    [
      'files of a server that has none',
      'server: provisioning, serves',
      'server: sip, serves',
      'steps.3.server: files are served by provisioning, not by sip',
    ],
    [
      'files for nobody',
      'serves: { unit:',
      'serves: { units:',
      'steps.3.serves.units: there is no device, group or file "units"; did you mean "unit"?',
    ],
    ['a device action without a device', 'device: gate, reset', 'reset', 'steps.5: device is missing: on which device this is done'],
    ['a server action without a server', 'server: provisioning, stop', 'stop', 'steps.1: server is missing: which server does this'],
    ['over for one device', 'device: gate, reset', 'device: gate, over: 1s, reset', 'steps.5.over: over is for a group, at a time'],
    [
      'a server that waits for a group',
      'at: 2min, server: sip',
      'after: link.up, device: unit, server: sip',
      'steps.2.device: a server waits for one device, not for a group',
    ],
    [
      'a file of no kind',
      'identity:gate-2',
      'cert:gate-2',
      'steps.4.put.certs/sipclient.pem: "cert:gate-2" is not one of ca:site, ca:renewed, ca:factory, ca:rogue, or identity:NAME',
    ],
    [
      'a certificate where there is no TLS',
      'host: prov.example.test,',
      'host: prov.example.test, protocol: http, certificate: rogue,',
      'servers.provisioning.certificate: http has no certificates',
    ],
    [
      'a password where there is none',
      'host: prov.example.test,',
      'host: prov.example.test, protocol: tftp, auth: { scheme: basic, user: a, password: b },',
      'servers.provisioning.auth: tftp has no passwords',
    ],
    ['too many', 'count: 12', 'count: 501', 'devices.unit.count: a whole number from 1 to 500 is expected here'],
  ])('tells %s, and the mend', (_, from, to, message) => {
    expect(broken(from, to)[0]).toBe(message);
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
