/** The settings that count now: those of the boot until provisioning applies others. */
import type { Emit } from '../kernel/events.js';
import type { ConfValues } from '../settings/conf.codec.js';
import { changedKeys, type Settings } from '../settings/settings.js';
import { honourable, reportIdle } from './boot-settings.js';

export class PresentSettings {
  readonly #emit: Emit;
  #settings: Settings;

  constructor(settings: Settings, emit: Emit) {
    this.#settings = settings;
    this.#emit = emit;
  }

  get settings(): Settings {
    return this.#settings;
  }

  /** Takes a provisioned layer in place of the one there is, and reports it; the keys whose effective value changed. */
  apply(provisioned: ConfValues): readonly string[] {
    const next = honourable(this.#settings.withProvisioned(provisioned), this.#emit);
    const keys = changedKeys(this.#settings, next);
    this.#settings = next;
    this.#emit('settings.changed', { by: 'provisioned', keys });
    reportIdle('provisioned', next, this.#emit);
    return keys;
  }
}
