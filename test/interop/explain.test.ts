/**
 * `belfry explain` on captures of real troubles: `belfry run` as the device, nginx and OpenSSL as its servers, tcpdump as the mirrored
 * port. Each trouble is named with its mend, from outside without secrets, and from the device's own capture with them; what was agreed
 * and said is what tshark reads there.
 */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPem } from '../../core/certs/pem.codec.js';
import type { Der } from '../../hal/hal.js';
import { suiteName } from '../../hal/layers/tls-suites.js';
import { alertName, groupName } from '../../hal/layers/tls-wire.codec.js';
import { readCaptureFile } from '../../tools/explain/capture-file.codec.js';
import { explain } from '../explain/explain.js';
import { describeLab, Lab } from '../support/lab.js';
import { BELFRY, Device } from './device.js';

const MAC = '020000AB0101';
const VALIDATING = { 'prov.download.cert': '1' };
/** The firmware that speaks TLS 1.2 alone, whose certificates anybody sees, and one that speaks 1.3. */
const FIRMWARE = ['4.0', '5.5'] as const;

interface Trouble {
  port: number;
  image?: 'factory' | 'none';
  rule: string;
  detail: RegExp;
  mend: RegExp;
  /** The rule that is left of it where TLS 1.3 hides the rest; the same where absent. */
  hidden?: string;
}

const TROUBLES = {
  'a rogue server': {
    port: 8446,
    rule: 'unknown-issuer',
    detail: /its issuer "CN=Rogue CA,O=Rogue" is not among the trusted; the client refuses it/,
    mend: /another machine answers in place of your server/,
    hidden: 'client-refuses-server',
  },
  'an expired server': {
    port: 8447,
    rule: 'expired',
    detail: /it ended at 2021-01-01/,
    mend: /renew the certificate of .* which ended on 2021-01-01/,
    hidden: 'client-refuses-server',
  },
  'a wrong name': {
    port: 8448,
    rule: 'name',
    detail: /it is for other\.example\.test, 127\.9\.9\.9, not for 127\.0\.0\.1/,
    mend: /configure a name that the certificate .* holds/,
    hidden: 'client-refuses-server',
  },
  'a server that trusts only the issuing CA, nginx': {
    port: 9543,
    rule: 'server-trusts-issuing-only',
    detail: /^your server trusts only the issuing CA "CN=Lab Issuing CA,O=Lab"/,
    mend: /^install root and intermediate too: "CN=Lab Root CA,O=Lab", "CN=Lab Intermediate CA,O=Lab"/,
    // nginx says no inside TLS, which looks like any other short answer.
    hidden: '',
  },
  'a server that trusts only the issuing CA, OpenSSL': {
    port: 9544,
    rule: 'server-trusts-issuing-only',
    detail: /and refuses the device \(alert unknown_ca\)$/,
    mend: /^install root and intermediate too/,
    hidden: 'client-certificate-refused',
  },
  'a device without certificate, nginx': {
    port: 8443,
    image: 'none',
    rule: 'client-certificate-missing',
    detail: /^this device sent no certificate although the server asked for one/,
    mend: /made before 2019, without one/,
  },
  'a device without certificate, OpenSSL': {
    port: 9544,
    image: 'none',
    rule: 'client-certificate-missing',
    detail: /and is refused: (alert (handshake_failure|certificate_required)|an alert, by the length of its record)$/,
    mend: /certs\/sipclient\.pem/,
  },
  'TLS 1.1 against 1.2 only': {
    port: 8445,
    rule: 'version',
    detail: /TLS 1\.[12]/,
    mend: /^let the server speak TLS 1\.2/,
  },
} as const satisfies Record<string, Trouble>;
const NAMES = Object.keys(TROUBLES) as (keyof typeof TROUBLES)[];
const CASES = FIRMWARE.flatMap((firmware) => NAMES.map((name) => [firmware, name] as const));

