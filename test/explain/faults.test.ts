/** The troubles that installers have, made with OpenSSL: each is named with its mend, with the secrets and without. */
import { describe, expect, it } from 'vitest';
import { findBoard } from '../../boards/index.js';
import { issueDeviceCertificate, issueServerCertificate, makeAuthorities } from '../../core/certs/authority.js';
import { featuresOf } from '../../core/device/features.js';
import type { Der } from '../../hal/hal.js';
import { nodePlatform } from '../../hal/node/index.js';
import { randomStream } from '../../sim/world/random.js';
import { type Explained, explain, rules } from './explain.js';
import { ASKED, exchange, pem, shown } from './openssl.js';
import { START } from './wire.js';

const platform = nodePlatform();
const ports = { crypto: platform.crypto, entropy: randomStream(1, 'explain') };
const NOW = START / 1000;
const DAY = 86_400_000;
const key = (index: number) => platform.testKey(index);
const authorities = (organization: string, first: number) =>
  makeAuthorities(ports, {
    keys: { root: key(first).key, intermediate: key(first + 1).key, issuing: key(first + 2).key },
    made: NOW - 1000 * DAY,
    organization,
  });
const site = authorities('Site', 0);
const rogue = authorities('Rogue', 3);
const factory = authorities('Belfry', 6);
const SERVER_KEY = key(9);
const DEVICE_KEY = key(10);

function server(issuer = site.issuing, name = 'prov.example.test', until = NOW + 100 * DAY, chain?: Der[]) {
  const options = { names: [{ type: 'dns' as const, value: name }] as const, from: NOW - 500 * DAY, until };
  const leaf = issueServerCertificate(ports, { ...options, publicKey: SERVER_KEY.key.spki, issuer });
  const above = chain ?? (issuer === site.issuing ? [site.issuing.certificate, site.intermediate.certificate] : []);
  return shown({ chain: [leaf, ...above] }, SERVER_KEY.pkcs8);
}

const deviceLeaf = issueDeviceCertificate(ports, {
  mac: '0022EE0A0001',
  made: NOW - 500 * DAY,
  publicKey: DEVICE_KEY.key.spki,
  issuer: factory.issuing,
});
const DEVICE_CHAIN = [deviceLeaf, factory.issuing.certificate, factory.intermediate.certificate];
const device = shown({ chain: DEVICE_CHAIN }, DEVICE_KEY.pkcs8);
const v12 = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
const v13 = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const;
/** As our own binding does it: OpenSSL does not judge, the client leaves by itself. */
const trusting = { rejectUnauthorized: false };
const trust = [site.root.certificate];

const first = ({ connections }: Explained) => connections[0]!.findings[0]!;
const text = (explained: Explained): string => explained.text.replace(/\s+/g, ' ');

