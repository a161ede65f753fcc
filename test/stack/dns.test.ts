import { describe, expect, it } from 'vitest';
import { SECOND } from '../../hal/base/time.js';
import type { DnsRecords, HalError, Micros, Result, UdpSocket } from '../../hal/hal.js';
import { DNS_PORT, type DnsData, type DnsMessage, DnsRcode, DnsType, decodeDns, encodeDns } from '../../hal/stack/index.js';
import { host, seeded, type TestHost, Time, Wire } from './wire.js';

type Zone = Record<string, DnsData[]>;

class Server {
  readonly heard: { id: number; port: number; at: Micros }[] = [];
  silent = false;
  rcode: number = DnsRcode.noError;
  change: (answer: DnsMessage) => Partial<DnsMessage> = () => ({});

  constructor(on: TestHost, time: Time, zone: Zone) {
    const opened = on.net.udp({ port: DNS_PORT });
    if (!opened.ok) throw new Error(opened.error.detail);
    const socket: UdpSocket = opened.value;
    socket.onDatagram((bytes, from) => {
      const query = decodeDns(bytes)!;
      this.heard.push({ id: query.id, port: from.port, at: time.now });
      if (this.silent) return;
      const question = query.questions[0]!;
      const answers = answer(zone, question.name, question.type);
      const rcode = this.rcode || (question.name in zone ? DnsRcode.noError : DnsRcode.nameError);
      const reply: DnsMessage = { ...query, response: true, recursionAvailable: true, rcode, answers };
      socket.send(from, encodeDns({ ...reply, ...this.change(reply) })!);
    });
  }
}

/** The records of a name, its aliases first, as a recursive server writes them. */
function answer(zone: Zone, name: string, type: number): DnsMessage['answers'] {
  const records: DnsMessage['answers'][number][] = [];
  for (let owner = name, hops = 0; hops < 20; hops++) {
    const here = zone[owner] ?? [];
    const alias = here.find((data) => data.type === 'CNAME');
    if (alias?.type !== 'CNAME') {
      const wanted = here.filter((data) => (typeof data.type === 'number' ? data.type : DnsType[data.type]) === type);
      return [...records, ...wanted.map((data) => ({ name: owner, ttl: 60, ...data }))];
    }
    records.push({ name: owner, ttl: 60, ...alias });
    owner = alias.value;
  }
  return records;
}

const SRV = { priority: 10, weight: 5, port: 5061, target: 'sip.example.test' };
const NAPTR = { order: 1, preference: 2, flags: 'S', service: 'SIPS+D2T', replacement: '_sips._tcp.example.test' };
const ZONE: Zone = {
  'sip.example.test': [
    { type: 'A', value: '192.0.2.1' },
    { type: 'A', value: '192.0.2.2' },
    { type: 'AAAA', value: '2001:db8::1' },
  ],
  'alias.example.test': [{ type: 'CNAME', value: 'Other.Example.test' }],
  'Other.Example.test': [{ type: 'CNAME', value: 'sip.example.test' }],
  'circle.example.test': [{ type: 'CNAME', value: 'circle.example.test' }],
  '_sips._tcp.example.test': [{ type: 'SRV', value: SRV }],
  'example.test': [{ type: 'NAPTR', value: NAPTR }],
};

function world() {
  const time = new Time();
  const wire = new Wire(time, seeded(5));
  const servers = ['10.0.0.1', '10.0.0.2'].map((address) => new Server(host(wire, address), time, ZONE));
  const client = host(wire, { address: '10.0.0.9', prefix: 24, dns: ['10.0.0.1', '10.0.0.2'] });
  return { time, wire, first: servers[0]!, second: servers[1]!, client };
}

/** The outcome, and when; undefined until then. */
function ask<K extends keyof DnsRecords>(client: TestHost, name: string, type: K) {
  const outcome: { result?: Result<readonly DnsRecords[K][], HalError>; at?: Micros; times: number; cancel(): void } = {
    times: 0,
    cancel: () => {},
  };
  outcome.cancel = client.net.resolve(name, type, (result, at) => {
    Object.assign(outcome, { result, at });
    outcome.times++;
  });
  return outcome;
}

