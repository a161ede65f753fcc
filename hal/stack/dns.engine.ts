/**
 * A stub resolver (RFC 1035 part 7, RFC 1123 part 6.1.3) over UDP. Nothing is cached: an endpoint asks a handful of names an hour. An
 * answer that does not fit a datagram is refused (`too-big`), since asking again over TCP is left out.
 */

import { fail, ok } from '../base/result.js';
import { SECOND } from '../base/time.js';
import type { Timer, Timers } from '../base/timers.js';
import type { Cancel, DnsRecords, Done, Entropy, HalError, IpAddress, Micros, Result, UdpSocket } from '../hal.js';
import { parseIpv4 } from './address.js';
import { DNS_PORT, type DnsMessage, DnsRcode, DnsType, decodeDns, encodeDns } from './dns.codec.js';
import { encodeName, sameName } from './dns-name.codec.js';
import { ipv6Text, parseIpv6 } from './ipv6-text.js';
import { random16 } from './random.js';

/** How long each server has in the first, second and third round: RFC 1123 part 6.1.3.3 asks for exponential back-off and an end. */
const ROUNDS: readonly Micros[] = [1 * SECOND, 2 * SECOND, 4 * SECOND];
/** Servers asked, of those that the lease names (Linux: MAXNS). */
const SERVER_LIMIT = 3;
/** Aliases followed inside one answer. */
const ALIAS_LIMIT = 8;
/** Questions under way at a time. */
const QUERY_LIMIT = 64;

export interface ResolverOptions {
  timers: Timers;
  now(): Micros;
  entropy: Entropy;
  udp(): Result<UdpSocket, HalError>;
  servers(): readonly IpAddress[];
}
type Kind = keyof DnsRecords;
type Records<K extends Kind> = readonly DnsRecords[K][];

export class Resolver {
  readonly #options: ResolverOptions;
  #open = 0;

  constructor(options: ResolverOptions) {
    this.#options = options;
  }

  /** An address literal is its own answer. `not-found`: no such name, none of that type, or text that is no name. */
  resolve<K extends Kind>(name: string, type: K, done: Done<Records<K>>): Cancel {
    const known = literal(name, type) ?? (this.#open < QUERY_LIMIT ? undefined : fail('full', `${QUERY_LIMIT} questions are under way`));
    this.#open++;
    const query = new Query<K>(this.#options, name, type, known, (result, at) => {
      this.#open--;
      done(result, at);
    });
    return () => {
      if (query.cancel()) this.#open--;
    };
  }
}

function literal<K extends Kind>(name: string, type: K): Result<Records<K>, HalError> | undefined {
  const ipv6 = parseIpv6(name);
  if (parseIpv4(name) === undefined && !ipv6) return undefined;
  const own = ipv6 ? 'AAAA' : 'A';
  if (type !== own) return fail('not-found', `${name} is an address and has no ${type} records`);
  return ok([ipv6 ? ipv6Text(ipv6) : name] as unknown as Records<K>);
}

class Query<K extends Kind> {
  readonly #options: ResolverOptions;
  readonly #name: string;
  readonly #type: K;
  readonly #done: Done<Records<K>>;
  readonly #timer: Timer;
  readonly #id: number;
  #servers: readonly IpAddress[] = [];
  #socket: UdpSocket | undefined;
  #attempt = 0;
  #over = false;
  /** What went wrong last, for when nothing goes right. */
  #failure: HalError = { kind: 'timeout', detail: 'no DNS server answered' };

