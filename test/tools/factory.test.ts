/** `belfry factory` as its users call it; Node's own X.509 reads what it made. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseArguments } from '../../tools/command.js';
import { factoryCommand } from '../../tools/commands/factory.js';

const folder = mkdtempSync(`${tmpdir()}/belfry-factory-`);
const ca = `${folder}/ca`;

/** What it says; throws what it cannot do. */
async function factory(...argv: string[]): Promise<string> {
  const said: string[] = [];
  const io = { json: false, say: (line: string) => void said.push(line), record: () => undefined };
  expect(await factoryCommand.run(parseArguments(factoryCommand, argv), io)).toBe(0);
  return said.join('\n');
}

const certificates = (path: string): X509Certificate[] =>
  readFileSync(path, 'utf8')
    .split(/(?<=-----END CERTIFICATE-----\n)/)
    .map((pem) => new X509Certificate(pem));

beforeAll(() => factory('ca', '--out', ca, '--server', '127.0.0.1').then(() => undefined));
afterAll(() => rmSync(folder, { recursive: true }));

describe('belfry factory server', () => {
  const names = 'prov.example.test,192.0.2.7,2001:db8::1';

  it('makes a certificate with its chain, and the key to it for its owner alone', async () => {
    const said = await factory('server', '--ca', ca, '--server', names, '--out', `${folder}/prov`, '--made', '2026-01-31');
    expect(said).toContain('valid until 2028-05-05');
    const [leaf, issuing, intermediate, ...rest] = certificates(`${folder}/prov.crt`);
    expect(rest).toEqual([]);
    const [root] = certificates(`${ca}/root.crt`);
    expect([leaf!.verify(issuing!.publicKey), issuing!.verify(intermediate!.publicKey), intermediate!.verify(root!.publicKey)]).toEqual([
      true,
      true,
      true,
    ]);
    expect(leaf!.checkPrivateKey(createPrivateKey(readFileSync(`${folder}/prov.key`)))).toBe(true);
    expect(statSync(`${folder}/prov.key`).mode & 0o777).toBe(0o600);
    expect(leaf!.subject).toBe('CN=prov.example.test');
    expect(leaf!.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect([leaf!.checkHost('prov.example.test'), leaf!.checkIP('192.0.2.7'), leaf!.checkIP('2001:db8::1')]).toEqual([
      'prov.example.test',
      '192.0.2.7',
      '2001:db8::1',
    ]);
    expect(leaf!.checkHost('sip.example.test')).toBeUndefined();
  });

  it('comes with new authorities on request', () => {
    expect(certificates(`${ca}/server.crt`)[0]!.checkIP('127.0.0.1')).toBe('127.0.0.1');
  });

  it.each(['prov_1.example.test', '192.0.2.999', 'a,,b', ''])('refuses the name %j', async (name) => {
    await expect(factory('server', '--ca', ca, '--server', name, '--out', `${folder}/bad`)).rejects.toThrow(
      /is neither a host name nor an/,
    );
  });
});

describe('belfry factory device', () => {
  it('makes a unit that has no TLS without the CAs it could not use', async () => {
    const said = await factory('device', '--board', '8028-g1', '--mac', '0022EE0A0003', '--no-certificate', '--out', `${folder}/g1.flash`);
    expect(said).toContain('preinstalled public CAs: 0');
  });

  it('makes a unit that has TLS with the Mozilla set', async () => {
    const said = await factory('device', '--board', '8180-g2', '--mac', '0022EE0A0001', '--ca', ca, '--out', `${folder}/g2.flash`);
    expect(said).toMatch(/device certificate CN=0022EE0A0001/);
    expect(said).toMatch(/preinstalled public CAs: 1\d\d, set Mozilla/);
  });
});
