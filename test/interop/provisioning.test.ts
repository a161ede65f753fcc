/**
 * Provisioning from nginx and lighttpd, as an administrator gets it right and wrong. Every device starts with a good configuration, and
 * whatever its provisioning server does, that configuration is what runs.
 */
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeLab, Lab } from '../support/lab.js';
import { BELFRY, confText, Device } from './device.js';

const MAC = '020000AB0101';
const OTHER = '020000AB0202';
const FILE = `algom${MAC}.conf`;
const VALIDATING = { 'prov.download.cert': '1' };
/** How to register at the lab's Kamailio, over UDP: this is about provisioning. */
const GOOD = { 'sip.proxy': 'sip.example.test', 'sip.obproxy': '127.0.0.1:5060', 'sip.transp': 'udp' };
/** The lab's registrar takes five contacts an account: the devices share these out. */
const ACCOUNTS = ['alice', 'bob', 'pager', 'dev1', 'sipp1', 'sipp2'];

interface Case {
  /** The folder of the server. */
  url: string;
  image?: 'factory' | 'none' | 'own';
  settings?: Readonly<Record<string, string>>;
}

const MUTUAL = 'https://127.0.0.1:9443';
const DIGEST = 'https://127.0.0.1:9444';
const LOGIN = { 'prov.auth.user': 'prov', 'prov.auth.pwd': 'provpw' };
const WRONG_LOGIN = { 'prov.auth.user': 'prov', 'prov.auth.pwd': 'guessed' };

const CASES = {
  // First, because it takes longest.
  'too slow': { url: `${MUTUAL}/trickle/` },
  'factory identity': { url: `${MUTUAL}/good/` },
  'no device certificate': { url: `${MUTUAL}/good/`, image: 'none' },
  'sipclient.pem': { url: `${MUTUAL}/good/`, image: 'own' },
  'rogue CA': { url: 'https://127.0.0.1:8446/prov/' },
  'expired server': { url: 'https://127.0.0.1:8447/prov/' },
  'wrong name': { url: 'https://127.0.0.1:8448/prov/' },
  moved: { url: `${MUTUAL}/moved/` },
  'moved to HTTP': { url: `${MUTUAL}/clear/` },
  'moved to a rogue server': { url: `${MUTUAL}/elsewhere/` },
  'moved in a circle': { url: `${MUTUAL}/round/` },
  'Basic, right': { url: `${MUTUAL}/basic/`, settings: LOGIN },
  'Basic, wrong': { url: `${MUTUAL}/basic/`, settings: WRONG_LOGIN },
  'Basic, none': { url: `${MUTUAL}/basic/` },
  'Digest MD5, right': { url: `${DIGEST}/md5/`, settings: LOGIN },
  'Digest MD5, wrong': { url: `${DIGEST}/md5/`, settings: WRONG_LOGIN },
  'Digest SHA-256, right': { url: `${DIGEST}/sha256/`, settings: LOGIN },
  'no file': { url: `${MUTUAL}/empty/` },
  truncated: { url: `${MUTUAL}/truncated/` },
  'chunks without end': { url: `${MUTUAL}/chunkcut/` },
  stalled: { url: `${MUTUAL}/stall/` },
  oversized: { url: `${MUTUAL}/big/` },
  'busy server': { url: `${MUTUAL}/busy/` },
  'checksum right': { url: `${MUTUAL}/sum/` },
  'checksum wrong': { url: `${MUTUAL}/wrongsum/` },
  'settings that the device cannot do': { url: `${MUTUAL}/unfit/` },
} as const satisfies Record<string, Case>;