describe('the resolver', () => {
  it.each([
    ['sip.example.test', 'A', ['192.0.2.1', '192.0.2.2']],
    ['SIP.example.TEST.', 'A', ['192.0.2.1', '192.0.2.2']],
    ['sip.example.test', 'AAAA', ['2001:db8::1']],
    ['alias.example.test', 'A', ['192.0.2.1', '192.0.2.2']],
    ['_sips._tcp.example.test', 'SRV', [SRV]],
    ['example.test', 'NAPTR', [NAPTR]],
  ] as const)('finds %s %s', (name, type, value) => {
    const { time, client, first } = world();
    // Names are asked as written; this little server compares them exactly.
    first.change = (reply) => ({
      rcode: 0,
      answers: answer(ZONE, reply.questions[0]!.name.replace('SIP.example.TEST', 'sip.example.test'), reply.questions[0]!.type),
    });
    const asked = ask(client, name, type);
    expect(asked.times).toBe(0);
    time.run(SECOND);
    expect(asked.result).toEqual({ ok: true, value });
  });

  it.each([
    ['a name that is not there', 'nobody.example.test', 'A'],
    ['a name without that type', 'example.test', 'A'],
    ['an alias of itself', 'circle.example.test', 'A'],
    ['what is no name', 'a..b', 'A'],
    ['an IPv6 address asked for IPv4', '2001:db8::1', 'A'],
    ['an IPv4 address asked for services', '192.0.2.1', 'SRV'],
  ] as const)('says not-found of %s', (_what, name, type) => {
    const { time, client } = world();
    const asked = ask(client, name, type);
    expect(asked.times).toBe(0);
    time.run(SECOND);
    expect(asked.result).toMatchObject({ ok: false, error: { kind: 'not-found' } });
  });

  it('takes an address for its own name, asking nobody', () => {
    const { time, client, first } = world();
    const asked = [ask(client, '192.0.2.7', 'A'), ask(client, '2001:DB8:0::7', 'AAAA')];
    expect(asked.map(({ times }) => times)).toEqual([0, 0]);
    time.run(SECOND);
    expect(asked.map(({ result }) => result)).toEqual([
      { ok: true, value: ['192.0.2.7'] },
      { ok: true, value: ['2001:db8::7'] },
    ]);
    expect(first.heard).toEqual([]);
  });

  it('asks the next server when one is silent or fails', () => {
    const { time, client, first, second } = world();
    first.silent = true;
    const asked = ask(client, 'sip.example.test', 'A');
    time.run(5 * SECOND);
    expect(asked.result?.ok).toBe(true);
    expect(asked.at).toBeGreaterThan(SECOND);
    first.silent = false;
    first.rcode = DnsRcode.serverFailure;
    const again = ask(client, 'sip.example.test', 'A');
    time.run(10 * SECOND);
    expect(again.result?.ok).toBe(true);
    expect(second.heard).toHaveLength(2);
  });

  it('gives up after three rounds of 1, 2 and 4 s a server, once', () => {
    const { time, client, first, second } = world();
    first.silent = true;
    second.silent = true;
    const asked = ask(client, 'sip.example.test', 'A');
    time.run(60 * SECOND);
    expect(asked).toMatchObject({ times: 1, at: 14 * SECOND, result: { ok: false, error: { kind: 'timeout' } } });
    expect(first.heard.length + second.heard.length).toBe(6);
  });

  it('names the failure when every server fails, and when there is none', () => {
    const { time, wire, client, first, second } = world();
    first.rcode = DnsRcode.refused;
    second.rcode = DnsRcode.serverFailure;
    const asked = ask(client, 'sip.example.test', 'A');
    const lonely = ask(host(wire, { address: '10.0.0.10', prefix: 24 }), 'sip.example.test', 'A');
    time.run(60 * SECOND);
    expect(asked.result).toEqual({ ok: false, error: { kind: 'other', detail: 'the DNS server 10.0.0.2 answered rcode 2' } });
    expect(lonely.result).toMatchObject({ ok: false, error: { kind: 'unreachable' } });
  });

  it('does not believe an answer to another question', () => {
    const { time, client, first, second } = world();
    second.silent = true;
    const lies: Partial<DnsMessage>[] = [
      { response: false },
      { questions: [] },
      { questions: [{ name: 'other.example.test', type: 1 }] },
      { questions: [{ name: 'sip.example.test', type: 28 }] },
    ];
    for (const lie of lies) {
      first.change = () => lie;
      const asked = ask(client, 'sip.example.test', 'A');
      time.run(time.now + 20 * SECOND);
      expect(asked.result).toMatchObject({ ok: false, error: { kind: 'timeout' } });
    }
    first.change = ({ id }) => ({ id: id ^ 1 });
    const asked = ask(client, 'sip.example.test', 'A');
    time.run(time.now + 20 * SECOND);
    expect(asked.result?.ok).toBe(false);
  });

  it('refuses half an answer', () => {
    const { time, client, first } = world();
    first.change = () => ({ truncated: true });
    const asked = ask(client, 'sip.example.test', 'A');
    time.run(SECOND);
    expect(asked.result).toMatchObject({ ok: false, error: { kind: 'too-big' } });
  });

  it('uses identifiers and ports that nobody can guess', () => {
    const { time, client, first } = world();
    for (let i = 0; i < 20; i++) {
      ask(client, 'sip.example.test', 'A');
      time.run(time.now + SECOND);
    }
    expect(new Set(first.heard.map(({ id }) => id)).size).toBe(20);
    expect(new Set(first.heard.map(({ port }) => port)).size).toBe(20);
  });

  it('tells nothing after it was cancelled, and bounds what is under way', () => {
    const { time, client, first, second } = world();
    const cancelled = ask(client, 'sip.example.test', 'A');
    cancelled.cancel();
    cancelled.cancel();
    first.silent = true;
    second.silent = true;
    const many = Array.from({ length: 70 }, () => ask(client, 'sip.example.test', 'A'));
    time.run(SECOND / 2);
    expect(many.filter(({ result }) => result && !result.ok && result.error.kind === 'full')).toHaveLength(6);
    time.run(60 * SECOND);
    expect(cancelled.times).toBe(0);
    expect(many.every(({ times }) => times === 1)).toBe(true);
    first.silent = false;
    const after = ask(client, 'sip.example.test', 'A');
    time.run(70 * SECOND);
    expect(after.result?.ok).toBe(true);
  });
});
