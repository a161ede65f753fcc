/** Our own captures: what a simulation left behind is explained with the secrets in it, and agrees with what the device said. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { nodePlatform } from '../../hal/node/index.js';
import { runScenario, type ScenarioResult } from '../../sim/scenario/runner.js';
import { decodeScenario } from '../../sim/scenario/scenario.codec.js';
import { type Explained, explain, rules } from './explain.js';

const yaml = readFileSync(new URL('../../sim/scenarios/secure-page.yaml', import.meta.url), 'utf8');

async function run(...sets: [path: string, value: string][]): Promise<ScenarioResult> {
  const scenario = decodeScenario(
    yaml,
    sets.map(([path, value]) => ({ path, value })),
  );
  if (!scenario.ok) throw new Error(JSON.stringify(scenario.error));
  return runScenario(scenario.value, { seed: 7, platform: nodePlatform() });
}

describe('a secure page', () => {
  let result: ScenarioResult;
  let open: Explained;
  beforeAll(async () => {
    result = await run();
    open = explain(result.capture(true));
  }, 60_000);

  it('is provisioned and registered over TLS 1.3, with the device certificate', () => {
    const tls = open.connections.filter((connection) => connection.tls);
    expect(tls.map(({ tls: seen }) => [seen!.serverName, seen!.version, seen!.finished, seen!.clientCertificates?.[0]?.subject])).toEqual([
      ['prov.example.test', '1.3', true, 'CN=0022EE0A0001'],
      ['sip.example.test', '1.3', true, 'CN=0022EE0A0001'],
    ]);
    expect(tls.map(({ said }) => said.client)).toEqual([
      expect.stringMatching(/^GET \/algo.*\.conf HTTP\/1\.1$/),
      'REGISTER sip:sip.example.test SIP/2.0',
    ]);
    expect(open.status).toBe(0);
  });

  it('says of the same suites what the device said', () => {
    const said = result.timeline.events.filter(({ event, fields }) => event === 'tls.accepted' && fields['service'] !== undefined);
    const suites = new Set(said.map(({ fields }) => fields['suite']).filter((suite) => suite !== undefined));
    expect(new Set(open.connections.flatMap(({ tls }) => tls?.suite ?? []))).toEqual(suites);
  });

  it('without its secrets shows no certificate, and says why', () => {
    const shut = explain(result.capture(false));
    expect(shut.connections.flatMap(({ tls }) => tls?.serverCertificates ?? [])).toEqual([]);
    for (const [index] of shut.connections.entries()) expect(rules(shut, index)).toContain('note encrypted');
    expect(shut.connections.map(({ tls }) => tls?.clientCertificate)).toEqual([
      { state: 'sent', inferred: true },
      { state: 'sent', inferred: true },
    ]);
  });
});

it('a rogue provisioning server: the capture names what the device refused it for', async () => {
  const result = await run(['servers.provisioning.certificate', 'rogue']);
  const refused = result.timeline.events.find(({ event }) => event === 'tls.refused')!.fields;
  const { connections, status } = explain(result.capture(true));
  expect(status).toBe(1);
  const [finding] = connections[0]!.findings;
  expect(finding).toMatchObject({ severity: 'fault', rule: refused['rule'] });
  expect(finding!.detail).toContain(String(refused['subject']));
  expect(finding!.detail).toMatch(/the client refuses it \(it reset the connection without a word\)/);
});