describe('a server that the device does not take', () => {
  it.each([
    ['of a stranger', server(rogue.issuing), 'unknown-issuer', /another machine answers in place of your server/],
    [
      'expired',
      server(site.issuing, undefined, NOW - DAY),
      'expired',
      /renew the certificate of "CN=prov\.example\.test", which ended on 2025-12-31/,
    ],
    ['of another name', server(site.issuing, 'other.example.test'), 'name', /configure a name that the certificate .* holds/],
    ['whose intermediate is missing', server(site.intermediate, undefined, undefined, []), 'unknown-issuer', /let the server send it too/],
  ])('%s', async (_title, shows, rule, mend) => {
    for (const version of [v12, v13]) {
      // OpenSSL judges dates by this machine's clock: the verdict is asked of it, and its word is that it leaves.
      const { capture } = await exchange({ ...version, ca: pem(rogue.root.certificate) }, shows);
      const open = explain(capture(true), { trust });
      expect(open.status).toBe(1);
      expect(rules(open)).toEqual([`fault ${rule}`]);
      expect(first(open).mend).toMatch(mend);
      expect(open.summary['mendFirst']).toMatchObject({ connection: 1, rule });
      expect(text(open)).toMatch(/mend first: /);
      const shut = explain(capture(false), { trust });
      expect(shut.status).toBe(1);
      expect(rules(shut)).toEqual(version === v12 ? [`fault ${rule}`] : ['fault client-refuses-server', 'note encrypted']);
    }
  });

  it('is a fault even where this client goes on, and that is said', async () => {
    const { capture } = await exchange({ ...v12, ...trusting }, server(rogue.issuing));
    const explained = explain(capture(true), { trust });
    expect(rules(explained)).toEqual(['fault unknown-issuer']);
    expect(first(explained).detail).toMatch(/the client went on all the same/);
  });

  it('may be good for all that is known, where nobody says whom the device trusts', async () => {
    const { capture } = await exchange({ ...v12, ...trusting }, server());
    const explained = explain(capture(true));
    expect([explained.status, ...rules(explained)]).toEqual([0, 'note unknown-issuer']);
    expect(first(explained).mend).toMatch(/--trust FILE or --flash IMAGE/);
  });

  it('that left out what another connection shows: the missing certificates are named', async () => {
    const whole = await exchange({ ...v12, ...trusting }, server());
    const short = await exchange({ ...v12, ca: pem(rogue.root.certificate) }, server(undefined, undefined, undefined, []));
    const both = Buffer.concat([whole.capture(false), short.capture(false)]);
    const explained = explain(both, { trust });
    const wrong = explained.connections.find(({ findings }) => findings.length > 0)!;
    expect(wrong.findings[0]!.mend).toBe(
      'let the server send the intermediate certificate "CN=Site Issuing CA,O=Site" and "CN=Site Intermediate CA,O=Site" too, after its own, in one file (nginx: ssl_certificate)',
    );
  });

  it('is good by the CAs given: then the device lacks one of them, or the time', async () => {
    const { capture } = await exchange({ ...v12, ca: pem(rogue.root.certificate) }, server());
    const explained = explain(capture(false), { trust });
    expect(rules(explained)).toEqual(['fault client-refuses-server']);
    expect(first(explained).mend).toMatch(/"CN=Site Root CA,O=Site" in certs\/trusted, that its clock is right/);
    expect(rules(explain(capture(false), { trust, at: NOW + 200 * DAY }))).toEqual(['fault expired']);
  });
});

