/** What the provisioning server has: one file a device, and those that the scenario names, with their checksums. Live: a step changes it. */
import { findBoard } from '../../boards/index.js';
import { encodeConf } from '../../core/settings/conf.codec.js';
import { hex, utf8 } from '../../hal/base/bytes.js';
import type { Crypto } from '../../hal/hal.js';
import { named } from './groups.js';
import { type DeviceSetup, type Scenario, unitsOf, type Values } from './scenario.js';

export class ServedFiles {
  /** By path, `/algop8180g2.conf`. */
  readonly content = new Map<string, Uint8Array>();
  readonly #scenario: Scenario;
  readonly #crypto: Pick<Crypto, 'digest'>;
  readonly #settings = new Map<string, Values>();
  /** By device, what it would have been given, the last one last. */
  readonly #given = new Map<string, Values[]>();

  constructor(scenario: Scenario, crypto: Pick<Crypto, 'digest'>) {
    this.#scenario = scenario;
    this.#crypto = crypto;
    for (const setup of scenario.devices.values()) if (setup.provisioned.size > 0) this.#put(ownFile(setup), setup.provisioned);
    for (const [name, values] of scenario.servers.provisioning?.files ?? []) this.#put(name, values);
    for (const unit of scenario.devices.keys()) this.#note(unit);
  }

  /** Whole configurations that a device can have fetched so far, the present one last. */
  given(device: string): readonly Values[] {
    return this.#given.get(device) ?? [];
  }

  /** `name` is of a device, a group or a file. Keys that are not among `values` stay as they are. */
  change(name: string, values: Values): void {
    const { devices } = this.#scenario;
    const isFile = name.includes('.');
    const units = isFile ? [...devices.keys()] : unitsOf(this.#scenario, name);
    if (isFile) this.#put(name, values);
    else for (const unit of units) this.#put(ownFile(devices.get(unit)!), named(values, unit));
    for (const unit of units) this.#note(unit);
  }

  /** What a device is given from now on: the file for every unit of the model, and over it that for this one. */
  #note(unit: string): void {
    const setup = this.#scenario.devices.get(unit)!;
    const model = findBoard(setup.board)?.provisioningModel;
    const present = new Map([...(this.#settings.get(`algop${model}.conf`) ?? []), ...(this.#settings.get(ownFile(setup)) ?? [])]);
    this.#given.set(unit, [...this.given(unit), present]);
  }

  #put(file: string, values: Values): void {
    const settings = new Map([...(this.#settings.get(file) ?? []), ...values]);
    const bytes = encodeConf(settings);
    this.#settings.set(file, settings);
    this.content.set(`/${file}`, bytes);
    const { md5 } = this.#scenario.servers.provisioning ?? {};
    if (md5 === undefined) return;
    const digest = this.#crypto.digest('md5', md5 === 'right' ? bytes : utf8('another file'));
    this.content.set(`/${file}.md5`, utf8(`${hex(digest)}  ${file}\n`));
  }
}

const ownFile = ({ mac }: DeviceSetup): string => `algom${mac}.conf`;
