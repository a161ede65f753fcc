/** A world with a LAN and hosts on it, for tests of peers and boards: every frame sent is noted, every event logged. */
import { nodePlatform } from '../../hal/node/index.js';
import { Lan } from '../../sim/lan/lan.js';
import type { LinkFaults } from '../../sim/lan/link.js';
import type { PeerHost } from '../../sim/peers/peer-host.js';
import { simPeerHost } from '../../sim/peers/sim-peer-host.js';
import { World } from '../../sim/world/world.js';

export const START = 1_767_225_600_000; // 2026-01-01T00:00:00Z
export const platform = nodePlatform();

export interface Logged {
  t: number;
  host: string;
  event: string;
  [field: string]: unknown;
}

export class SimLab {
  readonly world: World;
  readonly lan: Lan;
  readonly log: Logged[] = [];
  /** Time, sender and length of every frame, in order. */
  readonly frames: string[] = [];
  #hosts = 0;

  constructor(options: { seed?: number; faults?: Partial<LinkFaults> } = {}) {
    this.world = new World({ seed: options.seed ?? 1, platform, start: START });
    this.lan = new Lan(this.world, options.faults ?? { latency: 1000, jitter: 200 });
  }

  /** A host at 10.0.0.N. */
  host(name: string, n: number): PeerHost {
    return simPeerHost({
      world: this.world,
      platform,
      port: this.lan.attach(name),
      mac: `0200000000${(++this.#hosts).toString(16).padStart(2, '0').toUpperCase()}`,
      address: { address: `10.0.0.${n}`, prefix: 24, dns: ['10.0.0.2'] },
      log: (event, fields) => this.log.push({ t: this.world.now, host: name, event, ...fields }),
      wrapFrames: (frames) => ({
        send: (bytes) => {
          this.frames.push(`${this.world.now} ${name} ${bytes.length}`);
          return frames.send(bytes);
        },
        onFrame: (listener) => frames.onFrame(listener),
      }),
    });
  }

  logged(event: string): Logged[] {
    return this.log.filter((entry) => entry.event === event);
  }
}
