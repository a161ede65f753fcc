/**
 * Names. With `servers` (`--dns`) every question goes to them, and to nobody else. Without, addresses are asked of the machine's resolver,
 * so that /etc/hosts counts, and SRV and NAPTR of the servers that the machine is set up with: those that `nic.lease()` names.
 * An address literal is its own answer, and `localhost` is not asked for (RFC 6761 6.3).
 */
import { promises as systemDns } from 'node:dns';
import { isIP, isIPv4, isIPv6 } from 'node:net';
import { fail, ok } from '../base/result.js';
import type { Cancel, DnsRecords, Done, HalError, HalErrorKind, Micros, Result } from '../hal.js';

/** First wait and number of tries of a question; the waits double. */
const WAIT_MS = 2_000;
const TRIES = 3;
const DNS_PORT = 53;

export interface NodeResolver {
  /** Addresses of the servers that are asked. */
  servers: readonly string[];
  resolve<K extends keyof DnsRecords>(name: string, type: K, done: Done<readonly DnsRecords[K][]>): Cancel;
  /** Ends what is under way. */
  close(): void;
}

export interface ResolverOptions {
  /** `HOST`, `HOST:PORT` or `[HOST]:PORT`; the machine's own where absent. */
  server?: string;
  clock: { now(): Micros };
}

type Answers = { [K in keyof DnsRecords]: (name: string) => Promise<readonly DnsRecords[K][]> };

/** `not-found` for a `server` that is no address and has none. */
export async function createResolver({ server, clock }: ResolverOptions): Promise<Result<NodeResolver, HalError>> {
  const resolver = new systemDns.Resolver({ timeout: WAIT_MS, tries: TRIES });
  if (server !== undefined) {
    const address = await serverAddress(server);
    if (address === undefined) return fail('not-found', `${server} is no DNS server: give its address, or address:port`);
    resolver.setServers([address]);
  }
  const answers = server === undefined ? { ...asked(resolver), ...SYSTEM } : asked(resolver);
  return ok({
    servers: resolver.getServers().map(withoutPort),
    resolve: (name, type, done) => {
      let cancelled = false;
      const deliver: typeof done = (result, at) => {
        if (!cancelled) done(result, at);
      };
      // The branches of `answerOf` are typed by `type`; TypeScript does not follow an index through a generic.
      const answer = answerOf(answers, name, type) as Promise<readonly DnsRecords[typeof type][]>;
      answer.then(
        (records) => deliver(records.length > 0 ? ok(records) : fail('not-found', `${name} has no ${type} record`), clock.now()),
        (error: NodeJS.ErrnoException) => deliver(fail(kindOf(error), `${name} ${type}: ${error.message}`), clock.now()),
      );
      return () => {
        cancelled = true;
      };
    },
    close: () => resolver.cancel(),
  });
}

async function answerOf<K extends keyof DnsRecords>(answers: Answers, name: string, type: K): Promise<readonly DnsRecords[K][]> {
  const local = localAnswer(name, type);
  return local === undefined ? await answers[type](name) : (local as readonly DnsRecords[K][]);
}

/** What needs no question; undefined where one must be asked. */
function localAnswer(name: string, type: keyof DnsRecords): readonly string[] | undefined {
  const address = isIP(name) > 0 ? [name] : /^(?:.*\.)?localhost\.?$/i.test(name) ? ['127.0.0.1', '::1'] : undefined;
  if (!address) return undefined;
  if (type === 'A') return address.filter(isIPv4);
  return type === 'AAAA' ? address.filter(isIPv6) : [];
}

const asked = (resolver: systemDns.Resolver): Answers => ({
  A: (name) => resolver.resolve4(name),
  AAAA: (name) => resolver.resolve6(name),
  SRV: async (name) =>
    (await resolver.resolveSrv(name)).map(({ priority, weight, port, name: target }) => ({ priority, weight, port, target })),
  NAPTR: async (name) =>
    (await resolver.resolveNaptr(name)).map(({ order, preference, flags, service, replacement }) => ({
      order,
      preference,
      flags,
      service,
      replacement,
    })),
});

const SYSTEM: Pick<Answers, 'A' | 'AAAA'> = {
  A: async (name) => (await systemDns.lookup(name, { family: 4, all: true })).map(({ address }) => address),
  AAAA: async (name) => (await systemDns.lookup(name, { family: 6, all: true })).map(({ address }) => address),
};

async function serverAddress(server: string): Promise<string | undefined> {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+|[^:]*:[^:]*:.*))(?::(\d{1,5}))?$/.exec(server) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port ?? DNS_PORT) > 0xffff) return undefined;
  const address =
    isIP(host) > 0
      ? host
      : await systemDns.lookup(host).then(
          ({ address: found }) => found,
          () => undefined,
        );
  if (address === undefined) return undefined;
  return `${isIPv6(address) ? `[${address}]` : address}:${port ?? DNS_PORT}`;
}

const withoutPort = (server: string): string => /^\[(.*)\]:\d+$/.exec(server)?.[1] ?? (isIP(server) ? server : server.replace(/:\d+$/, ''));

const KINDS: Readonly<Record<string, HalErrorKind>> = {
  ENOTFOUND: 'not-found',
  ENODATA: 'not-found',
  EBADNAME: 'not-found',
  EAI_NONAME: 'not-found',
  EAI_NODATA: 'not-found',
  ETIMEOUT: 'timeout',
  EAI_AGAIN: 'timeout',
  ECONNREFUSED: 'unreachable',
  EREFUSED: 'refused',
  ESERVFAIL: 'other',
};
const kindOf = (error: NodeJS.ErrnoException): HalErrorKind => KINDS[error.code ?? ''] ?? 'other';
