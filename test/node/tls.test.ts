import { describe, expect, it } from 'vitest';
import { utf8 } from '../../hal/base/bytes.js';
import { conformanceIdentity, type MemoryStream, streamPair } from '../../hal/conformance/index.js';
import type { TlsClientOptions, TlsServerOptions, TlsVersion, Verdict } from '../../hal/hal.js';
import { createNodeCrypto } from '../../hal/node/crypto.js';
import { createNodeTls } from '../../hal/node/tls.js';
import { later, realNow } from '../conformance/real-bench.js';
import { type Recorder, record } from './recorder.js';

const clock = { now: realNow };
const crypto = createNodeCrypto({ clock, keysOn: 'turn' });
const engine = createNodeTls(clock);
const SERVER = conformanceIdentity(crypto, 'server');
const CLIENT = conformanceIdentity(crypto, 'client');
const ACCEPTED: Verdict = { ok: true, verified: true };
const REFUSED: Verdict = { ok: false, rule: 'unknown-issuer', subject: 'CN=x', clock: 0, detail: 'nobody vouches', mend: 'upload it' };

interface Ends {
  client: ReturnType<typeof engine.client>;
  server: ReturnType<typeof engine.server>;
  atClient: Recorder;
  atServer: Recorder;
  wire: [MemoryStream, MemoryStream];
}

function ends(client: Partial<TlsClientOptions> = {}, server: Partial<TlsServerOptions> = {}): Ends {
  const wire = streamPair({ later, now: realNow });
  const versions = { min: '1.2', max: '1.3' } as const;
  const c = engine.client(wire[0], { versions, verify: () => ACCEPTED, ...client });
  const s = engine.server(wire[1], { versions, identity: SERVER, client: 'no', ...server });
  return { client: c, server: s, atClient: record(c), atServer: record(s), wire };
}

const only = (version: TlsVersion): { versions: { min: TlsVersion; max: TlsVersion } } => ({ versions: { min: version, max: version } });

