/** `belfry flash` as its users call it: what it says of a file is what the device would. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Command, parseArguments } from '../../tools/command.js';
import { factoryCommand } from '../../tools/commands/factory.js';
import { flashCommand } from '../../tools/commands/flash.js';

const folder = mkdtempSync(`${tmpdir()}/belfry-flash-`);
const image = `${folder}/lobby.flash`;

async function call(command: Command, argv: readonly string[], json = false): Promise<{ status: number; said: string; records: object[] }> {
  const said: string[] = [];
  const records: object[] = [];
  const io = { json, say: (line: string) => void said.push(line), record: (record: object) => void records.push(record) };
  const status = await command.run(parseArguments(command, argv), io);
  return { status, said: said.join('\n'), records };
}
const flash = (...argv: string[]) => call(flashCommand, argv);
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });

beforeAll(async () => {
  await call(factoryCommand, ['ca', '--out', `${folder}/ca`, '--server', 'lobby.example.test']);
  await call(factoryCommand, ['device', '--board', '8180-g2', '--mac', '0022EE0A0001', '--ca', `${folder}/ca`, '--out', image]);
  openssl('pkcs12', '-export', '-inkey', 'ca/server.key', '-in', 'ca/server.crt', '-passout', 'pass:ab c', '-out', 'lobby.p12');
  writeFileSync(`${folder}/pass`, 'ab c\nsecond line');
});
afterAll(() => rmSync(folder, { recursive: true }));

it('puts certificates where they belong, and says what they are', async () => {
  expect(await flash('put', image, 'certs/trusted/site.crt', `${folder}/ca/root.crt`)).toMatchObject({
    status: 0,
    said: 'certs/trusted/site.crt: CN=Belfry Root CA,O=Belfry',
  });
  const put = ['put', image, 'certs/sipclient.pem', `${folder}/lobby.p12`];
  expect(await flash(...put)).toMatchObject({ status: 1, said: 'certs/sipclient.pem refused: is encrypted: give its passphrase' });
  expect(await flash(...put, '--passphrase-file', `${folder}/pass`)).toMatchObject({
    status: 0,
    said: [
      'certs/sipclient.pem: CN=lobby.example.test; CN=Belfry Issuing CA,O=Belfry; CN=Belfry Intermediate CA,O=Belfry',
      '  note: "CN=lobby.example.test" is not for use as a TLS client: servers may refuse it',
      '  note: "CN=Belfry Root CA,O=Belfry" is not in the file: peers have to have its certificate',
    ].join('\n'),
  });
  expect(readFileSync(image).includes('BEGIN PRIVATE KEY')).toBe(true);
});

it('refuses them where they do not, by the folder or the firmware', async () => {
  const refusal = async (...argv: string[]) => (await flash('put', image, ...argv)).said;
  expect(await refusal('certs/sipclient.pem', `${folder}/ca/root.crt`)).toMatch(/refused: .* belongs in certs\/trusted, without its key$/);
  expect(await refusal('certs/trusted/x', `${folder}/ca/server.key`)).toMatch(/refused: holds a private key/);
  expect(await refusal('certs/trusted/x', `${folder}/ca/root.crt`, '--firmware', '3.0')).toMatch(/from firmware 3.1, and runs 3.0/);
  expect(await refusal('logs/x', `${folder}/ca/root.crt`)).toMatch(/no file can be put at logs\/x: use/);
  const { records } = await call(flashCommand, ['put', image, 'certs/trusted/x', `${folder}/pass`], true);
  expect(records).toEqual([{ refused: 'certs/trusted/x', kind: 'refused', detail: 'is neither PEM nor DER' }]);
  await expect(flash('put', image, 'certs/trusted/x', `${folder}/ca/root.crt`, '--firmware', 'x')).rejects.toThrow(/no firmware version/);
});

it('shows certificates with their dates, and the days that are left', async () => {
  const { said } = await flash('inspect', image);
  expect(said).toMatch(/^ {4}CN=0022EE0A0001, valid from \d{4}-\d\d-\d\d until \d{4}-\d\d-\d\d, 109\d\d days left$/m);
  expect(said).toMatch(/file certs\/sipclient.pem .*octets\n {4}CN=lobby.example.test, valid from .*, 82[45] days left$/m);
  expect(said).toMatch(/file certs\/trusted\/site.crt .*octets\n {4}CN=Belfry Root CA,O=Belfry, valid/m);
  const { records } = await call(flashCommand, ['inspect', image], true);
  expect(records).toMatchObject([
    {
      certificates: [{ subject: 'CN=0022EE0A0001' }, { subject: 'CN=Belfry Issuing CA,O=Belfry' }, {}],
      files: [
        { path: 'certs/sipclient.pem', certificates: [{ subject: 'CN=lobby.example.test' }, {}, {}] },
        { path: 'certs/trusted/site.crt' },
      ],
    },
  ]);
});
