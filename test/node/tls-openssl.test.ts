/** Both ends against OpenSSL's own client and server over real TCP: what Node does with itself proves little. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../hal/base/bytes.js';
import { expectOk } from '../../hal/base/result.js';
import { conformanceIdentity } from '../../hal/conformance/index.js';
import type { TlsClientOptions, TlsServerOptions, TlsStream, TlsVersion, Verdict } from '../../hal/hal.js';
import { keyObjectOf } from '../../hal/node/crypto.js';
import { createNodeHost, type NodeHost } from '../../hal/node/index.js';
import { pem } from '../../hal/node/octets.js';
import { until } from '../conformance/real-bench.js';
import { type Recorder, record } from './recorder.js';

const installed = spawnSync('openssl', ['version']).status === 0;
const ACCEPTED: Verdict = { ok: true, verified: true };
const REFUSED: Verdict = { ok: false, rule: 'expired', subject: 'CN=x', clock: 0, detail: 'too old', mend: '' };
const LOOPBACK = '127.0.0.1';
const FLAG: Record<TlsVersion, string[]> = {
  '1.0': ['-tls1', '-cipher', 'ALL:@SECLEVEL=0'],
  '1.1': ['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'],
  '1.2': ['-tls1_2'],
  '1.3': ['-tls1_3'],
};
const only = (version: TlsVersion): { versions: { min: TlsVersion; max: TlsVersion } } => ({ versions: { min: version, max: version } });

describe.skipIf(!installed)(`TLS against OpenSSL's own ends${installed ? '' : ' (no openssl on this machine)'}`, () => {
  let host: NodeHost;
  let folder: string;
  const children: ChildProcessWithoutNullStreams[] = [];

  beforeAll(async () => {
    host = expectOk(await createNodeHost({ address: LOOPBACK, ports: { tcp: [0] } }), 'host');
    folder = mkdtempSync(join(tmpdir(), 'belfry-'));
    for (const end of ['server', 'client'] as const) {
      const { chain, key } = conformanceIdentity(host.crypto, end);
      writeFileSync(join(folder, `${end}.crt`), chain.map((der) => pem('CERTIFICATE', der)).join(''));
      writeFileSync(join(folder, `${end}.key`), keyObjectOf(key)!.export({ type: 'pkcs8', format: 'pem' }));
    }
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill();
  });
  afterAll(async () => {
    await host.close();
    rmSync(folder, { recursive: true });
  });

  const identity = (end: 'server' | 'client') => conformanceIdentity(host.crypto, end);
  const files = (end: 'server' | 'client'): string[] => ['-cert', join(folder, `${end}.crt`), '-key', join(folder, `${end}.key`)];

  function openssl(...args: string[]): { child: ChildProcessWithoutNullStreams; out(): string; all(): string } {
    const child = spawn('openssl', args);
    children.push(child);
    let out = '';
    let errors = '';
    child.stdout.on('data', (bytes) => (out += bytes));
    child.stderr.on('data', (bytes) => (errors += bytes));
    return { child, out: () => out, all: () => out + errors };
  }

  /** A server that sends each line back turned round. */
  async function server(...more: string[]): Promise<{ port: number; out(): string; all(): string }> {
    const process = openssl('s_server', '-accept', `${LOOPBACK}:0`, ...files('server'), ...more);
    const port = await until('the port', () => /ACCEPT .*:(\d+)/.exec(process.all())?.[1], 5_000_000);
    return { port: Number(port), ...process };
  }

  function connect(port: number, options: Partial<TlsClientOptions>): { stream: TlsStream; seen: Recorder } {
    const stream = host.tls.client(host.net.connect({ address: LOOPBACK, port }), {
      versions: { min: '1.2', max: '1.3' },
      verify: () => ACCEPTED,
      ...options,
    });
    return { stream, seen: record(stream) };
  }

  it.each(['1.0', '1.1', '1.2', '1.3'] as const)('talks %s to s_server with a certificate on both sides', async (version) => {
    const { port } = await server(...FLAG[version], '-rev', '-Verify', '1', '-verify_quiet');
    const { stream, seen } = connect(port, { ...only(version), identity: identity('client') });
    const { peer } = await seen.opened();
    expect(peer).toEqual({ address: LOOPBACK, port });
    expect(stream.secured).toMatchObject({ version, resumed: false, peer: identity('server').chain });
    stream.write(utf8('belfry\n'));
    await seen.received('yrfleb\n');
    stream.end();
    expect((await seen.closed()).error).toBeUndefined();
  });

  it.each(['1.2', '1.3'] as const)('sends s_server no octet of application data after a refusal, with %s', async (version) => {
    const refused = await server(...FLAG[version]);
    const { stream, seen } = connect(refused.port, { ...only(version), verify: () => REFUSED });
    expect((await seen.closed()).error).toEqual({ kind: 'tls-refused', detail: 'expired: too old' });
    expect(stream.write(utf8('REGISTER sip:example.test'))).toBe(0);
    // The next connection is served after the refused one is through: what that sent, the server has written down by now.
    const { stream: next, seen: nextSeen } = connect(refused.port, only(version));
    await nextSeen.opened();
    next.write(utf8('OPTIONS of the next\n'));
    await until('the next request', () => (refused.out().includes('OPTIONS of the next') ? true : undefined), 5_000_000);
    expect(refused.out()).not.toContain('REGISTER');
  });

  it('names the alert of an s_server that requires a certificate', async () => {
    const { port } = await server('-Verify', '1', '-verify_return_error', '-tls1_2');
    expect((await connect(port, only('1.2')).seen.closed()).error).toEqual({ kind: 'tls-alert', detail: 'alert handshake failure' });
    const later = await server('-Verify', '1', '-verify_return_error', '-tls1_3');
    expect((await connect(later.port, only('1.3')).seen.closed()).error).toEqual({
      kind: 'tls-alert',
      detail: 'alert certificate required',
    });
  });

  it('names the alert of an s_server that does not trust our certificate', async () => {
    const { port } = await server('-Verify', '1', '-verify_return_error', '-tls1_2');
    const { seen } = connect(port, { ...only('1.2'), identity: identity('client') });
    expect((await seen.closed()).error).toMatchObject({
      kind: 'tls-alert',
      detail: expect.stringMatching(/^alert (unknown ca|bad certificate|decrypt error)/),
    });
  });

  it('names the alert of a version that s_server has not', async () => {
    const { port } = await server('-tls1_3');
    expect((await connect(port, only('1.2')).seen.closed()).error).toEqual({ kind: 'tls-alert', detail: 'alert protocol version' });
  });

  /** One connection of s_client to our server. */
  function serve(
    options: Partial<TlsServerOptions>,
    ...client: string[]
  ): { seen: Promise<{ stream: TlsStream; seen: Recorder }>; out(): string; all(): string } {
    let accepted: { stream: TlsStream; seen: Recorder } | undefined;
    const listener = expectOk(
      host.net.listen({ port: 0, backlog: 1 }, (under) => {
        const stream = host.tls.server(under, {
          versions: { min: '1.2', max: '1.3' },
          identity: identity('server'),
          client: 'no',
          ...options,
        });
        accepted = { stream, seen: record(stream) };
        listener.close();
      }),
      'port',
    );
    const process = openssl('s_client', '-connect', `${LOOPBACK}:${listener.local.port}`, ...client);
    process.child.stdin.write('from the client\n');
    return { seen: until('a connection', () => accepted, 5_000_000), ...process };
  }

  it.each(['1.0', '1.1', '1.2', '1.3'] as const)('serves %s to s_client, and sees its certificate', async (version) => {
    const chains: unknown[] = [];
    const verify = (peer: { chain: readonly Uint8Array[] }): Verdict => {
      chains.push(peer.chain);
      return ACCEPTED;
    };
    const { seen: opening, out } = serve({ ...only(version), client: 'required', verify }, ...FLAG[version], ...files('client'), '-quiet');
    const { stream, seen } = await opening;
    await seen.received('from the client\n');
    expect(chains).toEqual([identity('client').chain]);
    stream.write(utf8('from the server\n'));
    await until('the answer', () => (out().includes('from the server') ? true : undefined), 5_000_000);
    stream.end();
  });

  it('requires a certificate of s_client by an alert, and names the issuers that it wants', async () => {
    const issuer = issuerNamed('Belfry Device CA');
    const { seen: opening, all } = serve({ client: 'required', verify: () => ACCEPTED, issuers: [issuer] }, '-tls1_2');
    const { seen } = await opening;
    expect((await seen.closed()).error).toMatchObject({ kind: 'tls-refused', detail: expect.stringContaining('no-certificate') });
    const printed = ['CA names', 'alert handshake failure'];
    await until('what it got', () => (printed.every((text) => all().includes(text)) ? true : undefined), 5_000_000);
    expect(all()).toMatch(/Acceptable client certificate CA names\s+CN = Belfry Device CA/);
    expect(seen.types()).toEqual(['closed']);
  });

  it('lets nothing in from a client that it refuses', async () => {
    const { seen: opening } = serve({ client: 'required', verify: () => REFUSED }, ...files('client'), '-quiet');
    const { seen } = await opening;
    expect((await seen.closed()).error).toEqual({ kind: 'tls-refused', detail: 'expired: too old' });
    expect(seen.types()).toEqual(['closed']);
  });
});

/** A distinguished name of one common name (RFC 5280 4.1.2.4). */
function issuerNamed(commonName: string): Uint8Array {
  const text = Buffer.from(commonName, 'utf8');
  const tlv = (tag: number, ...parts: Uint8Array[]): Buffer => {
    const content = Buffer.concat(parts);
    return Buffer.concat([Buffer.of(tag, content.length), content]);
  };
  return new Uint8Array(tlv(0x30, tlv(0x31, tlv(0x30, tlv(0x06, Buffer.of(0x55, 0x04, 0x03)), tlv(0x0c, text)))));
}