describeLab('provisioning from nginx and lighttpd', () => {
  let lab: Lab;
  const servers: ChildProcess[] = [];
  const devices = new Map<string, Device>();

  beforeAll(async () => {
    lab = new Lab();
    await lab.script('mkpki.sh');
    layFiles(lab.run);
    await Promise.all([lab.script('kam.sh', 'start'), lab.script('prov.sh', 'start')]);
    serve('nginx', ['-e', 'stderr', '-p', lab.run, '-c', `${lab.run}/faults.conf`]);
    serve('lighttpd', ['-D', '-f', fileURLToPath(new URL('peers/digest.lighttpd.conf', import.meta.url))]);
    const images = await makeImages(lab);
    let last = 10;
    for (const [name, { url, image = 'factory', settings }] of Object.entries<Case>(CASES)) {
      const folder = `${lab.run}/device-${++last}`;
      const options = { jail: lab.jail, image: images[image], folder, address: `127.0.0.${last}`, provision: url };
      const user = ACCOUNTS[last % ACCOUNTS.length]!;
      const account = { 'sip.u1.user': user, 'sip.u1.pwd': `${user}pw` };
      const device = new Device({ ...options, settings: { ...VALIDATING, ...account, ...settings } });
      devices.set(name, device);
      // All at once they would keep each other from their handshakes in time.
      await device.event('provisioning.started');
    }
  }, 300_000);
  afterAll(async () => {
    for (const device of devices.values()) await device.kill();
    for (const server of servers) server.kill();
    await lab.close();
  });

  const serve = (program: string, args: string[]): void => {
    servers.push(lab.jail.spawn(program, args, { env: { RUN: lab.run }, stdio: 'ignore' }));
  };
  const on = (name: keyof typeof CASES): Device => devices.get(name)!;

  const applied = async (name: keyof typeof CASES): Promise<Device> => {
    const device = on(name);
    expect(await device.event('provisioning.applied', 100)).toMatchObject({ files: [FILE] });
    await device.event('registration.registered');
    return device;
  };

  /** The event that ends the run, and the last good configuration in use after it. */
  const refused = async (name: keyof typeof CASES, failure: object): Promise<Device> => {
    const device = on(name);
    const mend = expect.stringMatching(/.{10}/);
    expect(await device.event('provisioning.failed', 110)).toMatchObject({ mend, ...failure });
    expect(await device.event('registration.registered')).toMatchObject({ server: '127.0.0.1:5060' });
    expect(device.all('provisioning.applied')).toEqual([]);
    expect(device.all('settings.changed').filter(({ by }) => by === 'provisioned')).toEqual([]);
    return device;
  };

  it('applies what nginx hands to the factory identity', async () => {
    expect((await applied('factory identity')).all('provisioning.applied')).toMatchObject([{ clientCertificate: MAC }]);
    expect(lab.log('faults')).toMatch(new RegExp(`:9443 "GET /good/${FILE} HTTP/1.1" 200 verify=SUCCESS cn=CN=${MAC},`));
  });

  it('says that it has no certificate where the server asks for one', async () => {
    const device = await refused('no device certificate', { stage: 'download', kind: 'refused' });
    expect(device.all('provisioning.failed')[0]!.mend).toMatch(/certificate/);
    expect(lab.log('faults')).toMatch(/:9443 "GET \/good\/.*" 400 verify=NONE/);
  });

  it('shows sipclient.pem in place of the factory identity', async () => {
    const device = on('sipclient.pem');
    expect(await device.event('provisioning.applied')).toMatchObject({ clientCertificate: OTHER });
    expect(lab.log('faults')).toMatch(new RegExp(`GET /good/${FILE} .*verify=SUCCESS cn=CN=${OTHER},`));
  });

  it.each([
    ['rogue CA', 'unknown-issuer', 8446],
    ['expired server', 'expired', 8447],
    ['wrong name', 'name', 8448],
  ] as const)('refuses a %s, and asks it for nothing', async (name, rule, port) => {
    const device = await refused(name, { stage: 'tls', kind: 'tls-refused' });
    expect(device.all('tls.refused')[0]).toMatchObject({ service: 'provisioning', peer: `127.0.0.1:${port}`, by: 'us', rule });
    expect(lab.log('nginx')).not.toContain(`:${port} "`);
  });

  it('follows a redirect', async () => {
    const device = await applied('moved');
    expect(device.all('provisioning.redirected').map(({ to }) => to)).toContain(`${MUTUAL}/good/${FILE}`);
  });
  it('never follows a redirect from HTTPS to HTTP', async () => {
    await refused('moved to HTTP', { stage: 'download', detail: expect.stringContaining('http://127.0.0.1:9080') });
    expect(lab.log('faults')).not.toMatch(/:9080 "/);
  });
  it('judges the server to which it is redirected like any other', async () => {
    const device = await refused('moved to a rogue server', { stage: 'tls', kind: 'tls-refused' });
    expect(device.all('tls.refused')[0]).toMatchObject({ peer: '127.0.0.1:8446', rule: 'unknown-issuer' });
  });
  it('does not follow redirects in a circle', () => refused('moved in a circle', { stage: 'download' }));

  it.each(['Basic, right', 'Digest MD5, right', 'Digest SHA-256, right'] as const)('logs in: %s', async (name) => {
    await applied(name);
  });
  it.each([
    'Basic, wrong',
    'Basic, none',
    'Digest MD5, wrong',
  ] as const)('says that its login is refused, and does not try it again: %s', async (name) => {
    const device = await refused(name, { stage: 'download', kind: 'refused', detail: expect.stringContaining('401') });
    expect(device.all('provisioning.failed')[0]!.mend).toMatch(/prov\.auth/);
    expect(JSON.stringify(device.events)).not.toContain('guessed');
  });

  it.each([
    ['no file', { stage: 'download', kind: 'not-found' }],
    ['truncated', { stage: 'download', kind: 'reset' }],
    ['chunks without end', { stage: 'download', kind: 'reset' }],
    ['stalled', { stage: 'download', kind: 'timeout' }],
    ['oversized', { stage: 'download', kind: 'too-big' }],
    ['busy server', { stage: 'download', detail: expect.stringContaining('503') }],
    ['checksum wrong', { stage: 'integrity', detail: expect.stringContaining(FILE) }],
    ['settings that the device cannot do', { stage: 'settings' }],
    ['too slow', { stage: 'download', kind: 'timeout' }],
  ] as const)('keeps its configuration: %s', async (name, failure) => {
    await refused(name, failure);
  });

  it('applies a file whose checksum is right', async () => {
    await applied('checksum right');
    expect(lab.log('faults')).toContain(`"GET /sum/${FILE}.md5 HTTP/1.1" 200`);
  });
});

/** A good configuration is on the chip already; the lab's root is trusted. */
async function makeImages(lab: Lab): Promise<Record<NonNullable<Case['image']>, string>> {
  const belfry = async (...args: string[]): Promise<void> => {
    const { status, text } = await lab.jail.run(process.execPath, [BELFRY, ...args]);
    expect(status, text).toBe(0);
  };
  const make = async (name: string, ...identity: string[]): Promise<string> => {
    const image = `${lab.run}/${name}.flash`;
    await belfry('factory', 'device', '--board', '8180-g2', '--mac', MAC, ...identity, '--out', image);
    await belfry('flash', 'put', image, 'certs/trusted/lab.pem', lab.pki('root.crt'));
    await belfry('flash', 'put', image, 'settings/provisioned.conf', `${lab.run}/good.conf`);
    return image;
  };
  const certificate = ['--cert', lab.pki('device-full.pem'), '--key', lab.pki('device.key')];
  const factory = await make('factory', ...certificate);
  const none = await make('none', '--no-certificate');
  const own = await make('own', ...certificate);
  const pem = `${lab.run}/own.pem`;
  writeFileSync(pem, Buffer.concat(['device-other.crt', 'chain.pem', 'device-other.key'].map((name) => readFileSync(lab.pki(name)))));
  await belfry('flash', 'put', own, 'certs/sipclient.pem', pem);
  return { factory, none, own };
}

/** What the servers hand out, below the folder of the lab. */
function layFiles(run: string): void {
  const put = (path: string, content: string | Uint8Array): void => {
    mkdirSync(`${run}/${path.replace(/[^/]*$/, '')}`, { recursive: true });
    writeFileSync(`${run}/${path}`, content);
  };
  const conf = confText({ ...GOOD, 'admin.devname': 'lobby' });
  put('good.conf', confText(GOOD));
  for (const folder of ['good', 'sum', 'wrongsum', 'md5', 'sha256']) put(`www/${folder}/${FILE}`, conf);
  put(`www/big/${FILE}`, `# ${'x'.repeat(5_000_000)}\n`);
  put(`www/trickle/${FILE}`, conf + '# a line that takes its time\n'.repeat(200));
  put(`www/unfit/${FILE}`, confText({ ...GOOD, 'sip.srtp': 'always' }));
  put('www/empty/nothing', '');
  put(`www/sum/${FILE}.md5`, `${createHash('md5').update(conf).digest('hex')}  ${FILE}\n`);
  put(`www/wrongsum/${FILE}.md5`, `${createHash('md5').update('something else').digest('hex')}  ${FILE}\n`);
  put('htpasswd', 'prov:{PLAIN}provpw\n');
  const ha1 = (algorithm: string): string => createHash(algorithm).update('prov:Lab:provpw').digest('hex');
  put('htdigest', `prov:Lab:${ha1('md5')}\nprov:Lab:${ha1('sha256')}\n`);
  cpSync(fileURLToPath(new URL('peers/provisioning.nginx.conf', import.meta.url)), `${run}/faults.conf`);
}
