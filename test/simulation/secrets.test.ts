/**
 * What people pass on holds no secret: neither the terminal nor any artefact but the capture has a password, a private key, a key of TLS or
 * of SRTP, or an answer from which a password can be guessed. What to look for is read from the run's own scenario and capture.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { clearText, keyLog } from '../support/captured.js';
import { belfry } from '../support/command-line.js';

const CAPTURE = 'capture.pcapng';
const folder = mkdtempSync(join(tmpdir(), 'belfry-secrets-'));
const scenarios = new URL('../../sim/scenarios/', import.meta.url);

afterAll(() => rmSync(folder, { recursive: true }));

/** Passwords of a scenario: what stands in it as a password, wherever else it stands. */
const passwordsOf = (scenario: string): string[] =>
  [...readFileSync(new URL(`${scenario}.yaml`, scenarios), 'utf8').matchAll(/\.pwd: *(\S+)/g)].map(([, password]) => password!);

/** The keys of the TLS connections, and what can be read in clear: keys of SRTP, answers to a digest challenge. */
function secretsIn(capture: Buffer): string[] {
  const keys = keyLog(capture)
    .split('\n')
    .flatMap((line) => line.split(' ')[2] ?? []);
  const clear = clearText(capture);
  const read = [...clear.matchAll(/inline:([A-Za-z0-9+/]{40})|response="([0-9a-f]{32,64})"/g)].map(([, key, answer]) => key ?? answer!);
  return [...keys, ...read];
}

/** A process each, several at once. */
const PATIENCE = 180_000;

const encrypted = ['devices.lobby.image.settings.sip.srtp=standard', 'callers.desk.srtp=standard'];

describe.concurrent.each([
  { name: 'the secure page', scenario: 'secure-page', sets: [], secrets: 8 },
  { name: 'the lossy page', scenario: 'lossy-page', sets: [], secrets: 8 },
  { name: 'the link cut', scenario: 'link-cut', sets: [], secrets: 8 },
  { name: 'the clear page', scenario: 'clear-page', sets: [], secrets: 2 },
  { name: 'a page with keys in clear signalling', scenario: 'clear-page', sets: encrypted, secrets: 4 },
  { name: 'a board without TLS', scenario: 'old-board', sets: [], secrets: 2 },
  { name: 'the renewed CA', scenario: 'ca-renewed', sets: [], secrets: 8 },
  { name: 'the replaced identity', scenario: 'identity-replaced', sets: [], secrets: 8 },
  { name: 'the thirty-one years', scenario: 'thirty-one-years', sets: [], secrets: 8 },
  { name: 'the time from HTTPS', scenario: 'time-from-https', sets: [], secrets: 8 },
  { name: 'a fleet', scenario: 'fleet-return', sets: ['devices.unit.count=10'], secrets: 32, sound: false, plot: true },
  { name: 'a bad configuration', scenario: 'bad-configuration', sets: ['devices.unit.count=10'], secrets: 32, sound: false },
])('$name', ({ name, scenario, sets, secrets, sound = true, plot = false }) => {
  it('shows no secret outside its capture', { timeout: PATIENCE }, async () => {
    const out = join(folder, name);
    const ended = await belfry('sim', scenario, '--out', out, ...sets.flatMap((set) => ['--set', set]));
    const capture = readFileSync(join(out, CAPTURE));
    const found = secretsIn(capture);
    expect(found.length).toBeGreaterThanOrEqual(secrets);
    const passwords = passwordsOf(scenario);
    expect(passwords.length).toBeGreaterThan(0);
    const shown = readdirSync(out).filter((file) => file !== CAPTURE);
    const further = [...(plot ? ['rate.svg'] : []), ...(sound ? ['speaker.wav'] : [])];
    expect(shown.sort()).toEqual(['ladder.txt', ...further, 'report.html', 'timeline.jsonl'].sort());
    const texts: [string, string][] = shown.map((file) => [file, readFileSync(join(out, file), 'latin1')]);
    for (const [place, text] of [...texts, ['terminal', ended.out + ended.err] as const]) {
      for (const secret of [...passwords, ...found]) expect(text.includes(secret), `${secret} in ${place}`).toBe(false);
      expect(text, place).not.toMatch(/inline:[A-Za-z0-9+/]{8}|response="?[0-9a-f]{8}|PRIVATE KEY/);
    }
    // Whoever has the capture reads everything: only its owner may.
    expect(statSync(join(out, CAPTURE)).mode & 0o777).toBe(0o600);
  });
});
