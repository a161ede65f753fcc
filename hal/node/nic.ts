/** `Nic` of a machine whose operating system has the network: the link is up, and the lease is what the machine was given. */
import { networkInterfaces } from 'node:os';
import { Subject } from 'rxjs';
import type { IpAddress, Lease, LinkState, MacAddress, Micros, Nic } from '../hal.js';

const ETHERNET_MTU = 1500;
const LOOPBACK: IpAddress = '127.0.0.1';

export interface NodeNicOptions {
  mac: MacAddress;
  /** The machine's first address on a network where absent, else its loopback. */
  address?: IpAddress;
  dns: readonly IpAddress[];
}

/** Nothing changes while the program runs, so `link$` and `lease$`, which tell of changes, stay silent. */
export function createNodeNic(options: NodeNicOptions): Nic {
  const link: LinkState = { up: true };
  const lease: Lease = {
    ...ownAddress(options.address),
    dns: options.dns,
    ntp: [],
    options: new Map(),
  };
  return {
    mac: options.mac,
    mtu: ETHERNET_MTU,
    link: () => link,
    lease: () => lease,
    link$: new Subject<LinkState & { at: Micros }>(),
    lease$: new Subject<{ lease: Lease | undefined; at: Micros }>(),
  };
}

function ownAddress(asked: IpAddress | undefined): { address: IpAddress; prefix: number } {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const found = own.find(({ address, family, internal }) => (asked === undefined ? family === 'IPv4' && !internal : address === asked));
  // An address that no interface shows is one of the loopback network, all of which is this machine's.
  return { address: found?.address ?? asked ?? LOOPBACK, prefix: Number(found?.cidr?.split('/')[1] ?? 8) };
}
