/** Connections that OpenSSL makes are opened with their secrets, whatever version and suite they agree on. */
import { describe, expect, it } from 'vitest';
import { nodePlatform } from '../../hal/node/index.js';
import { makeTestPki } from '../support/test-pki.js';
import { explain } from './explain.js';
import { exchange, pem, shown } from './openssl.js';
import { captureOf, START, Wire } from './wire.js';

const pki = makeTestPki(nodePlatform(), { mac: '0022EE0A0001', serverName: 'prov.example.test', at: START / 1000 });
const server = shown(pki.server, pki.pkcs8.server);
const device = shown(pki.device, pki.pkcs8.device);
const MAC_THEN_ENCRYPT = 0x80000; // SSL_OP_NO_ENCRYPT_THEN_MAC

const only = (version: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') => ({ minVersion: version, maxVersion: version }) as const;
const suite = (ciphers: string) => ({ ciphers: `${ciphers}@SECLEVEL=0` });

describe('what OpenSSL agrees on', () => {
  it.each([
    ['1.3', 'TLS_AES_128_GCM_SHA256', { ...only('TLSv1.3'), ...suite('TLS_AES_128_GCM_SHA256:ALL') }],
    ['1.3', 'TLS_AES_256_GCM_SHA384', { ...only('TLSv1.3'), ...suite('TLS_AES_256_GCM_SHA384:ALL') }],
    ['1.3', 'TLS_CHACHA20_POLY1305_SHA256', { ...only('TLSv1.3'), ...suite('TLS_CHACHA20_POLY1305_SHA256:ALL') }],
    ['1.3', 'TLS_AES_128_CCM_SHA256', { ...only('TLSv1.3'), ...suite('TLS_AES_128_CCM_SHA256:ALL') }],
    ['1.3', 'TLS_AES_128_CCM_8_SHA256', { ...only('TLSv1.3'), ...suite('TLS_AES_128_CCM_8_SHA256:ALL') }],
    ['1.2', 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', { ...only('TLSv1.2'), ...suite('ECDHE-RSA-AES128-GCM-SHA256') }],
    ['1.2', 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', { ...only('TLSv1.2'), ...suite('ECDHE-RSA-AES256-GCM-SHA384') }],
    ['1.2', 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', { ...only('TLSv1.2'), ...suite('ECDHE-RSA-CHACHA20-POLY1305') }],
    ['1.2', 'TLS_RSA_WITH_AES_128_CCM', { ...only('TLSv1.2'), ...suite('AES128-CCM') }],
    ['1.2', 'TLS_RSA_WITH_AES_256_CCM_8', { ...only('TLSv1.2'), ...suite('AES256-CCM8') }],
    ['1.2', 'TLS_RSA_WITH_AES_128_CBC_SHA', { ...only('TLSv1.2'), ...suite('AES128-SHA') }],
    ['1.2', 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256', { ...only('TLSv1.2'), ...suite('ECDHE-RSA-AES128-SHA256') }],
    ['1.2', 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384', { ...only('TLSv1.2'), ...suite('ECDHE-RSA-AES256-SHA384') }],
    ['1.2', 'TLS_ECDHE_RSA_WITH_CAMELLIA_256_CBC_SHA384', { ...only('TLSv1.2'), ...suite('ECDHE-RSA-CAMELLIA256-SHA384') }],
    ['1.1', 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA', { ...only('TLSv1.1'), ...suite('ECDHE-RSA-AES256-SHA') }],
    ['1.0', 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA', { ...only('TLSv1'), ...suite('ECDHE-RSA-AES128-SHA') }],
  ] as const)('TLS %s, %s: read to the last alert', async (version, name, options) => {
    for (const secureOptions of name.includes('_CBC_') ? [0, MAC_THEN_ENCRYPT] : [0]) {
      const { capture } = await exchange(
        { ...options, ...device, ca: pem(pki.root), secureOptions },
        { ...options, ...server, ca: pem(pki.root), requestCert: true, secureOptions },
      );
      const [connection] = explain(capture(true), { trust: [pki.root] }).connections;
      expect(connection!.tls).toMatchObject({ version, suite: name, serverName: 'prov.example.test', finished: true, secrets: true });
      expect(connection!.said).toEqual({ client: 'GET /hello?… HTTP/1.1', server: 'HTTP/1.1 200 OK' });
      expect(connection!.tls!.alerts.map(({ by, name: alert }) => `${by} ${alert}`).sort()).toEqual([
        'client close_notify',
        'server close_notify',
      ]);
      expect(connection!.tls!.clientCertificates!.map(({ subject }) => subject)).toEqual([
        'CN=0022EE0A0001',
        'CN=Belfry Issuing CA,O=Belfry',
        'CN=Belfry Intermediate CA,O=Belfry',
      ]);
      expect(connection!.findings.filter(({ severity }) => severity === 'fault')).toEqual([]);
    }
  });

  it('a retry, for a group that the client did not guess', async () => {
    const { capture } = await exchange(
      { ...only('TLSv1.3'), ecdhCurve: 'X25519:P-384', ca: pem(pki.root) },
      { ...server, ecdhCurve: 'P-384' },
    );
    for (const secrets of [true, false]) {
      const { tls } = explain(capture(secrets)).connections[0]!;
      expect(tls).toMatchObject({ version: '1.3', retry: 'secp384r1', finished: true });
      expect(tls!.offered!.groups).toEqual(['x25519', 'secp384r1']);
    }
  });

  it('a ChangeCipherSpec that a client of TLS 1.3 sends before it has heard the server, for the eyes of middleboxes', async () => {
    const { said, secrets } = await exchange({ ...only('TLSv1.3'), ca: pem(pki.root) }, server);
    const wire = new Wire().open().data('client', said[0]!.bytes).data('client', '\u0014\u0003\u0003\u0000\u0001\u0001');
    const rest = said.slice(1);
    const answer = rest.findIndex(({ role }) => role === 'client');
    for (const { role, bytes } of rest.slice(0, answer)) wire.data(role, bytes);
    // The server has finished, the client has not.
    expect(explain(captureOf(wire.frames, secrets)).connections[0]!.tls).toMatchObject({ finished: false, resumed: false });
    for (const { role, bytes } of rest.slice(answer)) wire.data(role, bytes);
    expect(explain(captureOf(wire.frames, secrets)).connections[0]).toMatchObject({
      tls: { finished: true },
      said: { server: 'HTTP/1.1 200 OK' },
    });
  });

  it('secrets may stand in a file beside the capture, and behind the packets', async () => {
    const { capture, secrets } = await exchange({ ca: pem(pki.root) }, server);
    const beside = explain(capture(false), { secrets: `# a comment\r\n${secrets.join('\r\n')}\r\n` });
    expect(beside.connections[0]!.said.server).toBe('HTTP/1.1 200 OK');
    const none = capture(false);
    const behind = Buffer.concat([none, captureOfSecrets(capture(true))]);
    expect(explain(behind).connections[0]!.said.server).toBe('HTTP/1.1 200 OK');
  });

  it('secrets of another connection open nothing, and are not taken for wrong', async () => {
    const one = await exchange({ ca: pem(pki.root) }, server);
    const other = await exchange({ ca: pem(pki.root) }, server);
    const explained = explain(one.capture(false), { secrets: other.secrets.join('\n') });
    expect(explained.connections[0]!.tls).toMatchObject({ secrets: false, encrypted: true });
    expect(explained.summary).toMatchObject({ secrets: 1 });
  });
});

/** The block alone: what follows the section and its interface. */
function captureOfSecrets(file: Uint8Array): Uint8Array {
  const bytes = Buffer.from(file);
  for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at + 4))
    if (bytes.readUInt32LE(at) === 10) return file.subarray(at, at + bytes.readUInt32LE(at + 4));
  throw new Error('no secrets');
}