  /** Begins on the alarm, so that nothing is told during the call (law 1); with `known` that is all there is to do. */
  constructor(options: ResolverOptions, name: string, type: K, known: Result<Records<K>, HalError> | undefined, done: Done<Records<K>>) {
    this.#options = options;
    this.#name = name;
    this.#type = type;
    this.#done = done;
    this.#id = random16(options.entropy);
    this.#timer = options.timers.create('dns', (at) => {
      if (known) this.#finish(known, at);
      else if (this.#socket) this.#ask(at);
      else this.#begin(at);
    });
    this.#timer.set(options.now());
  }

  /** False when it was over already. */
  cancel(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#timer.clear();
    this.#socket?.close();
    return true;
  }

  #begin(at: Micros): void {
    this.#servers = this.#options.servers().slice(0, SERVER_LIMIT);
    if (!encodeName(this.#name)) this.#finish(fail('not-found', `${this.#name} is not a domain name`), at);
    else if (this.#servers.length === 0) this.#finish(fail('unreachable', 'the network names no DNS server'), at);
    else this.#open(at);
  }

  #open(at: Micros): void {
    const socket = this.#options.udp();
    if (socket.ok) this.#listen(socket.value, at);
    else this.#finish(socket, at);
  }

  #listen(socket: UdpSocket, at: Micros): void {
    this.#socket = socket;
    socket.onDatagram((bytes, from, when) => {
      if (from.port === DNS_PORT && this.#servers.includes(from.address)) this.#onAnswer(bytes, from.address, when);
    });
    this.#ask(at);
  }

  /** Sends to the next server; one that cannot be reached is passed over at once. */
  #ask(at: Micros): void {
    const question = encodeDns(this.#question())!;
    const attempts = ROUNDS.length * this.#servers.length;
    while (this.#attempt < attempts) {
      const server = this.#servers[this.#attempt % this.#servers.length]!;
      const patience = ROUNDS[Math.floor(this.#attempt / this.#servers.length)]!;
      this.#attempt++;
      const sent = this.#socket!.send({ address: server, port: DNS_PORT }, question);
      if (sent === 'sent') {
        this.#timer.set(at + patience);
        return;
      }
      this.#failure = { kind: sent, detail: `the DNS server ${server} cannot be asked` };
    }
    this.#finish({ ok: false, error: this.#failure }, at);
  }

  #question(): DnsMessage {
    return {
      id: this.#id,
      response: false,
      authoritative: false,
      truncated: false,
      recursionDesired: true,
      recursionAvailable: false,
      rcode: DnsRcode.noError,
      questions: [{ name: this.#name, type: DnsType[this.#type] }],
      answers: [],
    };
  }

  #onAnswer(bytes: Uint8Array, server: IpAddress, at: Micros): void {
    const message = decodeDns(bytes);
    const asked = message?.questions[0];
    if (!message?.response || message.id !== this.#id || !asked) return;
    if (asked.type !== DnsType[this.#type] || !sameName(asked.name, withoutDot(this.#name))) return;
    if (message.truncated) this.#finish(fail('too-big', `the answer of ${server} does not fit a datagram`), at);
    else if (message.rcode === DnsRcode.noError || message.rcode === DnsRcode.nameError) this.#finish(this.#select(message), at);
    else {
      this.#failure = { kind: 'other', detail: `the DNS server ${server} answered rcode ${message.rcode}` };
      this.#ask(at);
    }
  }

  /** The records asked for, through the aliases that the answer holds itself. */
  #select({ answers, rcode }: DnsMessage): Result<Records<K>, HalError> {
    let owner = withoutDot(this.#name);
    for (let aliases = 0; aliases <= ALIAS_LIMIT; aliases++) {
      const here = answers.filter((record) => sameName(record.name, owner));
      const found = here.filter((record) => record.type === this.#type);
      if (found.length > 0) return ok(found.map((record) => record.value) as unknown as Records<K>);
      const alias = here.find((record) => record.type === 'CNAME');
      if (alias?.type !== 'CNAME') break;
      owner = alias.value;
    }
    return fail('not-found', `${this.#name} has no ${this.#type} records (rcode ${rcode})`);
  }

  #finish(result: Result<Records<K>, HalError>, at: Micros): void {
    if (this.cancel()) this.#done(result, at);
  }
}

const withoutDot = (name: string): string => (name.length > 1 && name.endsWith('.') ? name.slice(0, -1) : name);
