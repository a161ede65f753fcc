/** The network of a download whose servers are the test: names, connections, and what is answered to each request. */
import { createHash } from 'node:crypto';
import { parseUrl } from '../../core/http/url.js';
import type { EndpointEvent } from '../../core/kernel/events.js';
import { createKernel } from '../../core/kernel/kernel.js';
import { type Downloaded, type DownloadRequest, download } from '../../core/provisioning/download.js';
import type { ProvisioningFailure } from '../../core/provisioning/failure.js';
import { latin1 } from '../../hal/base/bytes.js';
import { expectOk, fail, ok } from '../../hal/base/result.js';
import type { Done, HalError, Result, TlsStream } from '../../hal/hal.js';
import { createNodeCrypto } from '../../hal/node/crypto.js';
import { ScriptedStream } from '../support/scripted-stream.js';
import { VirtualClock } from '../support/virtual-clock.js';

export interface WebRequest {
  /** `https://prov.example.test`, as the client means it. */
  origin: string;
  target: string;
  /** By name in lower case. */
  fields: Readonly<Record<string, string>>;
}
/** A whole answer as it goes over the wire; undefined to stay silent; an error ends the connection with it. */
export type Answer = (request: WebRequest) => string | HalError | undefined;

export const md5 = (text: string): string => createHash('md5').update(text, 'latin1').digest('hex');
export const reply = (status: number, body = '', fields: Readonly<Record<string, string>> = {}): string =>
  [`HTTP/1.1 ${status} X`, ...Object.entries({ 'Content-Length': body.length, ...fields }).map(([k, v]) => `${k}: ${v}`), '', body].join(
    '\r\n',
  );
/** Serves files by path, and 404 for all else. */
export const files =
  (served: Readonly<Record<string, string>>): Answer =>
  ({ target }) => {
    const body = served[target];
    return body === undefined ? reply(404, 'no') : reply(200, body);
  };

/** Addresses of names: one each, made of their order. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  'prov.example.test': ['192.0.2.10', '192.0.2.11'],
  'cdn.example.test': ['192.0.2.20'],
  'nothing.example.test': [],
};
const ORIGIN_OF: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(NAMES).flatMap(([name, addresses]) => addresses.map((address) => [address, name])),
);

export class Web {
  readonly clock = new VirtualClock();
  readonly events: EndpointEvent[] = [];
  readonly kernel = createKernel(this.clock, (event) => this.events.push(event));
  readonly requests: WebRequest[] = [];
  readonly streams: { stream: ScriptedStream; origin: string; to: string }[] = [];
  readonly crypto = createNodeCrypto({ clock: this.clock, keysOn: 'thread' });
  readonly results: Result<Downloaded, ProvisioningFailure>[] = [];
  answer: Answer = () => reply(404);

  readonly ports = {
    kernel: this.kernel,
    net: {
      connect: ({ address, port }: { address: string; port: number }) =>
        this.#stream('http', `${address}:${port}`, ORIGIN_OF[address] ?? address, port),
      resolve: (name: string, _type: string, done: Done<readonly never[]>) => this.#resolve(name, done),
      udp: () => fail('unsupported', 'no datagrams here'),
    },
    secure: {
      connect: ({ to, name }: { to: { address: string; port: number }; name: string }) =>
        this.#stream('https', `${to.address}:${to.port}`, name, to.port) as unknown as TlsStream,
    },
    crypto: this.crypto,
    entropy: { fill: (out: Uint8Array) => out.fill(0x5a) },
    userAgent: 'Algo-8180G2/5.5',
  };

  /** Begins a download and lets the servers answer until nothing more is asked. */
  run(request: Partial<Omit<DownloadRequest, 'folder'>> & { folder: string }): Result<Downloaded, ProvisioningFailure> | undefined {
    this.begin(request);
    this.serve();
    return this.results.at(-1);
  }

  begin({ folder, ...request }: Partial<Omit<DownloadRequest, 'folder'>> & { folder: string }): () => void {
    const whole = {
      plan: [{ names: ['a.conf'] }, { names: ['B.conf', 'b.conf'] }],
      attempt: 0,
      pause: 0,
      md5: 'off',
      known: new Map(),
      ...request,
    } as const;
    return this.kernel.turn(this.clock.now(), () =>
      download(this.ports, { ...whole, folder: expectOk(parseUrl(folder), folder) }, (result) => this.results.push(result)),
    );
  }

  /** Opens what connects and answers what is asked, until there is nothing of either. */
  serve(): void {
    for (let rounds = 0, busy = true; busy; rounds++) {
      if (rounds > 1000) throw new Error('a download without end');
      this.clock.run(10);
      busy = this.streams.map((connection) => this.#serveOne(connection)).some(Boolean);
    }
  }

  /** What was asked for, in order: paths at the first origin, whole addresses elsewhere. */
  asked(): string[] {
    const home = this.requests[0]?.origin;
    return this.requests.map(({ origin, target }) => (origin === home ? target : origin + target));
  }

  told(name: EndpointEvent['event']): object[] {
    return this.events.filter(({ event }) => event === name).map(({ at: _, event: __, ...fields }) => fields);
  }

  #serveOne({ stream, origin }: { stream: ScriptedStream; origin: string }): boolean {
    if (stream.state === 'connecting') {
      stream.open();
      return true;
    }
    const text = stream.taken();
    if (text === '' || stream.state !== 'open') return false;
    const [head = '', ...lines] = text.trimEnd().split('\r\n');
    const fields = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
    );
    const request = { origin, target: head.split(' ')[1] ?? '?', fields };
    this.requests.push(request);
    const answer = this.answer(request);
    if (typeof answer === 'string') stream.answer(answer);
    else if (answer) stream.fail(answer);
    return true;
  }

  #stream(scheme: 'http' | 'https', to: string, host: string, port: number): ScriptedStream {
    const stream = new ScriptedStream((deliver) => this.kernel.turn(this.clock.now(), () => deliver(this.clock.now())));
    const usual = port === (scheme === 'http' ? 80 : 443) ? '' : `:${port}`;
    this.streams.push({ stream, to, origin: `${scheme}://${host}${usual}` });
    return stream;
  }

  #resolve(name: string, done: Done<readonly never[]>): () => void {
    const addresses = NAMES[name];
    const result = addresses ? ok(addresses as readonly never[]) : fail('not-found', 'no such name');
    const timer = this.kernel.timer('name server', (at) => done(result, at));
    timer.set(this.clock.now() + 1);
    return () => timer.clear();
  }
}

/** The texts of the files that were downloaded, by name. */
export const texts = (result: Result<Downloaded, ProvisioningFailure> | undefined): Record<string, string> =>
  result?.ok ? Object.fromEntries(result.value.files.map(({ name, bytes }) => [name, latin1(bytes)])) : {};
export const failureOf = (result: Result<Downloaded, ProvisioningFailure> | undefined): ProvisioningFailure | undefined =>
  result && !result.ok ? result.error : undefined;
