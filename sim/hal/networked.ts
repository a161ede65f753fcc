/** Joins a host to the LAN: the portable stack over its port of the switch. */
import type { Clock, Entropy, FramePort, MacAddress } from '../../hal/hal.js';
import { createStack, type Stack, type StaticAddress } from '../../hal/stack/index.js';
import type { LanPort } from '../lan/lan.js';
import type { Host } from '../world/host.js';

/** Octets of an IP packet in an Ethernet frame (RFC 894). */
const MTU = 1500;

interface Networking {
  mac: MacAddress;
  address: 'dhcp' | StaticAddress;
  entropy: Entropy;
  wrap(frames: FramePort): FramePort;
}

/** Plugs a host into its port and runs the portable stack over it until the power goes. */
export function networked(host: Host, clock: Clock, port: LanPort, { mac, address, entropy, wrap }: Networking): Stack {
  const plug = port.plug(host);
  host.atPowerOff(() => plug.unplug());
  const nic = { mac, mtu: MTU, link: () => plug.link(), link$: plug.link$, frames: wrap(plug.frames) };
  return createStack({ nic, clock, entropy, address });
}
