/** A simulated board on a bench of virtual time. */
import { board8180g2 } from '../../boards/8180-g2.js';
import { MILLISECOND } from '../../hal/base/time.js';
import { type Bench, Unmet } from '../../hal/conformance/index.js';
import type { Hal } from '../../hal/hal.js';
import { NorFlash } from '../../sim/flash/nor-flash.js';
import { simHal } from '../../sim/hal/sim-hal.js';
import { startDnsServer } from '../../sim/peers/dns-server.js';
import { platform, SimLab } from '../support/sim-lab.js';
import { at, startEcho } from './echo.js';

export function simRig(): { hal: Hal; bench: Bench } {
  const lab = new SimLab({ faults: { latency: 500 }, seed: 1 });
  const peer = lab.host('peer', 1);
  const echo = startEcho(peer.net);
  const names = { known: 'known.example.test', address: '192.0.2.1', unknown: 'unknown.example.test' };
  startDnsServer(peer, { records: [{ name: names.known, type: 'A', value: names.address, ttl: 60 }] });
  const hal = simHal({
    world: lab.world,
    platform,
    port: lab.lan.attach('board'),
    chip: new NorFlash(board8180g2.flash),
    board: { ...board8180g2, audio: { ...board8180g2.audio, microphone: true } },
    mac: '0022EE0A0001',
    address: { address: '10.0.0.9', prefix: 24, dns: ['10.0.0.1'] },
    hooks: { onReboot: () => undefined, onPowerCut: () => undefined },
  });
  const bench: Bench = {
    until: async (what, ready, limit) => {
      const end = lab.world.now + limit;
      for (;;) {
        const value = ready();
        if (value !== undefined) return value;
        if (lab.world.now > end) throw new Unmet(`${what}: not within ${limit / MILLISECOND} ms`);
        await lab.world.run(lab.world.now + MILLISECOND);
      }
    },
    later: (act) => void lab.world.at(lab.world.now, act),
    echo: { udp: at('10.0.0.1', echo.udp), tcp: at('10.0.0.1', echo.tcp) },
    nobody: at('10.0.0.1', 1),
    dial: (to) => peer.net.connect(to),
    names,
    spareFlash: 'data',
  };
  return { hal, bench };
}
