/**
 * A board and its provisioning server on a simulated LAN. One chip can be provisioned, and booted with the network unplugged; each run has
 * a world of its own, so that one follows from its chip alone.
 */
import { createEndpoint } from '../../core/device/endpoint.js';
import type { EndpointEvent } from '../../core/kernel/events.js';
import { MILLISECOND, SECOND } from '../../hal/base/time.js';
import type { FlashOp } from '../../hal/hal.js';
import type { NorFlash } from '../../sim/flash/nor-flash.js';
import { simHal } from '../../sim/hal/sim-hal.js';
import { startDhcpServer } from '../../sim/peers/dhcp-server.js';
import { startDnsServer } from '../../sim/peers/dns-server.js';
import { startProvisioningServer } from '../../sim/peers/provisioning-server.js';
import { startSntpServer } from '../../sim/peers/sntp-server.js';
import { SimPki } from '../../sim/scenario/pki.js';
import type { DeviceSetup } from '../../sim/scenario/scenario.js';
import { makeUnit, type Unit } from '../../sim/scenario/unit.js';
import { randomStream } from '../../sim/world/random.js';
import { platform, SimLab, START } from './sim-lab.js';

const MAC = '0022EE0A0001';
const SERVER = 'prov.example.test';
const setup: DeviceSetup = {
  board: '8180-g2',
  mac: MAC,
  image: {
    files: new Map([['certs/trusted/site.pem', { authority: 'site' }]]),
    settings: new Map([['prov.download.cert', '1']]),
  },
  provisioned: new Map(),
};

/** By name, as the server has them. */
export type ServedFiles = Readonly<Record<string, Uint8Array>>;

export interface BoardRun {
  events: readonly EndpointEvent[];
  /** What the status page shows when the run ends. */
  status: ReadonlyMap<string, string>;
  /** Programs, erases and syncs, with their octets, in the order in which they were done. */
  operations: readonly FlashOp[];
}

/** Long enough for a lease, the time, a TLS handshake, two files and their commit; nothing else happens then. */
const PROVISIONING = 20 * SECOND;
/** Reading the flash takes some 10 ms of it. */
const BOOT = 50 * MILLISECOND;

export class ProvisionedBoard {
  readonly unit: Unit;
  readonly #pki: SimPki;
  readonly #identity;

  constructor() {
    this.#pki = new SimPki({ platform, entropy: randomStream(1, 'pki'), start: START });
    this.#identity = this.#pki.server(SERVER, 'good');
    this.unit = makeUnit(setup, randomStream(1, 'unit'), this.#pki);
  }

  /** Switched on, provisioned with these files, and switched off. The chip's planned power cut ends it before. */
  async provision(chip: NorFlash, files: ServedFiles): Promise<BoardRun> {
    const lab = new SimLab();
    this.#startServers(lab, files);
    return this.#run(lab, chip, PROVISIONING);
  }

  /** Switched on with the cable out, and off again. */
  async bootUnplugged(chip: NorFlash): Promise<BoardRun> {
    return this.#run(new SimLab(), chip, BOOT, 'unplugged');
  }

  async #run(lab: SimLab, chip: NorFlash, time: number, plugged?: 'unplugged'): Promise<BoardRun> {
    const { world, lan } = lab;
    const { board, firmware } = this.unit;
    const events: EndpointEvent[] = [];
    const operations: FlashOp[] = [];
    const port = lan.attach('board');
    if (plugged === 'unplugged') port.cut();
    const hooks = { onReboot: () => undefined, onPowerCut: () => undefined };
    const hal = simHal({ world, platform, port, chip, board, mac: MAC, clock: { offset: -world.wall() }, hooks });
    const flash: typeof hal.flash = {
      partitions: hal.flash.partitions,
      submit: (op, done) => {
        if (op.type !== 'read') operations.push(op.type === 'program' ? { ...op, bytes: op.bytes.slice() } : op);
        hal.flash.submit(op, done);
      },
    };
    const endpoint = createEndpoint({ hal: { ...hal, flash }, board, firmware, sink: (event) => void events.push(event) });
    endpoint.start();
    await world.run(time);
    const status = new Map(endpoint.status());
    hal.powerOff();
    return { events, status, operations };
  }

  #startServers(lab: SimLab, files: ServedFiles): void {
    startDhcpServer(lab.host('dhcp', 2), {
      pool: { first: '10.0.0.100', last: '10.0.0.199' },
      prefix: 24,
      dns: ['10.0.0.3'],
      ntp: ['10.0.0.4'],
      option66: `https://${SERVER}/`,
    });
    startDnsServer(lab.host('dns', 3), { records: [{ name: SERVER, ttl: 300, type: 'A', value: '10.0.0.5' }] });
    startSntpServer(lab.host('ntp', 4));
    startProvisioningServer(lab.host('provisioning', 5), {
      tls: { identity: this.#identity, clientCertificate: 'required', clientAuthorities: [this.#pki.factory.root.certificate] },
      files: new Map(Object.entries(files).map(([name, bytes]) => [`/${name}`, bytes])),
    });
  }
}
