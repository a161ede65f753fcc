/**
 * A board on a workbench: run on a chip, with the servers of a site beside it or with the cable out. Each run has a world of its own, so
 * that it follows from its chip alone.
 */
import { createEndpoint, type Endpoint } from '../../core/device/endpoint.js';
import type { EndpointEvent } from '../../core/kernel/events.js';
import { type FileStore, mountFileStore } from '../../core/storage/file-store.js';
import { latin1 } from '../../hal/base/bytes.js';
import { expectOk } from '../../hal/base/result.js';
import { MILLISECOND, SECOND } from '../../hal/base/time.js';
import type { FlashOp, Micros } from '../../hal/hal.js';
import type { NorFlash } from '../../sim/flash/nor-flash.js';
import { simHal } from '../../sim/hal/sim-hal.js';
import { SimPki } from '../../sim/scenario/pki.js';
import { decodeScenario } from '../../sim/scenario/scenario.codec.js';
import type { DeviceSetup, Scenario, Values } from '../../sim/scenario/scenario.js';
import { Servers } from '../../sim/scenario/servers.js';
import { makeUnit, type Unit } from '../../sim/scenario/unit.js';
import { randomStream } from '../../sim/world/random.js';
import { PowerRig } from './power-rig.js';
import { platform, SimLab } from './sim-lab.js';

const SITE = `
belfry: 1
name: bench
about: one board and the servers of its site
start: 2026-01-01T00:00:00Z
end: 1s
steps: []
expect: []
servers:
  dhcp: { option66: "https://prov.example.test/" }
  ntp: {}
  provisioning: { host: prov.example.test, clientCertificate: required, md5: right }
  sip: { domain: sip.example.test, transport: tls, users: { "101": amber-kettle-31 } }
devices:
  lobby:
    board: 8180-g2
    mac: "0022EE0A0001"
    image:
      certs/trusted/site.pem: ca:site
      settings: { prov.download.cert: "1", prov.i: "1" }
`;

/** Settings by key, by name of the file that the site serves. */
export type ServedFiles = ReadonlyMap<string, Values>;

export interface RunOptions {
  /** The board's newest, unless told otherwise. */
  firmware?: string;
  /** Absent: the cable is out. */
  served?: ServedFiles;
  /** Until it is switched off. */
  time: Micros;
  /** What somebody does to it once it is up. */
  act?: (endpoint: Endpoint) => void;
}

export interface BoardRun {
  events: readonly EndpointEvent[];
  /** What the status page shows when the run ends. */
  status: ReadonlyMap<string, string>;
  /** Programs, erases and syncs that were done, with their octets, in their order. */
  operations: readonly FlashOp[];
}

/** Reading the flash takes some 10 ms of it, finishing what a cut interrupted some erases of 45 ms. */
const BOOT = SECOND;
const UP: Micros = 500 * MILLISECOND;
const DARK = SECOND;

export class BoardBench {
  readonly scenario: Scenario;
  readonly pki: SimPki;
  readonly unit: Unit;
  readonly #setup: DeviceSetup;

  constructor() {
    const scenario = decodeScenario(SITE);
    if (!scenario.ok) throw new Error(JSON.stringify(scenario.error));
    this.scenario = scenario.value;
    this.#setup = this.scenario.devices.get('lobby')!;
    this.pki = new SimPki({ platform, entropy: randomStream(1, 'pki'), start: this.scenario.start });
    this.unit = makeUnit(this.#setup, randomStream(1, 'unit'), this.pki);
  }

  get mac(): string {
    return this.#setup.mac;
  }

  /** Switched on, and off again without warning. The chip's planned power cut ends it before. */
  async run(chip: NorFlash, { firmware = this.unit.firmware, served, time, act }: RunOptions): Promise<BoardRun> {
    const { world, lan } = new SimLab();
    const events: EndpointEvent[] = [];
    const operations: FlashOp[] = [];
    if (served) this.#servers(world, lan).serve(served);
    const port = lan.attach('board');
    if (!served) port.cut();
    let powerOff = (): void => undefined;
    let endpoint: Endpoint | undefined;
    const powerOn = (): void => {
      const onReboot = (): void => {
        powerOff();
        world.at(world.now + DARK, powerOn);
      };
      const hooks = { onReboot, onPowerCut: () => undefined };
      const clock = { offset: -world.wall() };
      const hal = simHal({ world, platform, port, chip, board: this.unit.board, mac: this.mac, clock, hooks });
      powerOff = () => hal.powerOff();
      const flash = recorded(hal.flash, operations);
      endpoint = createEndpoint({ hal: { ...hal, flash }, board: this.unit.board, firmware, sink: (event) => void events.push(event) });
      endpoint.start();
    };
    powerOn();
    if (act) world.at(UP, () => act(endpoint!));
    await world.run(time);
    const status = new Map(endpoint!.status());
    powerOff();
    return { events, status, operations };
  }

  /** Switched on with the cable out, until it has nothing left to do. */
  boot(chip: NorFlash, firmware?: string): Promise<BoardRun> {
    return this.run(chip, { time: BOOT, ...(firmware === undefined ? {} : { firmware }) });
  }

  #servers(world: SimLab['world'], lan: SimLab['lan']): Servers {
    return new Servers({ scenario: this.scenario, world, lan, platform, pki: this.pki, log: () => undefined });
  }
}

function recorded(flash: ReturnType<typeof simHal>['flash'], operations: FlashOp[]): typeof flash {
  return {
    partitions: flash.partitions,
    submit: (op, done) => {
      const own = op.type === 'program' ? { ...op, bytes: op.bytes.slice() } : op;
      flash.submit(op, (result, at) => {
        if (op.type !== 'read') operations.push(own);
        done(result, at);
      });
    },
  };
}

/** Every file on a chip, by path, as a boot would find it. Octets as characters. */
export function filesOn(chip: NorFlash): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const rig = new PowerRig(chip.copy());
  for (const partition of ['config', 'certs']) {
    let store: FileStore | undefined;
    mountFileStore({ flash: rig, partition }, (result) => {
      store = expectOk(result, partition);
    });
    rig.run();
    for (const path of store?.list() ?? []) files.set(path, latin1(store!.read(path)!));
  }
  return files;
}
