/** Joins the parts of the stack over one raw interface. */
import type { Observable } from 'rxjs';
import type { Clock, Entropy, FramePort, IpAddress, LinkState, MacAddress, Micros, Net, Nic } from '../hal.js';

/** What the stack stands on: an interface that carries frames. The stack is the one listener of `frames`. */
export interface StackNic {
  mac: MacAddress;
  /** Octets of an IP packet that fit a frame. */
  mtu: number;
  link(): LinkState;
  link$: Observable<LinkState & { at: Micros }>;
  frames: FramePort;
}

/** A lease that nobody grants: it is there from the start and never ends. */
export interface StaticAddress {
  address: IpAddress;
  /** Length of the network prefix, in bits. */
  prefix: number;
  gateway?: IpAddress;
  dns?: readonly IpAddress[];
  ntp?: readonly IpAddress[];
  domain?: string;
}

export interface StackOptions {
  nic: StackNic;
  /** The stack's own: it takes the alarm (`shareAlarm` makes several of one). */
  clock: Clock;
  entropy: Entropy;
  address: 'dhcp' | StaticAddress;
  /** DHCP option 12. */
  hostname?: string;
}

export interface Stack {
  nic: Nic;
  net: Net;
}

export function createStack(_options: StackOptions): Stack {
  throw new Error('being built');
}
