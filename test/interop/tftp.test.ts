/** Provisioning over TFTP from dnsmasq: with options and without, small and large, and what it does not hand out. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { absent, Jail } from '../support/jail.js';
import { describeWith } from '../support/shared.js';
import { BELFRY, confText, Device } from './device.js';

const MAC = '020000AB0101';
const FILE = `algom${MAC}.conf`;
const CONF = confText({ 'admin.devname': 'lobby', 'sip.u1.user': '101' });
/** A little below and a little above what a settings file may have. */
const LARGE = `# ${'x'.repeat(60_000)}\n${CONF}`;
const TOO_LARGE = `# ${'x'.repeat(66_000)}\n${CONF}`;
/** Where dnsmasq listens, each on an address of its own: with all it has, and without block sizes. */
const SERVERS = {
  whole: { address: '127.0.0.3', args: [] },
  plain: { address: '127.0.0.4', args: ['--tftp-no-blocksize'] },
} as const;
const NOBODY = '127.0.0.6';

interface Case {
  folder: string;
  server?: keyof typeof SERVERS | 'nobody';
}

const CASES = {
  small: { folder: 'small' },
  large: { folder: 'large' },
  'large, without block sizes': { folder: 'large', server: 'plain' },
  'too large': { folder: 'toolarge' },
  'too large, without block sizes': { folder: 'toolarge', server: 'plain' },
  'checksum right': { folder: 'sum' },
  'checksum wrong': { folder: 'wrongsum' },
  'no file': { folder: 'empty' },
  'nobody there': { folder: 'small', server: 'nobody' },
} as const satisfies Record<string, Case>;

describeWith(
  'lab',
  'provisioning from dnsmasq by TFTP',
  () => {
    const run = mkdtempSync(`${tmpdir()}/belfry-tftp-`);
    const devices = new Map<string, Device>();
    let log = '';
    let jail: Jail;

    const serve = ({ address, args }: (typeof SERVERS)[keyof typeof SERVERS]): Promise<void> =>
      new Promise((resolve, reject) => {
        const fixed = ['--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--user=root', '--pid-file=', '--log-facility=-'];
        const tftp = ['--enable-tftp', `--tftp-root=${run}/www`, `--listen-address=${address}`, '--bind-interfaces', ...args];
        const server = jail.spawn('dnsmasq', [...fixed, ...tftp]);
        server.on('close', (status) => reject(new Error(`dnsmasq ended ${status}\n${log}`)));
        server.stderr!.on('data', (data) => {
          log += data;
          if (String(data).includes('TFTP root')) resolve();
        });
      });

    beforeAll(async () => {
      jail = new Jail('tftp');
      layFiles(`${run}/www`);
      await Promise.all(Object.values(SERVERS).map(serve));
      const image = `${run}/factory.flash`;
      const factory = ['factory', 'device', '--board', '8180-g2', '--mac', MAC, '--no-certificate', '--out', image];
      const { status, text } = await jail.run(process.execPath, [BELFRY, ...factory]);
      expect(status, text).toBe(0);
      let last = 10;
      for (const [name, { folder, server = 'whole' }] of Object.entries<Case>(CASES)) {
        const provision = `tftp://${server === 'nobody' ? NOBODY : SERVERS[server].address}/${folder}/`;
        const address = `127.0.0.${++last}`;
        devices.set(name, new Device({ jail, image, folder: `${run}/device-${last}`, address, provision }));
      }
    });
    afterAll(async () => {
      for (const device of devices.values()) await device.kill();
      jail.close();
      rmSync(run, { recursive: true });
    });

    it.each(['small', 'large', 'large, without block sizes', 'checksum right'] as const)('applies what it is handed: %s', async (name) => {
      const device = devices.get(name)!;
      expect(await device.event('provisioning.applied')).toMatchObject({ files: [FILE], changed: ['admin.devname', 'sip.u1.user'] });
      expect(log).toContain(`sent ${run}/www/${CASES[name].folder}/${FILE} to `);
    });

    it('asks for the companion, and takes it at its word', async () => {
      await devices.get('checksum right')!.event('provisioning.applied');
      expect(log).toContain(`sent ${run}/www/sum/${FILE}.md5 to `);
    });

    it.each([
      ['too large', { stage: 'download', kind: 'too-big' }],
      ['too large, without block sizes', { stage: 'download', kind: 'too-big' }],
      ['checksum wrong', { stage: 'integrity', detail: expect.stringContaining(FILE) }],
      ['no file', { stage: 'download', kind: 'not-found' }],
      ['nobody there', { stage: 'download', kind: 'timeout' }],
    ] as const)('applies nothing: %s', async (name, failure) => {
      const device = devices.get(name)!;
      const mend = expect.stringMatching(/.{10}/);
      expect(await device.event('provisioning.failed')).toMatchObject({ mend, ...failure });
      expect([device.all('provisioning.applied'), device.all('settings.changed')]).toEqual([[], []]);
    });
  },
  absent('dnsmasq'),
);

function layFiles(www: string): void {
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
  const files = {
    [`small/${FILE}`]: CONF,
    [`large/${FILE}`]: LARGE,
    [`toolarge/${FILE}`]: TOO_LARGE,
    [`sum/${FILE}`]: CONF,
    [`sum/${FILE}.md5`]: `${md5(CONF)}  ${FILE}\n`,
    [`wrongsum/${FILE}`]: CONF,
    [`wrongsum/${FILE}.md5`]: `${md5(LARGE)}  ${FILE}\n`,
    'empty/nothing': '',
  };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(`${www}/${path.replace(/[^/]*$/, '')}`, { recursive: true });
    writeFileSync(`${www}/${path}`, content);
  }
}
