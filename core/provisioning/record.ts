/**
 * What provisioning remembers across a power cut. It lies beside the provisioned settings, and each change of it is one transaction with
 * the settings that it is about: power may fail anywhere, and a boot finds either what was or what is.
 */
import { EMPTY } from '../../hal/base/bytes.js';
import type { Done, Micros } from '../../hal/hal.js';
import { PROVISIONED_SETTINGS } from '../device/device-storage.js';
import { type ConfValues, decodeConf, encodeConf } from '../settings/conf.codec.js';
import type { FileChange, FileStore } from '../storage/file-store.js';
import type { Validator, Validators } from './download.js';
import type { RegistrationStamp } from './trial.policy.js';

/** A configuration that is committed and not final. */
export interface Unfinished {
  server: string;
  files: readonly string[];
  /** A registration makes it final within this time; 0: only its report is missing. */
  within: Micros;
  /** The file of provisioned settings that returns if none comes. */
  good: Uint8Array;
}

export interface ProvisioningState {
  /** Of the files fetched last. */
  validators: Validators;
  unfinished?: Unfinished;
  /** SHA-256 of provisioned settings that were rolled back, lower-case hex: they are not applied again. */
  rejected?: string;
}

const VALIDATORS = 'provisioning/validators.conf';
const UNFINISHED = 'provisioning/unfinished.conf';
const GOOD = 'provisioning/good.conf';
const REJECTED = 'provisioning/rejected.conf';
const REGISTERED = 'provisioning/registered.conf';

export class ProvisioningRecord {
  readonly #store: FileStore;
  #state: ProvisioningState;
  #registered: RegistrationStamp | undefined;

  constructor(store: FileStore) {
    this.#store = store;
    const read = (path: string): ConfValues => decodeConf(store.read(path) ?? EMPTY).values;
    const unfinished = readUnfinished(read(UNFINISHED), store.read(GOOD));
    const rejected = read(REJECTED).get('sha256');
    this.#state = {
      validators: readValidators(read(VALIDATORS)),
      ...(unfinished ? { unfinished } : {}),
      ...(rejected === undefined ? {} : { rejected }),
    };
    this.#registered = readStamp(read(REGISTERED));
  }

  get state(): ProvisioningState {
    return this.#state;
  }
  get registered(): RegistrationStamp | undefined {
    return this.#registered;
  }

  /** The stored file of provisioned settings, with what this firmware cannot honour too. */
  get stored(): Uint8Array {
    return this.#store.read(PROVISIONED_SETTINGS) ?? EMPTY;
  }

  /** Counts at once, and is taken back where the flash fails: commits run one after the other, and each begins where the last one ends. */
  write(next: ProvisioningState, provisioned: Uint8Array | undefined, done: Done<void>): void {
    const before = this.#state;
    this.#state = next;
    const settings = provisioned ? [{ path: PROVISIONED_SETTINGS, bytes: provisioned }] : [];
    this.#store.commit([...settings, ...changesOf(next)], (result, at) => {
      if (!result.ok && this.#state === next) this.#state = before;
      done(result, at);
    });
  }

  /** The present configuration is final. Where the flash fails, the next boot finds it as it was before. */
  finish(): void {
    this.write({ validators: this.#state.validators }, undefined, () => undefined);
  }

  /** A stamp that is lost costs a trial, so nobody waits for it. */
  stamp(registered: RegistrationStamp): void {
    this.#registered = registered;
    this.#store.commit([{ path: REGISTERED, bytes: encodeConf(stampValues(registered)) }], () => undefined);
  }
}

function changesOf({ validators, unfinished, rejected }: ProvisioningState): readonly FileChange[] {
  const file = (path: string, values: ConfValues): FileChange => ({ path, bytes: values.size > 0 ? encodeConf(values) : undefined });
  return [
    file(VALIDATORS, validatorValues(validators)),
    file(UNFINISHED, unfinished ? unfinishedValues(unfinished) : new Map()),
    { path: GOOD, bytes: unfinished?.good },
    file(REJECTED, new Map(rejected === undefined ? [] : [['sha256', rejected]])),
  ];
}

const unfinishedValues = ({ server, files, within }: Unfinished): ConfValues =>
  new Map([
    ['files', files.join(',')],
    ['server', server],
    ['within', String(within)],
  ]);

function readUnfinished(values: ConfValues, good: Uint8Array | undefined): Unfinished | undefined {
  const within = Number(values.get('within') ?? Number.NaN);
  if (!good || !Number.isSafeInteger(within)) return undefined;
  return { server: values.get('server') ?? '', files: (values.get('files') ?? '').split(','), within, good };
}

const stampValues = ({ mark, at }: RegistrationStamp): ConfValues =>
  new Map([['mark', mark], ...(at === undefined ? [] : [['at', String(at)] as const])]);

function readStamp(values: ConfValues): RegistrationStamp | undefined {
  const mark = values.get('mark');
  const at = Number(values.get('at') ?? Number.NaN);
  if (mark === undefined) return undefined;
  return Number.isSafeInteger(at) ? { mark, at } : { mark };
}

/** `1.url`, `1.sha256` and what the server gave, for each file. What a settings file cannot carry is left out, and the file fetched anew. */
const validatorValues = (validators: Validators): ConfValues =>
  new Map(
    [...validators].flatMap(([url, { sha256, etag, lastModified }], index): [string, string][] => [
      [`${index + 1}.url`, url],
      [`${index + 1}.sha256`, sha256],
      ...(etag === undefined ? [] : [[`${index + 1}.etag`, etag] as [string, string]]),
      ...(lastModified === undefined ? [] : [[`${index + 1}.modified`, lastModified] as [string, string]]),
    ]),
  );

function readValidators(values: ConfValues): Validators {
  const found = new Map<string, Validator>();
  for (let n = 1; values.has(`${n}.url`); n++) {
    const [sha256, etag, lastModified] = ['sha256', 'etag', 'modified'].map((field) => values.get(`${n}.${field}`));
    if (sha256 === undefined) continue;
    found.set(values.get(`${n}.url`)!, {
      sha256,
      ...(etag === undefined ? {} : { etag }),
      ...(lastModified === undefined ? {} : { lastModified }),
    });
  }
  return found;
}
