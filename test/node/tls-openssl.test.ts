/** Both ends against OpenSSL's own client and server over real TCP: what Node does with itself proves little. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../hal/base/bytes.js';
import type { TlsServerOptions, Verdict } from '../../hal/hal.js';
import { until } from '../conformance/real-bench.js';
import { ACCEPTED, FLAG, LOOPBACK, type Opened, OpensslBench, only, opensslInstalled, type Program, REFUSED } from './openssl-bench.js';

describe.skipIf(!opensslInstalled)(`TLS against OpenSSL's own ends${opensslInstalled ? '' : ' (no openssl on this machine)'}`, () => {
  let bench: OpensslBench;
  beforeAll(async () => {
    bench = await OpensslBench.create();
  });
  afterEach(() => bench.clear());
  afterAll(() => bench.close());

  it.each(['1.0', '1.1', '1.2', '1.3'] as const)('talks %s to s_server with a certificate on both sides', async (version) => {
    const { port } = await bench.server(...FLAG[version], '-rev', '-Verify', '1', '-verify_quiet');
    const { stream, seen } = bench.connect(port, { ...only(version), identity: bench.identity('client') });
    const { peer } = await seen.opened();
    expect(peer).toEqual({ address: LOOPBACK, port });
    expect(stream.secured).toMatchObject({ version, resumed: false, peer: bench.identity('server').chain });
    stream.write(utf8('belfry\n'));
    await seen.received('yrfleb\n');
    stream.end();
    expect((await seen.closed()).error).toBeUndefined();
  });

  it.each(['1.2', '1.3'] as const)('sends s_server no octet of application data after a refusal, with %s', async (version) => {
    const refused = await bench.server(...FLAG[version]);
    const { stream, seen } = bench.connect(refused.port, { ...only(version), verify: () => REFUSED });
    expect((await seen.closed()).error).toEqual({ kind: 'tls-refused', detail: 'expired: too old' });
    expect(stream.write(utf8('REGISTER sip:example.test'))).toBe(0);
    // The next connection is served after the refused one is through: what that sent, the server has written down by now.
    const { stream: next, seen: nextSeen } = bench.connect(refused.port, only(version));
    await nextSeen.opened();
    next.write(utf8('OPTIONS of the next\n'));
    await until('the next request', () => (refused.out().includes('OPTIONS of the next') ? true : undefined), 5_000_000);
    expect(refused.out()).not.toContain('REGISTER');
  });

  it('names the alert of an s_server that requires a certificate', async () => {
    const { port } = await bench.server('-Verify', '1', '-verify_return_error', '-tls1_2');
    expect((await bench.connect(port, only('1.2')).seen.closed()).error).toEqual({ kind: 'tls-alert', detail: 'alert handshake failure' });
    const later = await bench.server('-Verify', '1', '-verify_return_error', '-tls1_3');
    expect((await bench.connect(later.port, only('1.3')).seen.closed()).error).toEqual({
      kind: 'tls-alert',
      detail: 'alert certificate required',
    });
  });

  it('names the alert of an s_server that does not trust our certificate', async () => {
    const { port } = await bench.server('-Verify', '1', '-verify_return_error', '-tls1_2');
    const { seen } = bench.connect(port, { ...only('1.2'), identity: bench.identity('client') });
    expect((await seen.closed()).error).toMatchObject({
      kind: 'tls-alert',
      detail: expect.stringMatching(/^alert (unknown ca|bad certificate|decrypt error)/),
    });
  });

  it('names the alert of a version that s_server has not', async () => {
    const { port } = await bench.server('-tls1_3');
    expect((await bench.connect(port, only('1.2')).seen.closed()).error).toEqual({ kind: 'tls-alert', detail: 'alert protocol version' });
  });

  /** One connection of s_client to our server. */
  function serve(options: Partial<TlsServerOptions>, ...client: string[]): Pick<Program, 'out' | 'all'> & { opening: Promise<Opened> } {
    const { port, accepted } = bench.serve(options);
    const program = bench.client(port, ...client);
    program.child.stdin.write('from the client\n');
    return { opening: until('a connection', () => accepted[0], 5_000_000), ...program };
  }

  it.each(['1.0', '1.1', '1.2', '1.3'] as const)('serves %s to s_client, and sees its certificate', async (version) => {
    const chains: unknown[] = [];
    const verify = (peer: { chain: readonly Uint8Array[] }): Verdict => {
      chains.push(peer.chain);
      return ACCEPTED;
    };
    const { opening, out } = serve({ ...only(version), client: 'required', verify }, ...FLAG[version], ...bench.files('client'), '-quiet');
    const { stream, seen } = await opening;
    await seen.received('from the client\n');
    expect(chains).toEqual([bench.identity('client').chain]);
    stream.write(utf8('from the server\n'));
    await until('the answer', () => (out().includes('from the server') ? true : undefined), 5_000_000);
    stream.end();
  });

  it('requires a certificate of s_client by an alert, and names the issuers that it wants', async () => {
    const issuer = issuerNamed('Belfry Device CA');
    const { opening, all } = serve({ client: 'required', verify: () => ACCEPTED, issuers: [issuer] }, '-tls1_2');
    const { seen } = await opening;
    expect((await seen.closed()).error).toMatchObject({ kind: 'tls-refused', detail: expect.stringContaining('no-certificate') });
    const printed = ['CA names', 'alert handshake failure'];
    await until('what it got', () => (printed.every((text) => all().includes(text)) ? true : undefined), 5_000_000);
    expect(all()).toMatch(/Acceptable client certificate CA names\s+CN = Belfry Device CA/);
    expect(seen.types()).toEqual(['closed']);
  });

  it('lets nothing in from a client that it refuses', async () => {
    const { opening } = serve({ client: 'required', verify: () => REFUSED }, ...bench.files('client'), '-quiet');
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
