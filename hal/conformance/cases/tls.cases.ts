import { equal, utf8 } from '../../base/bytes.js';
import { MILLISECOND } from '../../base/time.js';
import type { Der, Hal, TlsClientOptions, TlsEngine, TlsServerOptions, TlsStream, Verdict } from '../../hal.js';
import { type Bench, type ConformanceCase, check, given, pass } from '../bench.js';
import { conformanceIdentity } from '../identities.js';
import { type MemoryStream, streamPair } from '../stream-pair.js';
import { type Watched, watch } from '../watch.js';

const VERSIONS = { min: '1.2', max: '1.2' } as const;
const ACCEPTED: Verdict = { ok: true, verified: false };
const REFUSED: Verdict = { ok: false, rule: 'unknown-issuer', subject: '', clock: 0, detail: 'refused by the case', mend: '' };

interface Ends {
  client: TlsStream;
  server: TlsStream;
  atClient: Watched;
  atServer: Watched;
  wire: readonly MemoryStream[];
}

/** Both ends by the engine under test, over a stream in memory. */
function ends(hal: Hal, bench: Bench, client: Partial<TlsClientOptions> = {}, server: Partial<TlsServerOptions> = {}): Ends {
  const engine: TlsEngine = given(hal.tls, 'tls');
  const [near, far] = streamPair({ later: bench.later, now: () => hal.clock.now() });
  const c = engine.client(near, { versions: VERSIONS, verify: () => ACCEPTED, ...client });
  const s = engine.server(far, { versions: VERSIONS, identity: conformanceIdentity(hal.crypto, 'server'), client: 'no', ...server });
  return { client: c, server: s, atClient: watch(c, bench), atServer: watch(s, bench), wire: [near, far] };
}

export const tlsCases: readonly ConformanceCase[] = [
  {
    id: 'tls-mutual',
    law: 'contract',
    title: 'each end is asked about the chain of the other, leaf first, and bytes then pass both ways',
    needs: ['tls'],
    run: async (hal, bench) => {
      const chains: (readonly Der[])[] = [];
      const noting = (peer: { chain: readonly Der[] }): Verdict => {
        chains.push(peer.chain);
        return ACCEPTED;
      };
      const identity = conformanceIdentity(hal.crypto, 'client');
      const { client, server, atClient, atServer } = ends(hal, bench, { identity, verify: noting }, { client: 'required', verify: noting });
      await atClient.until('open');
      await atServer.until('open');
      const expected = [conformanceIdentity(hal.crypto, 'server').chain[0], identity.chain[0]];
      check(chains.length === 2 && expected.every((der) => der && chains.some(([leaf]) => leaf && equal(leaf, der))), 'other chains');
      check(client.secured?.version === '1.2' && !client.secured.resumed, `secured: ${client.secured?.version}`);
      client.write(utf8('ping'));
      await atServer.untilText('ping');
      server.write(utf8('pong'));
      server.end();
      await atClient.untilText('pong');
      client.end();
      check((await atClient.failure()) === undefined && (await atServer.failure()) === undefined, 'an end closed with an error');
      check(atClient.order() === 'open data end closed', `events at the client: ${atClient.order()}`);
    },
  },
  {
    id: 'tls-verdict-first',
    law: 4,
    title: 'a refused peer gets no octet of application data, and the refusal is a value',
    needs: ['tls'],
    run: async (hal, bench) => {
      const { client, atClient, atServer } = ends(hal, bench, { verify: () => REFUSED });
      check(client.write(utf8('secret')) === 0, 'octets were accepted before the verdict');
      const error = await atClient.failure();
      check(error?.kind === 'tls-refused', `it closed with ${JSON.stringify(error)}`);
      check(atClient.order() === 'closed', `events: ${atClient.order()}`);
      await atServer.until('closed');
      check(atServer.text() === '', 'application data crossed');
    },
  },
  {
    id: 'tls-certificate-required',
    law: 4,
    title: 'a server that requires a certificate and gets none says so by an alert, which the client reports by name',
    needs: ['tls'],
    run: async (hal, bench) => {
      const { atClient, atServer } = ends(hal, bench, {}, { client: 'required', verify: () => ACCEPTED });
      const error = await atClient.failure();
      check(error?.kind === 'tls-alert' && error.detail.includes('handshake failure'), `the client closed with ${JSON.stringify(error)}`);
      check((await atServer.failure())?.kind === 'tls-refused', 'the server reports something else');
    },
  },
  {
    id: 'tls-secrets',
    law: 'contract',
    title: 'secrets are told as lines of a key log before the stream opens',
    needs: ['tls'],
    run: async (hal, bench) => {
      const lines: string[] = [];
      const { atClient } = ends(hal, bench, { onSecret: (line) => lines.push(line) });
      await atClient.until('open');
      check(lines.length > 0, 'no line');
      check(
        lines.every((line) => /^[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]+$/.test(line)),
        'a line is not one of an NSS key log',
      );
    },
  },
  {
    id: 'tls-abort-silent',
    law: 5,
    title: 'abort is idempotent, during the handshake and after, and nothing is delivered after it',
    needs: ['tls'],
    run: async (hal, bench) => {
      const early = ends(hal, bench);
      early.client.abort();
      early.client.abort();
      const { client, server, atClient, atServer } = ends(hal, bench);
      await atClient.until('open');
      await atServer.until('open');
      server.write(utf8('on its way'));
      client.abort();
      await atServer.until('closed');
      await pass(hal, bench, 20 * MILLISECOND);
      check(early.atClient.order() === '' && atClient.order() === 'open', `events: ${early.atClient.order()}, ${atClient.order()}`);
    },
  },
  {
    id: 'tls-bounded',
    law: 7,
    title: 'a peer that does not read stops the writer, and writable tells when to go on',
    needs: ['tls'],
    run: async (hal, bench) => {
      const { client, server, atClient, atServer } = ends(hal, bench);
      await atClient.until('open');
      await atServer.until('open');
      server.pause();
      const flood = new Uint8Array(1024 * 1024);
      const accepted = client.write(flood);
      check(accepted < flood.length, 'a MiB was accepted for a peer that does not read');
      server.resume();
      await atClient.until('writable');
      check(client.write(Uint8Array.of(1)) === 1, 'nothing is accepted after writable');
    },
  },
];
