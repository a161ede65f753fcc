/**
 * Sessions are never resumed: in a resumed one the peer shows no certificate, so that one who is refused by now would get in by having
 * been accepted before. Shown at OpenSSL's own ends, which offer and accept resumption wherever they can.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../hal/base/bytes.js';
import type { Verdict } from '../../hal/hal.js';
import { until } from '../conformance/real-bench.js';
import { ACCEPTED, FLAG, OpensslBench, only, opensslInstalled, REFUSED } from './openssl-bench.js';

const traces = spawnSync('openssl', ['s_server', '-help']).stderr?.includes('-trace');

describe.skipIf(!opensslInstalled)(`Resumption${opensslInstalled ? '' : ' (no openssl on this machine)'}`, () => {
  let bench: OpensslBench;
  beforeAll(async () => {
    bench = await OpensslBench.create();
  });
  afterEach(() => bench.clear());
  afterAll(() => bench.close());

  it('is refused by our server to s_client -reconnect, with 1.2', async () => {
    const { port, accepted } = bench.serve(only('1.2'), 6);
    const client = bench.client(port, ...FLAG['1.2'], '-reconnect');
    await until('six connections', () => (client.out().match(/^New, TLSv1.2/gm)?.length === 6 ? true : undefined), 5_000_000);
    expect(client.out()).not.toContain('Reused');
    expect(client.out()).not.toContain('session ticket');
    expect(accepted.map(({ stream }) => stream.secured?.resumed)).toEqual(Array.from({ length: 6 }, () => false));
  });

  it.each([
    '1.2',
    '1.3',
  ] as const)('is refused by our server to a session that s_client has kept, and its certificate is judged anew, with %s', async (version) => {
    const verdicts: Verdict[] = [ACCEPTED, REFUSED];
    const judged: number[] = [];
    const verify = ({ chain }: { chain: readonly Uint8Array[] }): Verdict => {
      judged.push(chain.length);
      return verdicts.shift()!;
    };
    const { port, accepted } = bench.serve({ ...only(version), client: 'required', verify }, 2);
    const session = join(bench.folder, `${version}.session`);
    const first = bench.client(port, ...FLAG[version], ...bench.files('client'), '-sess_out', session);
    // With 1.3 a session can be kept once the server has spoken.
    const { stream, seen } = await until('a connection', () => accepted[0], 5_000_000);
    await seen.opened();
    stream.write(utf8('welcome\n'));
    await until('the welcome', () => (first.out().includes('welcome') ? true : undefined), 5_000_000);
    first.child.stdin.end();
    stream.end();
    await until('the end', () => first.child.exitCode ?? undefined, 5_000_000);

    const second = bench.client(port, ...FLAG[version], ...bench.files('client'), '-sess_in', session);
    const again = await until('another connection', () => accepted[1], 5_000_000);
    expect((await again.seen.closed()).error).toEqual({ kind: 'tls-refused', detail: 'expired: too old' });
    expect(again.seen.types()).toEqual(['closed']);
    expect(judged).toEqual([1, 1]);
    await until('what it got', () => (/^(New|Reused), /m.test(second.out()) ? true : undefined), 5_000_000);
    expect(second.out()).not.toContain('Reused');
  });

  it.each([
    '1.2',
    '1.3',
  ] as const)('is not asked for by our client of s_server, which then shows its certificate anew, with %s', async (version) => {
    const { port, out } = await bench.server(...FLAG[version], ...(traces ? ['-trace'] : []));
    const judged: number[] = [];
    const once = async (verdict: Verdict): Promise<void> => {
      const { stream, seen } = bench.connect(port, {
        ...only(version),
        serverName: 'server.belfry.invalid',
        verify: ({ chain }) => {
          judged.push(chain.length);
          return verdict;
        },
      });
      if (verdict.ok) {
        await seen.opened();
        expect(stream.secured?.resumed).toBe(false);
        stream.write(utf8('hello\n'));
        await until('the hello', () => (out().includes('hello') ? true : undefined), 5_000_000);
        stream.end();
      }
      await seen.closed();
    };
    await once(ACCEPTED);
    await once(REFUSED);
    await once(ACCEPTED);
    expect(judged).toEqual([1, 1, 1]);
    expect(out()).not.toContain('Reused');
    if (!traces) return;
    expect(out().match(/ClientHello, Length/g)).toHaveLength(3);
    expect(out()).not.toMatch(/extension_type=(session_ticket|pre_shared_key)/);
    // With 1.3 a session identifier of chance is sent for the sake of middleboxes (RFC 8446 appendix D.4).
    if (version === '1.2') expect(out().match(/ClientHello[\s\S]*?session_id \(len=0\)/g)).toHaveLength(3);
  });
});
