/** The simulator as a stranger meets it: the command, what it prints, how it ends, and the files that it leaves. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { soundReport, toneShare } from '../../sim/artefacts/sound.js';
import { frameTable, keyLog, payloadsAsSpeech } from '../support/captured.js';
import { belfry, type Ended } from '../support/command-line.js';
import { describeShared, sharedPath } from '../support/shared.js';

const MAC = '0022EE0A0001';
const JUDGE = 'lab/wav.mjs';
const folder = mkdtempSync(join(tmpdir(), 'belfry-sim-'));
const artefact = (name: string, file: string): Buffer => readFileSync(join(folder, name, file));
const sim = (name: string, scenario: string, ...args: string[]): Promise<Ended> =>
  belfry('sim', scenario, ...args, '--out', join(folder, name));

afterAll(() => rmSync(folder, { recursive: true }));

const UNKNOWN = (subject: string): RegExp[] => [
  /^ +rule +unknown-issuer$/m,
  new RegExp(`^ +subject +${subject}$`, 'm'),
  /^ +clock +2026-01-01T00:00:\d\d\.\d{3}Z$/m,
  /^ +mend +\S/m,
];

function expectRefusal({ status, out }: Ended, event: string, lines: readonly RegExp[]): void {
  const trouble = out.slice(out.indexOf(`\n! ${event}`));
  for (const line of lines) expect(trouble).toMatch(line);
  expect(out).toMatch(/^FAILED; /m);
  expect(status).toBe(1);
}

describe('the secure page', () => {
  let first: Ended;
  beforeAll(async () => {
    [first] = await Promise.all([sim('A', 'secure-page', '--seed', '7'), sim('B', 'secure-page', '--seed', '7')]);
  }, 60_000);

  it.each([
    ['the address leased', /^address +10\.0\.0\.\d+ leased/m],
    ['the server and its anchor', /^TLS provisioning +CN=prov\.example\.test, vouched for by CN=Site Root CA/m],
    ['the SIP server and its anchor', /^TLS sip +CN=sip\.example\.test, vouched for by CN=Site Root CA/m],
    ['the client in the log of the provisioning server', /^server log +provisioning saw the client certificate of CN 0022EE0A0001$/m],
    ['the client in the log of the SIP server', /^server log +sip saw the client certificate of CN 0022EE0A0001$/m],
    ['the expiry granted', /^registered +.* over tls, 3600 s granted$/m],
    ['the SRTP suite', /^call +.*, SRTP AES_CM_128_HMAC_SHA1_80$/m],
    ['packets received and lost', /^packets +2\d\d received, 0 lost/m],
    ['seconds of the tone and its share', /^heard +[45]\.\d\d s, 99\.\d % of the energy at 1000 Hz/m],
    ['the noise without the key', /^on the wire +[0-9]\.\d % of the energy at 1000 Hz without the key$/m],
    ['the folder of the artefacts', /^passed; \/.*\/A holds timeline\.jsonl, ladder\.txt, report\.html, capture\.pcapng, speaker\.wav$/m],
    ['the report', /^open \/.*\/A\/report\.html in a browser/m],
  ])('prints %s', (_what, line) => {
    expect(first.status).toBe(0);
    expect(first.out).toMatch(line);
  });

  it('names three things to break, a line each; the first two end with 1 and say why, and the third is survived', async () => {
    const lines = first.out.slice(first.out.indexOf('three things to break:')).trim().split('\n').slice(1);
    const commands = lines.map((line) => / npm start -- (.+?) {2,}\S/.exec(line)![1]!);
    const broken = await Promise.all(commands.map((command, i) => sim(`broken${i}`, 'secure-page', ...command.split(' '))));
    const [rogue, board, cut] = broken;
    expect(commands.slice(0, 2)).toEqual(['--set servers.provisioning.certificate=rogue', '--set devices.lobby.board=8061']);
    expectRefusal(rogue!, 'tls.refused', UNKNOWN('CN=prov\\.example\\.test'));
    expectRefusal(board!, 'settings.refused', [/^ +key +prov\.download\.cert$/m, /^ +board +8061$/m, /^ +mend +\S/m]);
    expect(cut!.out).toMatch(/it booted with the old configuration$/m);
    expect(cut!.status).toBe(0);
    expect(broken).toHaveLength(3);
  });

  it('is the same run again with the same seed', () => {
    expect(artefact('B', 'timeline.jsonl').equals(artefact('A', 'timeline.jsonl'))).toBe(true);
    const table = frameTable(artefact('A', 'capture.pcapng'));
    expect(table.length).toBeGreaterThan(500);
    expect(frameTable(artefact('B', 'capture.pcapng'))).toEqual(table);
  });

  it('leaves the tone in the WAV file, and noise in the packets', () => {
    const wav = artefact('A', 'speaker.wav');
    const samples = new Int16Array(wav.buffer.slice(wav.byteOffset + 44, wav.byteOffset + wav.length));
    const heard = { samples, rate: wav.readUInt32LE(24) };
    expect(soundReport(heard)).toMatchObject({ silent: 0 });
    expect(soundReport(heard).seconds).toBeGreaterThan(4.8);
    expect(toneShare({ samples: payloadsAsSpeech(artefact('A', 'capture.pcapng'), MAC), rate: 8000 }, 1000)).toBeLessThan(0.1);
  });

  describeShared('lab', JUDGE, 'the judge of WAV files that nobody here wrote', () => {
    it('finds the tone', () => {
      const file = join(folder, 'A/speaker.wav');
      expect(execFileSync(process.execPath, [sharedPath(JUDGE), 'check', file, '1000', '4.8'], { encoding: 'utf8' })).toMatch(/^ok/);
    });
  });
});

it('plays a page in clear, which can be heard in its packets', async () => {
  expect((await sim('clear', 'clear-page')).status).toBe(0);
  const samples = payloadsAsSpeech(artefact('clear', 'capture.pcapng'), MAC);
  expect(toneShare({ samples, rate: 8000 }, 1000)).toBeGreaterThan(0.9);
});

it('runs in the same way twice over a bad network, and in another way with another seed', async () => {
  const faults = ['--set', 'lan.loss=5%', '--set', 'lan.jitter=30ms'];
  const [seven] = await Promise.all([
    sim('seven', 'secure-page', '--seed', '7', ...faults),
    sim('same', 'secure-page', '--seed', '7', ...faults, '--no-secrets'),
    sim('eight', 'secure-page', '--seed', '8', ...faults),
  ]);
  const table = (name: string) => frameTable(artefact(name, 'capture.pcapng'));
  expect(artefact('same', 'timeline.jsonl').equals(artefact('seven', 'timeline.jsonl'))).toBe(true);
  expect(table('same')).toEqual(table('seven'));
  expect(keyLog(artefact('seven', 'capture.pcapng'))).toContain('CLIENT_TRAFFIC_SECRET_0');
  expect(keyLog(artefact('same', 'capture.pcapng'))).toBe('');
  expect(table('eight')).not.toEqual(table('seven'));
  expect(seven.out).toMatch(/^links +\d+ frames dropped, \d+ out of order$/m);
  for (const link of ['lobby', 'desk', 'sip', 'dhcp']) {
    expect(seven.out).toMatch(
      new RegExp(`^link ${link} +dropped \\d+ of \\d+ frames from it and \\d+ of \\d+ to it, \\d+ and \\d+ out of order$`, 'm'),
    );
  }
});

it('ends with 1 where nobody vouches for the SIP server, and says why', async () => {
  const ended = await sim('refused', 'secure-page', '--set', 'servers.sip.certificate=rogue');
  expectRefusal(ended, 'tls.refused', UNKNOWN('CN=sip\\.example\\.test'));
});

it('boots with the old configuration after a power cut, and plays the page', async () => {
  const { status, out } = await sim('cut', 'secure-page', '--cut-power', '17');
  expect(out).toMatch(/^power cut +in flash operation 17; what is left is the old configuration$/m);
  expect(out).toMatch(/^✓ after the power cut at flash operation 17 the board boots .*: it booted with the old configuration$/m);
  expect(out).toMatch(/^heard +4\.\d\d s/m);
  expect(status).toBe(0);
});

describe('bad input ends with 2 and one line', () => {
  it.each([
    ['an unknown scenario', ['secure-pge'], /there is no scenario 'secure-pge'; did you mean "secure-page"/],
    ['a file that is not there', ['./none.yaml'], /cannot read \.\/none\.yaml: there is no such file/],
    ['a file that is no scenario', [new URL('../../biome.json', import.meta.url).pathname], /biome\.json:\d+:\d+: /],
    ['a seed that is no number', ['secure-page', '--seed', 'seven'], /--seed seven is no whole number/],
    ['a power cut before the first operation', ['secure-page', '--cut-power', '0'], /--cut-power counts flash operations from 1/],
    ['a value without a place', ['secure-page', '--set', 'loss'], /--set loss is not PATH=VALUE/],
    ['a place that is not there', ['secure-page', '--set', 'lan.los=5%'], /--set lan\.los: .*did you mean/],
    ['a value of another kind', ['secure-page', '--set', 'lan.loss=much'], /--set lan\.loss/],
    ['an unknown option', ['secure-page', '--sed', '7'], /Unknown option '--sed'/],
  ])('%s', async (_what, args, line) => {
    const { status, out, err } = await belfry('sim', ...args, '--out', join(folder, 'none'));
    expect(err).toMatch(line);
    expect(
      err
        .trim()
        .split('\n')
        .filter((text) => text.startsWith('belfry: ')),
    ).toEqual(err.trim().split('\n'));
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(readdirSync(folder)).not.toContain('none');
  });
});
