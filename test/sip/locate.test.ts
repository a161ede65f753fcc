import { describe, expect, it } from 'vitest';
import type { Transport } from '../../core/sip/flow.js';
import { type LocateOptions, locate, orderServices } from '../../core/sip/locate.js';
import type { DnsRecords } from '../../hal/hal.js';
import { seededEntropy } from './rig.js';

type Records = Readonly<Record<string, readonly string[] | readonly DnsRecords['SRV'][]>>;

/** Targets as `transport address:port name`, or the kind of failure; with the questions that were asked. */
function find(records: Records, options: Partial<LocateOptions>): { targets: string[] | string; asked: string[] } {
  const asked: string[] = [];
  const answers: (() => void)[] = [];
  let targets: string[] | string = 'nothing';
  locate({
    net: {
      resolve: (name, type, done) => {
        asked.push(`${type} ${name}`);
        const found = records[`${type} ${name}`];
        answers.push(() => done(found ? { ok: true, value: found as never } : { ok: false, error: { kind: 'not-found', detail: '' } }, 0));
        return () => {};
      },
    },
    ...{ entropy: seededEntropy(1), host: 'x.test', port: undefined, transport: 'auto', allowed: ['tls', 'tcp', 'udp'], srv: true },
    ...options,
    done: (result) => {
      targets = result.ok ? result.value.map((t) => `${t.transport} ${t.address}:${t.port} ${t.name}`) : result.error.kind;
    },
  });
  for (let next = answers.shift(); next; next = answers.shift()) next();
  return { targets, asked };
}

const srv = (target: string, port: number, priority = 1, weight = 0): DnsRecords['SRV'] => ({ target, port, priority, weight });

describe('locating a server (RFC 3263)', () => {
  it.each([
    ['auto', '192.0.2.1', undefined, 'udp 192.0.2.1:5060 192.0.2.1'],
    ['tls', '192.0.2.1', undefined, 'tls 192.0.2.1:5061 192.0.2.1'],
    ['tcp', '192.0.2.1', 5070, 'tcp 192.0.2.1:5070 192.0.2.1'],
    ['udp', '2001:db8::1', undefined, 'udp 2001:db8::1:5060 2001:db8::1'],
  ] as const)('%s to the address %s needs no DNS', (transport, host, port, target) => {
    expect(find({}, { transport, host, port })).toEqual({ targets: [target], asked: [] });
  });

  it('a port leaves only the address to ask for', () => {
    expect(find({ 'A x.test': ['192.0.2.1'] }, { port: 5070, transport: 'tls' })).toEqual({
      targets: ['tls 192.0.2.1:5070 x.test'],
      asked: ['A x.test'],
    });
  });

  it('auto takes what SRV offers, the most secure first, each address a target; the name stays the one configured', () => {
    const records = {
      'SRV _sips._tcp.x.test': [srv('b.x.test', 5061, 2), srv('a.x.test', 5061, 1)],
      'SRV _sip._udp.x.test': [srv('a.x.test', 5060)],
      'A a.x.test': ['192.0.2.1', '192.0.2.2'],
      'A b.x.test': ['192.0.2.3'],
    };
    expect(find(records, {}).targets).toEqual([
      'tls 192.0.2.1:5061 x.test',
      'tls 192.0.2.2:5061 x.test',
      'tls 192.0.2.3:5061 x.test',
      'udp 192.0.2.1:5060 x.test',
      'udp 192.0.2.2:5060 x.test',
    ]);
    expect(find(records, { allowed: ['tcp', 'udp'] }).targets).toEqual(['udp 192.0.2.1:5060 x.test', 'udp 192.0.2.2:5060 x.test']);
  });

  it.each(['auto', 'udp', 'tcp', 'tls'] as const)('%s without SRV asks for the name itself', (transport: Transport | 'auto') => {
    const port = transport === 'tls' ? 5061 : 5060;
    const plain = transport === 'auto' ? 'udp' : transport;
    expect(find({ 'A x.test': ['192.0.2.1'] }, { transport }).targets).toEqual([`${plain} 192.0.2.1:${port} x.test`]);
  });

  it('a board that knows no SRV does not ask for it', () => {
    expect(find({ 'A x.test': ['192.0.2.1'] }, { srv: false }).asked).toEqual(['A x.test']);
  });

  it('a name that nobody knows is a failure', () => {
    expect(find({}, {}).targets).toBe('not-found');
  });

  it('draws among equal priorities by weight (RFC 2782)', () => {
    const entropy = seededEntropy(7);
    const first: Record<string, number> = {};
    for (let i = 0; i < 4000; i++) {
      const { target } = orderServices([srv('a', 1, 1, 10), srv('b', 1, 1, 30), srv('c', 1, 1, 60), srv('z', 1, 2, 100)], entropy)[0]!;
      first[target] = (first[target] ?? 0) + 1;
    }
    expect(first['z']).toBeUndefined();
    expect(first['a']! / 4000).toBeCloseTo(0.1, 1);
    expect(first['c']! / 4000).toBeCloseTo(0.6, 1);
  });
});