describe('TLS over a stream in memory', () => {
  it.each(['1.0', '1.1', '1.2', '1.3'] as const)('carries bytes both ways with %s, and ends in order', async (version) => {
    const { client, server, atClient, atServer } = ends(only(version), only(version));
    await atClient.opened();
    await atServer.opened();
    expect(client.secured).toMatchObject({ version, resumed: false });
    expect(client.secured?.suite).toMatch(/^TLS_/);
    expect(client.write(utf8('ping'))).toBe(4);
    await atServer.received('ping');
    server.write(utf8('pong'));
    server.end();
    await atClient.received('pong');
    client.end();
    expect((await atClient.closed()).error).toBeUndefined();
    expect((await atServer.closed()).error).toBeUndefined();
    expect(atClient.types()).toEqual(['open', 'data', 'end', 'closed']);
    expect(atServer.types()).toEqual(['open', 'data', 'end', 'closed']);
  });

  it('asks each end about the chain of the other, leaf first', async () => {
    const seen: unknown[] = [];
    const note = (peer: unknown): Verdict => {
      seen.push(peer);
      return ACCEPTED;
    };
    const { atClient, atServer, server } = ends(
      { identity: CLIENT, serverName: 'server.belfry.invalid', verify: note },
      { client: 'required', verify: note },
    );
    await atClient.opened();
    await atServer.opened();
    expect(seen).toEqual([{ chain: SERVER.chain, serverName: 'server.belfry.invalid' }, { chain: CLIENT.chain }]);
    expect(server.secured?.peer).toEqual(CLIENT.chain);
  });

  it.each(['1.2', '1.3'] as const)('lets no application data cross when the client refuses, with %s', async (version) => {
    const { client, server, atClient, atServer } = ends({ ...only(version), verify: () => REFUSED }, only(version));
    expect(client.write(utf8('too early'))).toBe(0);
    expect((await atClient.closed()).error).toEqual({ kind: 'tls-refused', detail: 'unknown-issuer: nobody vouches' });
    expect((await atServer.closed()).error).toMatchObject({ kind: 'reset' });
    expect(client.write(utf8('too late'))).toBe(0);
    expect(atClient.types()).toEqual(['closed']);
    expect(atServer.types().filter((type) => type === 'data')).toEqual([]);
    expect(server.write(utf8('gone'))).toBe(0);
  });

  it.each(['1.2', '1.3'] as const)('lets no application data in when the server refuses, with %s', async (version) => {
    const wish = ends({ ...only(version), identity: CLIENT }, { ...only(version), client: 'required', verify: () => REFUSED });
    const { client, atClient, atServer } = wish;
    // In 1.3 the client is through before the server has judged: what it then sends must not be delivered.
    void atClient.opened().then(
      () => client.write(utf8('request')),
      () => {},
    );
    expect((await atServer.closed()).error).toMatchObject({ kind: 'tls-refused' });
    expect((await atClient.closed()).error?.kind).toBe('reset');
    expect(atServer.types()).toEqual(['closed']);
  });

  it.each([
    ['1.2', 'alert handshake failure'],
    ['1.3', 'alert certificate required'],
  ] as const)('names the alert of a server that misses a certificate, with %s', async (version, alert) => {
    const { atClient, atServer } = ends(only(version), { ...only(version), client: 'required', verify: () => ACCEPTED });
    expect((await atClient.closed()).error).toEqual({ kind: 'tls-alert', detail: alert });
    expect((await atServer.closed()).error).toMatchObject({ kind: 'tls-refused' });
    expect(atServer.types()).toEqual(['closed']);
  });

  it('names the alert of versions that do not meet', async () => {
    const { atClient, atServer } = ends(only('1.2'), only('1.3'));
    expect((await atClient.closed()).error).toEqual({ kind: 'tls-alert', detail: 'alert protocol version' });
    expect((await atServer.closed()).error).toMatchObject({ kind: 'tls-protocol' });
  });

  it('logs secrets at both ends alike', async () => {
    const lines: string[][] = [[], []];
    const { atClient, atServer } = ends({ onSecret: (line) => lines[0]!.push(line) }, { onSecret: (line) => lines[1]!.push(line) });
    await atClient.opened();
    await atServer.opened();
    expect(lines[0]!.length).toBeGreaterThanOrEqual(4);
    expect([...lines[0]!].sort()).toEqual([...lines[1]!].sort());
    expect(lines[0]![0]).toMatch(/^[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]+$/);
  });

  it('accepts a bounded number of octets and says when to go on', async () => {
    const { client, server, atClient, atServer } = ends();
    await atClient.opened();
    await atServer.opened();
    server.pause();
    const data = new Uint8Array(1_000_000).map((_, i) => i & 0xff);
    let at = client.write(data);
    expect(at).toBeLessThanOrEqual(65_536);
    client.onEvent((event) => {
      atClient.events.push(event);
      if (event.type === 'writable') at += client.write(data.subarray(at));
    });
    server.resume();
    await atServer.received(Buffer.from(data).toString());
    expect(at).toBe(data.length);
  });

  it('delivers nothing after abort, and the peer sees a reset', async () => {
    const { client, server, atClient, atServer } = ends();
    await atClient.opened();
    await atServer.opened();
    server.write(utf8('on its way'));
    client.abort();
    client.abort();
    expect((await atServer.closed()).error?.kind).toBe('reset');
    expect(atClient.types()).toEqual(['open']);
  });

  it('says why a context cannot be made', async () => {
    const { atClient } = ends({ suites: 'NO-SUCH-SUITE' });
    expect((await atClient.closed()).error).toMatchObject({ kind: 'unsupported' });
    const foreign = ends({ identity: { chain: CLIENT.chain, key: { spki: CLIENT.key.spki } } });
    expect((await foreign.atClient.closed()).error).toEqual({ kind: 'unsupported', detail: 'the private key belongs to another binding' });
    const mixed = ends({ identity: { chain: CLIENT.chain, key: SERVER.key } });
    expect((await mixed.atClient.closed()).error).toMatchObject({
      kind: 'unsupported',
      detail: expect.stringContaining('key values mismatch'),
    });
  });

  it('hands on what went wrong below', async () => {
    const { atClient, wire } = ends();
    wire[1].abort();
    expect((await atClient.closed()).error).toEqual({ kind: 'reset', detail: 'reset by the peer' });
  });
});
