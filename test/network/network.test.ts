import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { EndpointEvent } from '../../core/kernel/events.js';
import { createKernel } from '../../core/kernel/kernel.js';
import { watchNetwork } from '../../core/network/watch-network.js';
import { utf8 } from '../../hal/base/bytes.js';
import type { Lease, LinkState, Nic } from '../../hal/hal.js';
import { VirtualClock } from '../support/virtual-clock.js';

const lease = (address: string): Lease => ({
  address,
  prefix: 24,
  dns: ['10.0.0.3'],
  ntp: [],
  options: new Map([[66, utf8('https://prov.example.test/')]]),
});

function rig(initial: { up: boolean; lease?: Lease }) {
  const link$ = new Subject<LinkState & { at: number }>();
  const lease$ = new Subject<{ lease: Lease | undefined; at: number }>();
  const nic: Nic = { mac: '0022EE0A0001', mtu: 1500, link: () => ({ up: initial.up }), lease: () => initial.lease, link$, lease$ };
  const events: EndpointEvent[] = [];
  const notices: string[] = [];
  const stop = watchNetwork(
    createKernel(new VirtualClock(), (event) => events.push(event)),
    nic,
    (notice) => notices.push(notice.type),
  );
  const seen = (): string[] => events.map(({ event }) => event).filter((event) => event !== 'machine.state');
  return {
    link: (up: boolean) => link$.next({ up, at: 0 }),
    lease: (to: Lease | undefined) => lease$.next({ lease: to, at: 0 }),
    stop,
    seen,
    notices,
    events,
  };
}

describe('the network', () => {
  it('is ready when there is a link and a lease, whichever was there before', () => {
    const late = rig({ up: false });
    late.link(true);
    late.lease(lease('10.0.0.100'));
    const early = rig({ up: true, lease: lease('10.0.0.100') });
    for (const { seen, notices } of [late, early]) {
      expect(seen()).toEqual(['link.up', 'lease.acquired']);
      expect(notices).toEqual(['network.ready']);
    }
    expect(early.events.find(({ event }) => event === 'lease.acquired')).toMatchObject({ options: { 66: 'https://prov.example.test/' } });
  });

  it('survives a cut: nothing is told to those who use it, and a new address is a change', () => {
    const net = rig({ up: true, lease: lease('10.0.0.100') });
    net.link(false);
    net.link(true);
    expect(net.notices).toEqual(['network.ready']);
    net.lease(lease('10.0.0.101'));
    expect(net.notices).toEqual(['network.ready', 'network.changed']);
    expect(net.seen()).toEqual(['link.up', 'lease.acquired', 'link.down', 'link.up', 'lease.acquired']);
  });

  it('is lost with its lease, and says nothing after it was stopped', () => {
    const net = rig({ up: true, lease: lease('10.0.0.100') });
    net.lease(undefined);
    net.lease(lease('10.0.0.100'));
    expect(net.notices).toEqual(['network.ready', 'network.lost', 'network.ready']);
    net.stop();
    net.link(false);
    expect(net.seen().at(-1)).toBe('lease.acquired');
  });
});
