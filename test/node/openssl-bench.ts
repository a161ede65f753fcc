/** OpenSSL's own client and server beside this machine's binding, over real TCP. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectOk } from '../../hal/base/result.js';
import { conformanceIdentity } from '../../hal/conformance/index.js';
import type { TlsClientOptions, TlsIdentity, TlsServerOptions, TlsStream, TlsVersion, Verdict } from '../../hal/hal.js';
import { keyObjectOf } from '../../hal/node/crypto.js';
import { createNodeHost, type NodeHost } from '../../hal/node/index.js';
import { pem } from '../../hal/node/octets.js';
import { until } from '../conformance/real-bench.js';
import { type Recorder, record } from './recorder.js';

export const opensslInstalled = spawnSync('openssl', ['version']).status === 0;
export const LOOPBACK = '127.0.0.1';
export const ACCEPTED: Verdict = { ok: true, verified: true };
export const REFUSED: Verdict = { ok: false, rule: 'expired', subject: 'CN=x', clock: 0, detail: 'too old', mend: '' };

/** Options of s_client and s_server for one version. */
export const FLAG: Record<TlsVersion, string[]> = {
  '1.0': ['-tls1', '-cipher', 'ALL:@SECLEVEL=0'],
  '1.1': ['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'],
  '1.2': ['-tls1_2'],
  '1.3': ['-tls1_3'],
};
export const only = (version: TlsVersion): { versions: { min: TlsVersion; max: TlsVersion } } => ({
  versions: { min: version, max: version },
});

export interface Opened {
  stream: TlsStream;
  seen: Recorder;
}
/** What a program has said so far: on its standard output, and on both. */
export interface Program {
  child: ChildProcessWithoutNullStreams;
  out(): string;
  all(): string;
}

export class OpensslBench {
  readonly #children: ChildProcessWithoutNullStreams[] = [];

  static async create(): Promise<OpensslBench> {
    const host = expectOk(await createNodeHost({ address: LOOPBACK, ports: { tcp: [0] } }), 'host');
    return new OpensslBench(host, mkdtempSync(join(tmpdir(), 'belfry-')));
  }

  private constructor(
    readonly host: NodeHost,
    readonly folder: string,
  ) {
    for (const end of ['server', 'client'] as const) this.write(end, this.identity(end));
  }

  identity(end: 'server' | 'client'): TlsIdentity {
    return conformanceIdentity(this.host.crypto, end);
  }

  /** Certificate and key as files of that name. */
  write(name: string, { chain, key }: TlsIdentity): void {
    writeFileSync(join(this.folder, `${name}.crt`), chain.map((der) => pem('CERTIFICATE', der)).join(''));
    writeFileSync(join(this.folder, `${name}.key`), keyObjectOf(key)!.export({ type: 'pkcs8', format: 'pem' }));
  }

  files(name: string): string[] {
    return ['-cert', join(this.folder, `${name}.crt`), '-key', join(this.folder, `${name}.key`)];
  }

  /** Runs until it ends by itself or the test does. */
  openssl(...args: string[]): Program {
    const child = spawn('openssl', args);
    this.#children.push(child);
    let out = '';
    let errors = '';
    child.stdout.on('data', (bytes) => {
      out += bytes;
    });
    child.stderr.on('data', (bytes) => {
      errors += bytes;
    });
    return { child, out: () => out, all: () => out + errors };
  }

  async server(...more: string[]): Promise<Program & { port: number }> {
    const program = this.openssl('s_server', '-accept', `${LOOPBACK}:0`, ...this.files('server'), ...more);
    const port = await until('the port', () => /ACCEPT .*:(\d+)/.exec(program.all())?.[1], 5_000_000);
    return { port: Number(port), ...program };
  }

  connect(port: number, options: Partial<TlsClientOptions>): Opened {
    const stream = this.host.tls.client(this.host.net.connect({ address: LOOPBACK, port }), {
      versions: { min: '1.2', max: '1.3' },
      verify: () => ACCEPTED,
      ...options,
    });
    return { stream, seen: record(stream) };
  }

  /** A server of ours that takes so many connections, one after the other. */
  serve(options: Partial<TlsServerOptions>, connections = 1): { port: number; accepted: Opened[] } {
    const { net, tls } = this.host;
    const accepted: Opened[] = [];
    const listener = expectOk(
      net.listen({ port: 0, backlog: 1 }, (under) => {
        const identity = this.identity('server');
        const stream = tls.server(under, { versions: { min: '1.2', max: '1.3' }, identity, client: 'no', ...options });
        accepted.push({ stream, seen: record(stream) });
        if (accepted.length === connections) listener.close();
      }),
      'port',
    );
    return { port: listener.local.port, accepted };
  }

  client(port: number, ...args: string[]): Program {
    return this.openssl('s_client', '-connect', `${LOOPBACK}:${port}`, ...args);
  }

  /** Ends what the test has started. */
  clear(): void {
    for (const child of this.#children.splice(0)) child.kill();
  }

  async close(): Promise<void> {
    this.clear();
    await this.host.close();
    rmSync(this.folder, { recursive: true });
  }
}
