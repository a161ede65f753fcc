/** `belfry explain` as its users call it. */
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writePem } from '../../core/certs/pem.codec.js';
import { nodePlatform } from '../../hal/node/index.js';
import { parseArguments } from '../../tools/command.js';
import { explainCommand } from '../../tools/commands/explain.js';
import { factoryCommand } from '../../tools/commands/factory.js';
import { makeTestPki } from '../support/test-pki.js';
import { exchange, shown } from './openssl.js';
import { START } from './wire.js';

const pki = makeTestPki(nodePlatform(), { mac: '0022EE0A0001', serverName: 'prov.example.test', at: START / 1000 });
const server = shown(pki.server, pki.pkcs8.server);
const folder = mkdtempSync(`${tmpdir()}/belfry-explain-`);
const file = (name: string, content: Uint8Array | string): string => {
  writeFileSync(`${folder}/${name}`, content);
  return `${folder}/${name}`;
};
let shut: string;
let open: string;
let keys: string;
let root: string;

beforeAll(async () => {
  const { capture, secrets } = await exchange({ maxVersion: 'TLSv1.3', rejectUnauthorized: false }, server);
  [shut, open] = [file('shut.pcapng', capture(false)), file('open.pcapng', capture(true))];
  keys = file('keys.txt', secrets.join('\n'));
  root = file('root.crt', writePem('CERTIFICATE', pki.root));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  status: number;
  said: string;
  records: Record<string, unknown>[];
}

/** Rejects where the command could not be run, with the line that says why. */
async function belfryExplain(...argv: string[]): Promise<Ended> {
  const [said, records]: [string[], Record<string, unknown>[]] = [[], []];
  const args = parseArguments(explainCommand, argv);
  const record = (object: object) => void records.push(JSON.parse(JSON.stringify(object)) as Record<string, unknown>);
  const status = await explainCommand.run(args, { json: args.flag('json'), say: (line) => void said.push(line), record });
  return { status, said: said.join('\n'), records };
}

it('tells of a capture with its secrets inside, or in a file beside it, alike', async () => {
  const inside = await belfryExplain(open, '--trust', root);
  const beside = await belfryExplain(shut, '--trust', root, '--secrets', keys);
  expect([inside.status, beside.status]).toEqual([0, 0]);
  const blocks = ({ said }: Ended): string => said.slice(said.indexOf('#1'));
  expect(blocks(beside)).toBe(blocks(inside));
  expect(blocks(inside)).toMatch(/server in "HTTP\/1\.1 200 OK"/);
  expect(inside.said).not.toContain('\u001b');
});

it('writes an object a line with --json: each connection, then the capture', async () => {
  const { status, records, said } = await belfryExplain(open, '--trust', root, '--json');
  expect([status, said]).toEqual([0, '']);
  expect(records).toMatchObject([
    { connection: 1, client: expect.stringMatching(/^10\.0\.0\.50:/), server: '10.0.0.10:443', tls: { version: '1.3' }, findings: [] },
    { capture: open, format: 'pcapng', connections: 1, tls: 1, faults: 0, secrets: 1 },
  ]);
});

describe('judges as a device does', () => {
  it('with CAs of a folder, of which one is none', async () => {
    mkdirSync(`${folder}/trust`);
    file('trust/site.pem', writePem('CERTIFICATE', pki.root));
    file('trust/notes.txt', 'nothing that is a certificate');
    const { status, said } = await belfryExplain(open, '--trust', `${folder}/trust`);
    expect(status).toBe(0);
    expect(said).toMatch(/^! .*notes\.txt .*\n/);
  });

  it('with the CAs of a flash image', async () => {
    const make = async (name: string, anchors: string): Promise<string> => {
      const argv = [
        'device',
        '--board',
        '8180-g2',
        '--mac',
        '0022EE0A0001',
        '--no-certificate',
        '--anchors',
        anchors,
        '--out',
        `${folder}/${name}`,
      ];
      await factoryCommand.run(parseArguments(factoryCommand, argv), { json: false, say: () => undefined, record: () => undefined });
      return `${folder}/${name}`;
    };
    const stranger = file('stranger.crt', writePem('CERTIFICATE', pki.stranger.chain.at(-1)!));
    expect((await belfryExplain(open, '--flash', await make('knows.flash', root))).status).toBe(0);
    const ignorant = await belfryExplain(open, '--flash', await make('ignorant.flash', stranger));
    expect(ignorant.status).toBe(1);
    expect(ignorant.said).toMatch(/mend first: upload the CA certificate/);
  });

  it('at another time, and for another name', async () => {
    const late = await belfryExplain(open, '--trust', root, '--at', '2040-01-01', '--json');
    expect([late.status, late.records.at(-1)!['mendFirst']]).toEqual([1, expect.objectContaining({ rule: 'expired' })]);
    const nameless = await exchange({ maxVersion: 'TLSv1.2', rejectUnauthorized: false, servername: '' }, server);
    const path = file('nameless.pcapng', nameless.capture(true));
    const told = await belfryExplain(path, '--trust', root, '--name', 'other.example.test', '--json');
    expect([told.status, told.records.at(-1)!['mendFirst']]).toEqual([1, expect.objectContaining({ rule: 'name' })]);
    expect((await belfryExplain(path, '--trust', root, '--name', 'prov.example.test')).status).toBe(0);
    // What the hello names comes first.
    expect((await belfryExplain(open, '--trust', root, '--name', 'other.example.test')).status).toBe(0);
    expect((await belfryExplain(path, '--trust', root)).status).toBe(0);
  });

  it('with the versions of a firmware', async () => {
    const old = await belfryExplain(open, '--trust', root, '--board', '8180-g2', '--firmware', '4.0');
    expect(old.status).toBe(1);
    expect(old.said).toMatch(/8180-g2 with firmware 4\.0 speaks TLS 1\.2 alone, and the server chose 1\.3/);
    const none = await belfryExplain(open, '--trust', root, '--board', '8061');
    expect(none.said).toMatch(/the 8061 with firmware .* has no TLS/);
  });
});

it.each([
  ['name a capture', []],
  ['there is no such file', ['absent.pcapng']],
  ['neither pcapng nor pcap', ['keys']],
  ['absent.keys: there is no such file', ['open', '--secrets', 'absent.keys']],
  ['absent.pem: there is no such file', ['open', '--trust', 'absent.pem']],
  ['--at yesterday is no date', ['open', '--at', 'yesterday']],
  ["there is no board '8302'", ['open', '--board', '8302']],
  ['--firmware needs --board', ['open', '--firmware', '5.5']],
  ["'new' is no firmware version", ['open', '--board', '8301', '--firmware', 'new']],
  ['see belfry explain --help', ['open', '--verbose']],
])('says what it cannot do: %s', async (reason, argv) => {
  const paths: Record<string, string> = { keys, open };
  await expect(async () => belfryExplain(...argv.map((argument) => paths[argument] ?? argument))).rejects.toThrow(reason);
});

it('refuses a file that does not fit, with the mend', async () => {
  const large = file('large.pcapng', '');
  truncateSync(large, 513e6);
  await expect(belfryExplain(large)).rejects.toThrow(/larger than 512 MB: cut the device out of it first \(tshark -r FILE/);
});
