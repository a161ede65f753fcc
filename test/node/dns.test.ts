import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectOk } from '../../hal/base/result.js';
import type { DnsRecords, HalError, Result } from '../../hal/hal.js';
import { createNodeHost, type NodeHost } from '../../hal/node/index.js';
import { startDnsServer } from '../../sim/peers/dns-server.js';

const LOOPBACK = '127.0.0.1';
const SRV = { priority: 10, weight: 60, port: 5061, target: 'sip.example.test' };
const NAPTR = { order: 50, preference: 50, flags: 's', service: 'SIPS+D2T', replacement: '_sips._tcp.example.test' };

const ask = <K extends keyof DnsRecords>(host: NodeHost, name: string, type: K): Promise<Result<readonly DnsRecords[K][], HalError>> =>
  new Promise((resolve) => host.net.resolve(name, type, resolve));

describe('names asked of the server that was named', () => {
  let server: NodeHost;
  let host: NodeHost;
  beforeAll(async () => {
    server = expectOk(await createNodeHost({ address: LOOPBACK }), 'server');
    const probe = expectOk(server.net.udp({ port: 0 }), 'port');
    probe.close();
    const { port } = probe.local;
    const records = [
      { name: 'sip.example.test', type: 'A', value: '192.0.2.1', ttl: 60 },
      { name: 'sip.example.test', type: 'A', value: '192.0.2.2', ttl: 60 },
      { name: '_sips._tcp.example.test', type: 'SRV', value: SRV, ttl: 60 },
      { name: 'example.test', type: 'NAPTR', value: NAPTR, ttl: 60 },
    ] as const;
    expectOk(startDnsServer(server, { port, records }), 'DNS');
    host = expectOk(await createNodeHost({ address: LOOPBACK, dns: `localhost:${port}` }), 'host');
  });
  afterAll(async () => {
    await host.close();
    await server.close();
  });

  it('reads A, SRV and NAPTR', async () => {
    expect(await ask(host, 'sip.example.test', 'A')).toEqual({ ok: true, value: ['192.0.2.1', '192.0.2.2'] });
    expect(await ask(host, '_sips._tcp.example.test', 'SRV')).toEqual({ ok: true, value: [SRV] });
    expect(await ask(host, 'example.test', 'NAPTR')).toEqual({ ok: true, value: [NAPTR] });
  });

  it('tells a name that has nothing from a server that is not there', async () => {
    expect(await ask(host, 'sip.example.test', 'AAAA')).toMatchObject({ ok: false, error: { kind: 'not-found' } });
    expect(await ask(host, 'other.example.test', 'A')).toMatchObject({ ok: false, error: { kind: 'not-found' } });
    const nobody = expectOk(await createNodeHost({ dns: `${LOOPBACK}:1` }), 'host');
    expect(await ask(nobody, 'sip.example.test', 'A')).toMatchObject({ ok: false, error: { kind: 'unreachable' } });
    await nobody.close();
  });

  it('asks nobody for addresses and for localhost', async () => {
    expect(await ask(host, '192.0.2.9', 'A')).toEqual({ ok: true, value: ['192.0.2.9'] });
    expect(await ask(host, '2001:db8::1', 'AAAA')).toEqual({ ok: true, value: ['2001:db8::1'] });
    expect(await ask(host, 'localhost', 'A')).toEqual({ ok: true, value: [LOOPBACK] });
    expect(await ask(host, '192.0.2.9', 'SRV')).toMatchObject({ ok: false, error: { kind: 'not-found' } });
  });

  it.each(['', 'no such host.invalid', '192.0.2.1:99999', '[::1', '192.0.2.1:x'])('refuses "%s" as a server', async (dns) => {
    expect(await createNodeHost({ dns })).toMatchObject({ ok: false, error: { kind: 'not-found', detail: expect.stringContaining(dns) } });
  });
});
