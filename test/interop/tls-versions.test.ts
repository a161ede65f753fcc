/**
 * TLS versions against `openssl s_server`, which speaks one version only and serves the settings itself. "Securing Algo IP Endpoints" p. 8:
 * "Algo devices running firmware v3.1 & above support TLS v1.1 and v1.2. Force Secure TLS Version option may be used to require TLS
 * connections to use TLSv1.2." "This option has been removed in v4.0+ since TLS v1.2 is used by default".
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { absent, Jail } from '../support/jail.js';
import { describeWith } from '../support/shared.js';
import { BELFRY, confText, Device } from './device.js';

const MAC = '020000AB0101';
/** Old versions sign with SHA-1, which OpenSSL has at its lowest security level only. */
const OLD = ['-cipher', 'DEFAULT:@SECLEVEL=0'];
const SERVERS = {
  '1.0': { address: '127.0.0.3', args: ['-tls1', ...OLD] },
  '1.1': { address: '127.0.0.4', args: ['-tls1_1', ...OLD] },
  '1.2': { address: '127.0.0.5', args: ['-tls1_2'] },
  '1.3': { address: '127.0.0.6', args: ['-tls1_3'] },
} as const;
type Version = keyof typeof SERVERS;
const PORT = 4433;
/** s_server has no 404 and says "Error opening" in a file's place: no companion is asked for. */
const PLAIN = { 'prov.md5': 'off' };
const FORCED = { ...PLAIN, 'sip.tls.force': '1' };

describeWith(
  'lab',
  'TLS versions against openssl s_server',
  () => {
    const run = mkdtempSync(`${tmpdir()}/belfry-tls-`);
    const image = `${run}/factory.flash`;
    const logs = new Map<Version, string>();
    let jail: Jail;
    let device: Device | undefined;
    let devices = 0;

    const serve = (version: Version): Promise<void> =>
      new Promise((resolve, reject) => {
        const { address, args } = SERVERS[version];
        const identity = ['-cert', `${run}/server.crt`, '-key', `${run}/server.key`];
        const server = jail.spawn('openssl', ['s_server', '-accept', `${address}:${PORT}`, ...identity, '-WWW', ...args], {
          cwd: `${run}/www`,
        });
        const heard = (data: unknown): void => {
          logs.set(version, (logs.get(version) ?? '') + String(data));
          if (logs.get(version)!.includes('ACCEPT')) resolve();
        };
        server.stdout!.on('data', heard);
        server.stderr!.on('data', heard);
        server.on('close', (status) => reject(new Error(`s_server ended ${status}\n${logs.get(version)}`)));
      });

    beforeAll(async () => {
      jail = new Jail('tlsver');
      mkdirSync(`${run}/www`);
      writeFileSync(`${run}/www/algop8180g2.conf`, '# nothing of its own\n');
      writeFileSync(`${run}/www/algom${MAC}.conf`, confText({ 'admin.devname': 'lobby' }));
      const made = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=prov.example.test', '-days', '30'];
      await jail.run('openssl', ['req', ...made, '-out', `${run}/server.crt`, '-keyout', `${run}/server.key`]);
      const factory = ['factory', 'device', '--board', '8180-g2', '--mac', MAC, '--no-certificate', '--out', image];
      const { status, text } = await jail.run(process.execPath, [BELFRY, ...factory]);
      expect(status, text).toBe(0);
      await Promise.all((Object.keys(SERVERS) as Version[]).map(serve));
    });
    afterEach(async () => {
      await device?.kill();
      device = undefined;
    });
    afterAll(() => {
      jail.close();
      rmSync(run, { recursive: true });
    });

    const start = (firmware: string, version: Version, settings: Record<string, string>): Device => {
      const provision = `https://${SERVERS[version].address}:${PORT}/`;
      device = new Device({ jail, image, folder: `${run}/device-${++devices}`, firmware, settings, provision });
      return device;
    };

    it.each<[firmware: string, version: Version, option: string, settings: Record<string, string>]>([
      ['3.1', '1.1', 'off', PLAIN], // "v3.1 & above support TLS v1.1"
      ['3.9.9', '1.1', 'off', PLAIN],
      ['3.1', '1.2', 'off', PLAIN], // "and v1.2"
      ['3.1', '1.2', 'on', FORCED],
      ['3.0.9', '1.0', 'absent', PLAIN], // ours
      ['4.0', '1.2', 'absent', PLAIN], // "TLS v1.2 is used by default"
      ['5.5', '1.3', 'absent', PLAIN], // ours
    ])('firmware %s is provisioned with TLS %s, "Force secure TLS Version" %s', async (firmware, version, _option, settings) => {
      logs.set(version, '');
      const unit = start(firmware, version, settings);
      expect(await unit.event('provisioning.applied')).toMatchObject({ changed: ['admin.devname'] });
      expect(unit.all('tls.accepted')[0]).toMatchObject({ service: 'provisioning', version });
      expect(logs.get(version)).toContain(`FILE:algom${MAC}.conf`);
    });

    it.each<[firmware: string, version: Version, option: string, settings: Record<string, string>]>([
      ['3.1', '1.1', 'on', FORCED], // "to require TLS connections to use TLSv1.2"
      ['3.9.9', '1.1', 'on', FORCED],
      ['4.0', '1.1', 'absent', PLAIN], // "removed in v4.0+ since TLS v1.2 is used by default"
      ['5.5', '1.1', 'absent', PLAIN],
      ['3.1', '1.0', 'off', PLAIN],
      ['4.0', '1.3', 'absent', PLAIN], // ours
    ])('firmware %s gets nothing with TLS %s, "Force secure TLS Version" %s', async (firmware, version, _option, settings) => {
      logs.set(version, '');
      const unit = start(firmware, version, settings);
      expect(await unit.event('tls.refused')).toMatchObject({
        service: 'provisioning',
        rule: 'version',
        mend: expect.stringMatching(/TLS version/),
      });
      expect(await unit.event('provisioning.failed')).toMatchObject({ stage: 'tls' });
      expect(unit.all('settings.changed')).toEqual([]);
      expect(logs.get(version)).not.toContain('FILE:');
    });
  },
  absent('openssl'),
);
