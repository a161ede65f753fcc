/** What the provisioning server has: one file a device, and those that the scenario names, with their checksums. Live: a step changes it. */
import { encodeConf } from '../../core/settings/conf.codec.js';
import { hex, utf8 } from '../../hal/base/bytes.js';
import type { Crypto } from '../../hal/hal.js';
import { type Scenario, unitsOf, type Values } from './scenario.js';

export class ServedFiles {
  /** By path, `/algop8180g2.conf`. */
  readonly content = new Map<string, Uint8Array>();
  readonly #scenario: Scenario;
  readonly #crypto: Pick<Crypto, 'digest'>;
  readonly #settings = new Map<string, Values>();

  constructor(scenario: Scenario, crypto: Pick<Crypto, 'digest'>) {
    this.#scenario = scenario;
    this.#crypto = crypto;
    for (const [name, { provisioned }] of scenario.devices) if (provisioned.size > 0) this.change(name, provisioned);
    for (const [name, values] of scenario.servers.provisioning?.files ?? []) this.change(name, values);
  }

  /** `name` is of a device, a group or a file. Keys that are not among `values` stay as they are. */
  change(name: string, values: Values): void {
    if (name.includes('.')) this.#put(name, values);
    else for (const unit of unitsOf(this.#scenario, name)) this.#put(`algom${this.#scenario.devices.get(unit)!.mac}.conf`, values);
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