describeLab('belfry explain in the lab', () => {
  let lab: Lab;
  let root: Der;
  /** What the mirrored port showed, and the secrets of all devices. */
  let mirror: string;
  let keys: string;
  const children: ChildProcess[] = [];
  const devices: { address: string; device: Device }[] = [];

  beforeAll(async () => {
    lab = new Lab();
    await lab.script('mkpki.sh');
    await lab.script('prov.sh', 'start');
    root = certificateOf(lab.pki('root.crt'));
    mirror = `${lab.run}/mirror.pcap`;
    keys = `${lab.run}/keys.txt`;
    const tcpdump = await start(
      'tcpdump',
      ['-i', 'lo', '--immediate-mode', '-U', '-n', '-s', '0', '-Z', 'root', '-w', mirror, 'tcp'],
      /listening on/,
    );
    writeFileSync(`${lab.run}/issuing.conf`, issuingOnly(lab));
    children.push(lab.jail.spawn('nginx', ['-e', 'stderr', '-p', lab.run, '-c', `${lab.run}/issuing.conf`], { stdio: 'ignore' }));
    const shows = ['-cert', lab.pki('server.crt'), '-key', lab.pki('server.key'), '-cert_chain', lab.pki('chain.pem')];
    const demands = ['-CAfile', lab.pki('issuing.crt'), '-Verify', '4', '-verify_return_error'];
    await start('openssl', ['s_server', '-accept', '127.0.0.1:9544', '-WWW', ...shows, ...demands], /ACCEPT/);
    const images = await makeImages(lab);
    for (const [i, [firmware, name]] of CASES.entries()) {
      const trouble: Trouble = TROUBLES[name];
      const address = `127.0.0.${20 + i}`;
      const common = { jail: lab.jail, folder: `${lab.run}/device-${i}`, settings: VALIDATING, address, firmware };
      const provision = `https://127.0.0.1:${trouble.port}/prov/`;
      devices.push({ address, device: new Device({ ...common, image: images[trouble.image ?? 'factory'], provision }) });
    }
    await Promise.all(devices.map(({ device }) => device.event('provisioning.failed', 60)));
    await lab.jail.run('openssl', [
      's_client',
      '-connect',
      '127.0.0.1:8443',
      '-bind',
      '127.0.0.90:0',
      '-tls1_1',
      '-cipher',
      'DEFAULT@SECLEVEL=0',
    ]);
    await Promise.all(devices.map(({ device }) => device.stop()));
    for (const { device } of devices) appendFileSync(keys, secretsIn(device.capture));
    tcpdump.kill('SIGINT');
    await once(tcpdump, 'close');
  });
  afterAll(async () => {
    for (const { device } of devices) await device.kill();
    for (const child of children) child.kill();
    await lab.close();
  });

  /** Returns once it has said that it is ready. */
  const start = async (program: string, args: string[], ready: RegExp): Promise<ChildProcess> => {
    const child = lab.jail.spawn(program, args);
    children.push(child);
    let said = '';
    await new Promise<void>((resolve, reject) => {
      const hear = (data: unknown): void => {
        said += String(data);
        if (ready.test(said)) resolve();
      };
      child.stdout!.on('data', hear);
      child.stderr!.on('data', hear);
      child.on('close', (status) => reject(new Error(`${program} ended ${status}\n${said}`)));
    });
    return child;
  };

  it.each(CASES)('firmware %s, %s: named with its mend, from the device’s own capture', (firmware, name) => {
    const trouble: Trouble = TROUBLES[name];
    const index = CASES.findIndex((each) => each[0] === firmware && each[1] === name);
    const { status, connections, text } = explain(readFileSync(devices[index]!.device.capture), { trust: [root] });
    expect(status).toBe(1);
    expect(connections[0]!.findings[0]).toMatchObject({
      severity: 'fault',
      rule: trouble.rule,
      detail: expect.stringMatching(trouble.detail),
      mend: expect.stringMatching(trouble.mend),
    });
    expect(text).toContain('mend first: ');
  });

  it.each(CASES)('firmware %s, %s: from the mirrored port, without secrets', (firmware, name) => {
    const trouble: Trouble = TROUBLES[name];
    const { address } = devices[CASES.findIndex((each) => each[0] === firmware && each[1] === name)]!;
    const { connections } = explain(readFileSync(mirror), { trust: [root] });
    const own = connections.filter(({ client }) => client.startsWith(`${address}:`));
    const findings = own.flatMap((connection) => connection.findings);
    const faults = findings.filter(({ severity }) => severity === 'fault');
    const hidden = firmware === '5.5' && trouble.hidden !== undefined;
    const expected = [hidden ? trouble.hidden! : trouble.rule].filter((rule) => rule !== '');
    // A device tries again, and meets the same.
    expect([...new Set(faults.map(({ rule }) => rule))], JSON.stringify(own)).toEqual(expected);
    if (hidden) expect(findings.map(({ rule }) => rule)).toContain('encrypted');
    else
      for (const { detail, mend } of faults)
        expect([detail, mend]).toEqual([expect.stringMatching(trouble.detail), expect.stringMatching(trouble.mend)]);
  });

  it('a client of TLS 1.1 against a server of 1.2 is told to be upgraded', () => {
    const { connections } = explain(readFileSync(mirror), { trust: [root] });
    const old = connections.find(({ client }) => client.startsWith('127.0.0.90:'))!;
    expect(old.tls!.offered!.versions).toEqual(['up to 1.1']);
    expect(old.findings).toMatchObject([{ rule: 'version', mend: expect.stringMatching(/^upgrade the device to firmware 4\.0/) }]);
  });

  it('agrees with tshark about every connection: name, version, suite, certificates, alerts', () => {
    const { connections } = explain(readFileSync(mirror), { trust: [root], secrets: readFileSync(keys, 'utf8') });
    const tls = connections.filter((connection) => connection.tls);
    expect(tls.length).toBeGreaterThanOrEqual(CASES.length + 1);
    const seen = tsharkView(mirror, keys);
    for (const { client, tls: report } of tls) {
      const theirs = seen.get(client)!;
      expect([client, report!.suite ?? '']).toEqual([client, theirs.suites.map((suite) => suiteName(Number(suite))).at(-1) ?? '']);
      const ours = report!.alerts.flatMap(({ by, name }) => (name === undefined ? [] : [`${by} ${name}`]));
      expect([client, ...ours]).toEqual([client, ...theirs.alerts]);
      const subjects = [...(report!.serverCertificates ?? []), ...(report!.clientCertificates ?? [])];
      expect([client, subjects.length]).toEqual([client, theirs.certificates]);
    }
  });

  describe('names that tshark knows too', () => {
    let known: string[][];
    beforeAll(() => {
      const text = execFileSync('tshark', ['-G', 'values'], {
        encoding: 'latin1',
        maxBuffer: 2 ** 28,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      known = text.split('\n').map((line) => line.split('\t'));
    });
    const table = (field: string): [number, string][] =>
      known.flatMap(([, name, value, text]) => (name === field && text !== undefined ? [[Number(value), text] as [number, string]] : []));
    it('suites', () => {
      const theirs = table('tls.handshake.ciphersuite').filter(([number]) => !suiteName(number).startsWith('0x'));
      expect(theirs.length).toBeGreaterThan(150);
      for (const [number, name] of theirs) expect(suiteName(number)).toBe(name);
    });
    it('alerts and groups', () => {
      const plain = (text: string): string => text.toLowerCase().replace(/ /g, '_');
      const alerts = table('tls.alert_message.desc').filter(([number]) => !alertName(number).startsWith('alert '));
      expect(alerts.length).toBeGreaterThan(25);
      for (const [number, name] of alerts) expect(alertName(number)).toBe(plain(name));
      const groups = table('tls.handshake.extensions_supported_group').filter(([number]) => !groupName(number).startsWith('group '));
      expect(groups.length).toBeGreaterThan(5);
      for (const [number, name] of groups) expect(groupName(number)).toBe(name);
    });
  });
});

interface TsharkView {
  suites: string[];
  alerts: string[];
  certificates: number;
}

const FIELDS = [
  'ip.src',
  'tcp.srcport',
  'ip.dst',
  'tcp.dstport',
  'tls.handshake.type',
  'tls.handshake.ciphersuite',
  'tls.alert_message.desc',
  'tls.handshake.certificate',
];

/** What tshark reads of each client's connection; a hello of the client lists suites, one of the server has chosen. */
function tsharkView(file: string, keys: string): Map<string, TsharkView> {
  const ports = ['-d', 'tcp.port==8443-9544,tls', '-o', `tls.keylog_file:${keys}`];
  const asked = FIELDS.flatMap((field) => ['-e', field]);
  const text = execFileSync('tshark', ['-r', file, ...ports, '-Y', 'tls', '-T', 'fields', ...asked], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const views = new Map<string, TsharkView>();
  for (const line of text.split('\n').filter(Boolean)) {
    const [source, sourcePort, destination, destinationPort, types = '', suites = '', alerts = '', certificates = ''] = line.split('\t');
    const fromClient = source !== '127.0.0.1';
    const client = fromClient ? `${source}:${sourcePort}` : `${destination}:${destinationPort}`;
    const view = views.get(client) ?? { suites: [], alerts: [], certificates: 0 };
    views.set(client, view);
    if (types.split(',').includes('2')) view.suites.push(suites);
    for (const alert of alerts.split(',').filter(Boolean))
      view.alerts.push(`${fromClient ? 'client' : 'server'} ${alertName(Number(alert))}`);
    view.certificates += certificates.split(',').filter(Boolean).length;
  }
  return views;
}

/** The key log that a device's own capture holds. */
function secretsIn(path: string): string {
  const capture = readCaptureFile(readFileSync(path));
  if (!capture.ok) throw new Error(capture.error);
  return `${capture.value.secrets}\n`;
}

const certificateOf = (path: string): Der => {
  const blocks = readPem(readFileSync(path));
  if (!blocks.ok) throw new Error(blocks.error.detail);
  return blocks.value[0]!.octets;
};

async function makeImages(lab: Lab): Promise<Record<'factory' | 'none', string>> {
  const images = { factory: `${lab.run}/factory.flash`, none: `${lab.run}/none.flash` };
  const belfry = async (...args: string[]): Promise<void> => {
    const { status, text } = await lab.jail.run(process.execPath, [BELFRY, ...args]);
    expect(status, text).toBe(0);
  };
  const device = ['factory', 'device', '--board', '8180-g2', '--mac', MAC];
  await belfry(...device, '--cert', lab.pki('device-full.pem'), '--key', lab.pki('device.key'), '--out', images.factory);
  await belfry(...device, '--no-certificate', '--out', images.none);
  for (const image of Object.values(images)) await belfry('flash', 'put', image, 'certs/trusted/lab.pem', lab.pki('root.crt'));
  return images;
}

/** An administrator who installed the first of the vendor's three files and thought that it was the root. */
const issuingOnly = (lab: Lab): string => `
daemon off;
user root;
worker_processes 1;
pid ${lab.run}/issuing.pid;
error_log stderr;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path ${lab.run}/t1; proxy_temp_path ${lab.run}/t2; fastcgi_temp_path ${lab.run}/t3;
  uwsgi_temp_path ${lab.run}/t4; scgi_temp_path ${lab.run}/t5;
  server {
    listen 127.0.0.1:9543 ssl;
    root ${lab.run}/www;
    ssl_certificate ${lab.pki('server-full.pem')};
    ssl_certificate_key ${lab.pki('server.key')};
    ssl_client_certificate ${lab.pki('issuing.crt')};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_verify_client on;
    ssl_verify_depth 5;
  }
}
`;
