/** A host for peers on the simulated LAN. */
import { shareAlarm } from '../../hal/base/share-alarm.js';
import { Timers } from '../../hal/base/timers.js';
import type { Clock, FramePort, MacAddress } from '../../hal/hal.js';
import type { Platform } from '../../hal/platform.js';
import type { StaticAddress } from '../../hal/stack/index.js';
import { networked } from '../hal/networked.js';
import type { LanPort } from '../lan/lan.js';
import type { World } from '../world/world.js';
import type { PeerHost } from './peer-host.js';

export interface SimPeerOptions {
  world: World;
  platform: Platform;
  /** Its name is the peer's. */
  port: LanPort;
  mac: MacAddress;
  address: StaticAddress;
  log: PeerHost['log'];
  /** Puts a layer around the raw frames: the capture. */
  wrapFrames?(frames: FramePort, clock: Pick<Clock, 'now' | 'wall'>): FramePort;
}

/** Switches a host on now. Its clock is right. */
export function simPeerHost(options: SimPeerOptions): PeerHost {
  const { world, platform, port, mac, address } = options;
  const host = world.host({ name: port.name, trust: 'network' });
  const share = shareAlarm(host.clock);
  const { net } = networked(host, share(), port, {
    mac,
    address,
    entropy: { fill: (out) => world.random(`entropy:${mac}:stack`).fill(out) },
    wrap: (frames) => options.wrapFrames?.(frames, host.clock) ?? frames,
  });
  const clock = share();
  return {
    name: port.name,
    address: address.address,
    clock,
    timers: new Timers(clock),
    net,
    entropy: { fill: (out) => world.random(`entropy:${mac}`).fill(out) },
    crypto: platform.crypto,
    tls: platform.tls(host),
    httpServer: (http) => platform.httpServer(http),
    log: options.log,
  };
}
