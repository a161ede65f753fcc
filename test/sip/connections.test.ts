/** Connections: whose name a server has to show, and how many others may have to us. */
import { describe, expect, it } from 'vitest';
import { collect } from '../support/streams.js';
import { account, createRig, DEVICE, octets } from './rig.js';

describe('a TLS server', () => {
  it('that SRV found has to show the name that was configured, not the one that DNS gave (RFC 5922 part 4)', () => {
    const rig = createRig({ transport: 'tls', server: { domain: { host: 'x.test' } }, accounts: [account] });
    rig.wire.dns.set('SRV _sips._tcp.x.test', [{ priority: 1, weight: 1, port: 5061, target: 'far.provider.test' }]);
    rig.wire.dns.set('A far.provider.test', ['10.0.0.1']);
    rig.stack.start();
    rig.run(100);
    expect(rig.secured).toEqual(['x.test']);
  });

  it('at an address has to show that address', () => {
    const rig = createRig({ transport: 'tls', server: { domain: { host: '10.0.0.1' } }, accounts: [account] });
    rig.stack.start();
    rig.run(100);
    expect(rig.secured).toEqual(['10.0.0.1']);
  });
});

describe('connections that others made to us', () => {
  it('are 64 at most; the one that was silent longest gives way', () => {
    const rig = createRig();
    rig.stack.start();
    const net = rig.wire.host('10.0.0.9');
    const connect = (): ReturnType<typeof collect> & { ping(): void } => {
      const stream = net.connect({ address: DEVICE, port: 5061 });
      const got = collect(stream);
      rig.run(10);
      return Object.assign(got, { ping: () => void stream.write(octets('\r\n\r\n')) });
    };
    const all = Array.from({ length: 64 }, connect);
    all[0]!.ping();
    rig.run(10);
    expect(all.filter(({ events }) => events.includes('closed'))).toEqual([]);
    connect();
    rig.run(10);
    expect(all.map(({ events }) => events.includes('closed')).flatMap((closed, i) => (closed ? [i] : []))).toEqual([1]);
  });
});