describe('a server that does not take the device', () => {
  const asking = { ...server(), requestCert: true, rejectUnauthorized: true };

  it.each([
    ['1.2', v12, false],
    ['1.2', v12, true],
    ['1.3', v13, false],
    ['1.3', v13, true],
  ] as const)('because it shows no certificate: TLS %s, %s', async (_name, version, secrets) => {
    const { capture } = await exchange({ ...version, ...trusting }, { ...asking, ...version, ca: pem(factory.root.certificate) });
    const explained = explain(capture(secrets), { trust });
    expect(explained.status).toBe(1);
    expect(rules(explained)).toEqual(['fault client-certificate-missing', ...(version === v13 && !secrets ? ['note encrypted'] : [])]);
    expect(first(explained).detail).toMatch(/this device sent no certificate although the server asked for one/);
    if (secrets || version === v12) expect(first(explained).detail).toContain('of "CN=Belfry Root CA,O=Belfry"');
    else expect(first(explained).detail).toContain('told by the length of the record');
    expect(first(explained).mend).toMatch(/made before 2019, without one.* certs\/sipclient\.pem/);
  });

  it('and says so inside TLS, as nginx does', async () => {
    const optional = { ...asking, rejectUnauthorized: false, ca: pem(factory.root.certificate) };
    const { capture } = await exchange(
      { ...v12, ...trusting },
      optional,
      'HTTP/1.1 400 Bad Request\r\n\r\nNo required SSL certificate was sent',
    );
    expect(first(explain(capture(true), { trust })).detail).toMatch(/and is refused: "HTTP\/1\.1 400 Bad Request" inside TLS/);
    expect(first(explain(capture(false), { trust })).detail).toMatch(/whether the server minds cannot be seen/);
    const served = await exchange({ ...v12, ...trusting }, optional);
    expect([explain(served.capture(true), { trust }).status, ...rules(explain(served.capture(true), { trust }))]).toEqual([
      0,
      'note client-certificate-missing',
    ]);
  });

  it.each([v12, v13])('because it trusts only the issuing CA', async (version) => {
    const { capture } = await exchange({ ...version, ...trusting, ...device }, { ...asking, ca: pem(factory.issuing.certificate) });
    const explained = explain(capture(true), { trust });
    expect(rules(explained)).toEqual(['fault server-trusts-issuing-only']);
    expect(first(explained)).toMatchObject({
      detail: expect.stringMatching(/^your server trusts only the issuing CA "CN=Belfry Issuing CA,O=Belfry".*refuses the device/),
      mend: expect.stringMatching(/^install root and intermediate too: "CN=Belfry Root CA,O=Belfry", "CN=Belfry Intermediate CA,O=Belfry"/),
    });
    const shut = explain(capture(false), { trust });
    expect(rules(shut)[0]).toBe(version === v12 ? 'fault server-trusts-issuing-only' : 'fault client-certificate-refused');
    expect(shut.connections[0]!.tls!.clientCertificate).toEqual({ state: 'sent', inferred: version === v13 });
  });

  it('because it trusts others', async () => {
    const { capture } = await exchange({ ...v12, ...trusting, ...device }, { ...asking, ca: pem(rogue.root.certificate) });
    const explained = explain(capture(true), { trust });
    expect(rules(explained)).toEqual(['fault client-certificate-refused']);
    expect(first(explained).mend).toMatch(/^install the chain of the device at the server: "CN=Belfry Root CA,O=Belfry", "CN=Belfry Inter/);
  });

  it('because the device sends no more than its own certificate', async () => {
    const alone = shown({ chain: [deviceLeaf] }, DEVICE_KEY.pkcs8);
    const whole = await exchange({ ...v12, ...trusting, ...device }, { ...asking, ca: pem(factory.root.certificate) });
    const { capture } = await exchange({ ...v12, ...trusting, ...alone }, { ...asking, ca: pem(factory.root.certificate) });
    const explained = explain(Buffer.concat([whole.capture(true), capture(true)]), { trust });
    const wrong = explained.connections.find(({ findings }) => findings.length > 0)!;
    expect(wrong.findings[0]!.mend).toMatch(/^install the whole chain of the device at the server .* certs\/sipclient\.pem$/);
  });
});

describe('versions and suites that do not meet', () => {
  const tls11 = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } as const;

  it('a client of TLS 1.1 and a server of 1.2', async () => {
    const { capture } = await exchange({ ...tls11, ...trusting }, { ...server(), minVersion: 'TLSv1.2' });
    const explained = explain(capture(false), { trust });
    expect(rules(explained)).toEqual(['fault version']);
    expect(first(explained).detail).toBe(
      'the client offers nothing newer than TLS 1.1, and the server wants a newer one (alert protocol_version)',
    );
    expect(first(explained).mend).toMatch(/^upgrade the device to firmware 4\.0 or later/);
  });

  it.each([v12, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' } as const])('a client of TLS 1.2 and a server of 1.1', async (version) => {
    const { capture } = await exchange({ ...version, ...trusting }, { ...server(), ...tls11 });
    const explained = explain(capture(false), { trust });
    expect(rules(explained)).toEqual(['fault version']);
    expect(first(explained).detail).toMatch(/TLS 1\.[12].*\((alert protocol_version|it left)\)$/);
    expect(first(explained).mend).toMatch(
      /^let the server speak TLS 1\.2 .*before firmware 4\.0, while "Force secure TLS Version" is off$/,
    );
  });

  it('TLS 1.1 that both speak is noted, and a fault by the firmware that no longer has it', async () => {
    const { capture } = await exchange({ ...tls11, ...trusting }, { ...server(), ...tls11 });
    expect([explain(capture(true), { trust }).status, ...rules(explain(capture(true), { trust }))]).toEqual([0, 'note version']);
    const board = findBoard('8180-g2')!;
    expect(rules(explain(capture(true), { trust, features: featuresOf(board, '3.2') }))).toEqual(['note version']);
    const newer = explain(capture(true), { trust, features: featuresOf(board, '5.5') });
    expect(rules(newer)).toEqual(['fault version', 'note version']);
    expect(first(newer).detail).toContain('8180-g2 with firmware 5.5 speaks TLS 1.2 to 1.3, and the server chose 1.1');
  });

  it('no suite in common', async () => {
    const { capture } = await exchange(
      { ...v12, ...trusting, ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' },
      { ...server(), ...v12, ciphers: 'AES256-SHA@SECLEVEL=0' },
    );
    const explained = explain(capture(false), { trust });
    expect(rules(explained)).toEqual(['fault suites']);
    expect(explained.connections[0]!.tls!.offered!.suites).toEqual([
      'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
      'TLS_EMPTY_RENEGOTIATION_INFO_SCSV',
    ]);
  });
});

it('keeps what is asked for to the path: what follows it may be a secret', async () => {
  const { capture } = await exchange(trusting, server());
  const { text: all, connections } = explain(capture(true), { trust });
  expect(ASKED).toContain('1234');
  expect(all).toContain('GET /hello?… HTTP/1.1');
  expect(all + JSON.stringify(connections)).not.toContain('1234');
});
