import { beforeAll, describe, expect, it } from 'vitest';
import { fromUtf8, utf8 } from '../../hal/base/bytes.js';
import { streamPair } from '../../hal/conformance/index.js';
import type { TlsClientOptions, UnixMillis } from '../../hal/hal.js';
import { nodePlatform } from '../../hal/node/index.js';
import type { HttpRequest, HttpServer, HttpServerTls } from '../../hal/platform.js';
import { later, realNow } from '../conformance/real-bench.js';
import { makeTestPki, type TestPki } from '../support/test-pki.js';
import { record } from './recorder.js';

const platform = nodePlatform();
/** Far from any machine's clock: the server judges by the path alone. */
const LONG_AGO: UnixMillis = Date.UTC(2003, 0, 1);
const VERSIONS = { min: '1.2', max: '1.3' } as const;

interface Rig {
  server: HttpServer;
  requests: HttpRequest[];
  errors: string[];
  secrets: string[];
}

describe("Node's HTTP server over TLS over streams in memory", () => {
  let pki: TestPki;
  beforeAll(() => {
    pki = makeTestPki(platform, { mac: '0022EE0A0001', serverName: 'prov.example.test', at: LONG_AGO });
  });

  function rig(options: Partial<HttpServerTls>): Rig {
    const made: Omit<Rig, 'server'> = { requests: [], errors: [], secrets: [] };
    const server = platform.httpServer({
      tls: {
        identity: pki.server,
        clientCertificate: 'required',
        clientAuthorities: [pki.root],
        versions: VERSIONS,
        wall: () => LONG_AGO,
        onSecret: (line) => made.secrets.push(line),
        ...options,
      },
      handle: (request) => {
        made.requests.push(request);
        return { status: 200, headers: { ETag: '"1"' }, body: utf8('a = 1\n') };
      },
      onClientError: (detail) => made.errors.push(detail),
    });
    return { server, ...made };
  }

  function get({ server }: Rig, options: Partial<TlsClientOptions>) {
    const [near, far] = streamPair({ later, now: realNow });
    server.accept(far);
    const client = platform
      .tls({ now: realNow })
      .client(near, { versions: VERSIONS, verify: () => ({ ok: true, verified: true }), ...options });
    const request = utf8('GET /algop8180g2.conf HTTP/1.1\r\nHost: prov.example.test\r\nConnection: close\r\n\r\n');
    const seen = record(client, (event) => {
      if (event.type === 'open') client.write(request);
      if (event.type === 'end') client.end();
    });
    return { client, seen };
  }

  it.each([
    '1.2',
    '1.3',
  ] as const)('serves a client whose certificate chains, at a time far from that of this machine, with TLS %s', async (version) => {
    const rigged = rig({});
    const { seen } = get(rigged, { identity: pki.device, versions: { min: version, max: version } });
    expect((await seen.closed()).error).toBeUndefined();
    // No Date: it would differ from run to run.
    expect(seen.text()).toBe('HTTP/1.1 200 OK\r\nContent-Length: 6\r\nETag: "1"\r\nConnection: close\r\n\r\na = 1\n');
    expect(rigged.requests).toMatchObject([
      { method: 'GET', target: '/algop8180g2.conf', headers: { host: 'prov.example.test' }, client: { commonName: '0022EE0A0001' } },
    ]);
    expect(rigged.requests[0]?.client?.der).toEqual(pki.device.chain[0]);
    expect(rigged.secrets.length).toBeGreaterThan(0);
    expect(rigged.errors).toEqual([]);
  });

  it.each([
    ['expired', 31],
    ['is not valid before', -31],
  ])('serves no client whose certificate %s', async (words, years) => {
    const rigged = rig({ wall: () => LONG_AGO + years * 365 * 86_400_000 });
    const { seen } = get(rigged, { identity: pki.device });
    await seen.closed();
    expect(seen.text()).toMatch(/^HTTP\/1\.1 400 /);
    expect(rigged.requests).toEqual([]);
    expect(rigged.errors).toEqual([expect.stringContaining(words)]);
  });

  it('serves no client without a certificate, nor one of another authority', async () => {
    for (const options of [{}, { identity: pki.stranger }]) {
      const rigged = rig({});
      const { seen } = get(rigged, options);
      await seen.closed();
      expect(seen.text()).toMatch(/^HTTP\/1\.1 400 /);
      expect(rigged.requests).toEqual([]);
      expect(rigged.errors).toEqual([expect.stringMatching(/no certificate|does not chain/)]);
    }
  });

  it('asks, and takes what comes, where a certificate is a matter of choice', async () => {
    const asked = rig({ clientCertificate: 'asked' });
    const { seen } = get(asked, {});
    await seen.closed();
    expect(asked.requests.map(({ client }) => client)).toEqual([undefined]);
  });

  it('reports what is no HTTP, and TLS that fails', async () => {
    const rigged = rig({ clientCertificate: 'no' });
    const [near, far] = streamPair({ later, now: realNow });
    rigged.server.accept(far);
    const client = platform.tls({ now: realNow }).client(near, { versions: VERSIONS, verify: () => ({ ok: true, verified: true }) });
    const seen = record(client, (event) => event.type === 'open' && client.write(utf8('SIP/2.0 what is this\r\n\r\n')));
    await seen.closed();
    const { seen: old } = get(rig({ versions: { min: '1.3', max: '1.3' } }), { versions: { min: '1.2', max: '1.2' } });
    expect((await old.closed()).error).toMatchObject({ kind: 'tls-alert' });
    expect(rigged.errors).toHaveLength(1);
    expect(fromUtf8(utf8(rigged.errors[0]!))).toContain('Parse Error');
  });

  it('close ends what is open', async () => {
    const rigged = rig({ clientCertificate: 'no' });
    const [near, far] = streamPair({ later, now: realNow });
    rigged.server.accept(far);
    const client = platform.tls({ now: realNow }).client(near, { versions: VERSIONS, verify: () => ({ ok: true, verified: true }) });
    const seen = record(client);
    await seen.opened();
    rigged.server.close();
    await seen.closed();
  });
});

it("Node's HTTP server without TLS serves over streams in memory", async () => {
  const seenRequests: HttpRequest[] = [];
  const server = platform.httpServer({
    handle: (request) => {
      seenRequests.push(request);
      return { status: 304, headers: { ETag: '"1"', 'WWW-Authenticate': ['Basic realm="a"', 'Digest realm="b"'] } };
    },
    onClientError: () => {},
  });
  const [near, far] = streamPair({ later, now: realNow });
  server.accept(far);
  const seen = record(near, (event) => event.type === 'end' && near.end());
  near.write(utf8('GET /a HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n'));
  await seen.closed();
  expect(seen.text()).toBe(
    'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nWWW-Authenticate: Basic realm="a"\r\nWWW-Authenticate: Digest realm="b"\r\nConnection: close\r\n\r\n',
  );
  expect(seenRequests).toMatchObject([{ method: 'GET', target: '/a', headers: { host: 'b' } }]);
});
