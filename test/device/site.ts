/** A device at its site: DHCP, DNS, a provisioning server whose files a test changes, a SIP server and a caller. All in clear. */
import { findBoard } from '../../boards/index.js';
import type { EndpointEvent } from '../../core/kernel/events.js';
import { encodeConf } from '../../core/settings/conf.codec.js';
import { expectOk, invariant } from '../../hal/base/result.js';
import { SECOND } from '../../hal/base/time.js';
import type { Micros } from '../../hal/hal.js';
import { startDhcpServer } from '../../sim/peers/dhcp-server.js';
import { startDnsServer } from '../../sim/peers/dns-server.js';
import { startProvisioningServer } from '../../sim/peers/provisioning-server.js';
import { type Caller, startCaller } from '../../sim/peers/sip/caller.js';
import { type SipPeer, startSipServer } from '../../sim/peers/sip/sip-server.js';
import { SimPki } from '../../sim/scenario/pki.js';
import { SimDevice } from '../../sim/scenario/sim-device.js';
import { makeUnit } from '../../sim/scenario/unit.js';
import { randomStream } from '../../sim/world/random.js';
import { platform, SimLab, START } from '../support/sim-lab.js';

const MAC = '0022EE0A0001';
const FILE = `/algom${MAC}.conf`;
const PROVISIONING = '10.0.0.5';

/** What makes the device register and take pages. */
export const REGISTERS = { 'sip.proxy': 'sip.example.test', 'sip.u1.user': '101', 'sip.u1.pwd': 'secret' };

export interface SiteOptions {
  local?: Record<string, string>;
  firmware?: string;
}

export class Site {
  readonly lab = new SimLab();
  readonly device: SimDevice;
  readonly sip: SipPeer;
  readonly caller: Caller;
  /** Since the first boot, times of each boot its own. */
  readonly events: EndpointEvent[] = [];
  readonly #files = new Map<string, Uint8Array>();

  constructor({ local = {}, firmware = '5.5' }: SiteOptions = {}) {
    const { world, lan } = this.lab;
    startDhcpServer(this.lab.host('dhcp', 2), {
      pool: { first: '10.0.0.100', last: '10.0.0.199' },
      prefix: 24,
      dns: ['10.0.0.3'],
      option66: `http://${PROVISIONING}/`,
    });
    startDnsServer(this.lab.host('dns', 3), { records: [{ name: 'sip.example.test', ttl: 300, type: 'A', value: '10.0.0.4' }] });
    this.sip = expectOk(
      startSipServer(this.lab.host('sip', 4), { domain: 'sip.example.test', users: new Map([['101', 'secret']]), udp: {} }),
      'SIP server',
    );
    startProvisioningServer(this.lab.host('provisioning', 5), { files: this.#files });
    this.caller = expectOk(
      startCaller(this.lab.host('caller', 6), {
        ...{ user: 'desk', domain: 'sip.example.test', transport: 'udp', srtp: 'none', tone: 1000 },
        proxy: { address: '10.0.0.4', port: 5060 },
      }),
      'caller',
    );
    const board = findBoard('8180-g2');
    invariant(board !== undefined, 'the board is known');
    const pki = new SimPki({ platform, entropy: randomStream(1, 'pki'), start: START });
    const setup = {
      board: board.id,
      mac: MAC,
      image: { files: new Map(), settings: new Map(Object.entries(local)) },
      provisioned: new Map(),
    };
    const { chip } = makeUnit(setup, randomStream(1, 'unit'), pki);
    this.device = new SimDevice({
      ...{ name: 'lobby', mac: MAC, world, platform, port: lan.attach('lobby'), chip, board, firmware },
      hooks: { onEvent: (event) => this.events.push(event), onFlashOp: () => undefined, onPowerCut: () => undefined },
    });
  }

  /** What the provisioning server has for the device. */
  serve(values: Record<string, string>): void {
    this.#files.set(FILE, encodeConf(new Map(Object.entries(values))));
  }

  /** Does it now, and lets time pass. */
  async after(act: () => void, time: Micros): Promise<void> {
    const { world } = this.lab;
    world.at(world.now, act);
    await world.run(world.now + time);
  }

  /** Switched on, and given time to register. */
  async powerOn(values: Record<string, string>): Promise<void> {
    this.serve(values);
    await this.after(() => this.device.powerOn(), 20 * SECOND);
  }

  names(...wanted: readonly string[]): string[] {
    return this.events.map(({ event }) => event).filter((event) => wanted.includes(event));
  }
  named(name: string): EndpointEvent[] {
    return this.events.filter(({ event }) => event === name);
  }
  /** Events from here on only. */
  forget(): void {
    this.events.length = 0;
  }
}
