/** Where to send a request (RFC 3263): an ordered list of targets, so that a failure has a next one. */
import { fraction } from '../../hal/base/fraction.js';
import { err, ok } from '../../hal/base/result.js';
import type { Cancel, DnsRecords, Entropy, HalError, IpAddress, Net, Result } from '../../hal/hal.js';
import type { Transport } from './flow.js';

export interface Target {
  transport: Transport;
  address: IpAddress;
  port: number;
  /** What the configuration asked for: a certificate is checked against it, not against what DNS made of it (RFC 5922 4). */
  name: string;
}

export interface LocateOptions {
  net: Pick<Net, 'resolve'>;
  entropy: Entropy;
  /** A name, or an address literal. */
  host: string;
  port: number | undefined;
  /** `auto`: what SRV offers, else UDP (RFC 3263 4.1). */
  transport: Transport | 'auto';
  /** What the board can do; of these `auto` prefers the first. */
  allowed: readonly Transport[];
  /** The board looks up SRV records at all. */
  srv: boolean;
  done(result: Result<readonly Target[], HalError>): void;
}

const SERVICE: Readonly<Record<Transport, string>> = { tls: '_sips._tcp', tcp: '_sip._tcp', udp: '_sip._udp' };
/** RFC 3261 19.1.2. */
export const defaultPort = (transport: Transport): number => (transport === 'tls' ? 5061 : 5060);
/** Targets tried before it is called a failure. `ours`: two servers with two addresses each, twice over. */
const TARGETS_MAX = 8;

/** A host and a port that stand for one or more addresses. */
interface Place {
  transport: Transport;
  host: string;
  port: number;
}

/** `done` is called once, never during this call unless the host is an address. */
export function locate(options: LocateOptions): Cancel {
  const { host, port, transport, allowed, srv, done } = options;
  const plain = transport === 'auto' ? 'udp' : transport;
  const place: Place = { transport: plain, host, port: port ?? defaultPort(plain) };
  if (isAddress(host)) {
    done(ok([{ transport: plain, address: host, port: place.port, name: host }]));
    return () => {};
  }
  const search = new Search(options);
  if (port !== undefined || !srv) search.addresses([place]);
  else search.services(transport === 'auto' ? allowed : [transport], place);
  return () => search.cancel();
}

const isAddress = (host: string): boolean => /^\d{1,3}(\.\d{1,3}){3}$/.test(host) || host.indexOf(':') >= 0;

class Search {
  #cancels: Cancel[] = [];
  readonly #options: LocateOptions;

  constructor(options: LocateOptions) {
    this.#options = options;
  }

  cancel(): void {
    for (const cancel of this.#cancels) cancel();
    this.#cancels = [];
  }

  /** SRV of every transport at once, kept in their order; where there is none, the name itself (RFC 3263 4.2). */
  services(transports: readonly Transport[], fallback: Place): void {
    this.#gather(
      transports.map((transport) => ({ name: `${SERVICE[transport]}.${fallback.host}`, type: 'SRV' as const })),
      (answers) => {
        const places = transports.flatMap((transport, i) => {
          const answer = answers[i]!;
          const records = answer.ok ? orderServices(answer.value, this.#options.entropy) : [];
          return records.map(({ target, port }): Place => ({ transport, host: target, port }));
        });
        this.addresses(places.length > 0 ? places.slice(0, TARGETS_MAX) : [fallback]);
      },
    );
  }

  addresses(places: readonly Place[]): void {
    this.#gather(
      places.map(({ host }) => ({ name: host, type: 'A' as const })),
      (answers) => {
        const targets = places.flatMap(({ transport, port }, i) => {
          const answer = answers[i]!;
          return answer.ok ? answer.value.map((address): Target => ({ transport, address, port, name: this.#options.host })) : [];
        });
        const failure = answers.find((answer) => !answer.ok);
        if (targets.length > 0) this.#options.done(ok(targets.slice(0, TARGETS_MAX)));
        else
          this.#options.done(failure && !failure.ok ? failure : err({ kind: 'not-found', detail: `no address for ${this.#options.host}` }));
      },
    );
  }

  /** Asks everything at once and goes on when all answers are there. */
  #gather<K extends 'A' | 'SRV'>(
    queries: readonly { name: string; type: K }[],
    then: (answers: readonly Result<readonly DnsRecords[K][], HalError>[]) => void,
  ): void {
    const answers: Result<readonly DnsRecords[K][], HalError>[] = [];
    let missing = queries.length;
    this.#cancels = queries.map(({ name, type }, i) =>
      this.#options.net.resolve(name, type, (result) => {
        answers[i] = result;
        if (--missing === 0) then(answers);
      }),
    );
  }
}

/** Priority first, then by chance in proportion to the weight (RFC 2782). */
export function orderServices(records: readonly DnsRecords['SRV'][], entropy: Entropy): readonly DnsRecords['SRV'][] {
  const ordered: DnsRecords['SRV'][] = [];
  const left = [...records]
    .filter(({ target }) => target !== '.' && target !== '')
    .sort((a, b) => a.priority - b.priority || a.weight - b.weight);
  while (left.length > 0 && ordered.length < TARGETS_MAX) {
    const rank = left.filter(({ priority }) => priority === left[0]!.priority);
    const chosen = draw(rank, entropy);
    ordered.push(chosen);
    left.splice(left.indexOf(chosen), 1);
  }
  return ordered;
}

function draw(rank: readonly DnsRecords['SRV'][], entropy: Entropy): DnsRecords['SRV'] {
  const total = rank.reduce((sum, { weight }) => sum + weight, 0);
  let left = Math.floor(fraction(entropy) * (total + 1));
  for (const record of rank) {
    left -= record.weight;
    if (left <= 0) return record;
  }
  return rank[0]!;
}
