/**
 * The files of a plan from one server, all or nothing. Nothing is kept of a file but its validators: when they say that all are as they
 * were, the run ends there; when one has changed, those that were only said to be the same are fetched whole, so that all of them count
 * together.
 */
import { hex } from '../../hal/base/bytes.js';
import { err, ok } from '../../hal/base/result.js';
import { MINUTE } from '../../hal/base/time.js';
import type { Cancel, Crypto, Result } from '../../hal/hal.js';
import { downloadFailure, integrityFailure, type ProvisioningFailure } from './failure.js';
import type { Fetched, FetchOptions, FetchPorts, FileSource, Validator, Validators } from './fetch.js';
import { HttpSource } from './fetch-http.js';
import { TftpSource } from './fetch-tftp.js';
import type { PlannedFile } from './file-plan.js';
import { md5Name, readMd5 } from './md5.codec.js';
import type { FetchedFile } from './stage.policy.js';

export type DownloadPorts = FetchPorts;
export type { Validator, Validators } from './fetch.js';

export interface DownloadRequest extends FetchOptions {
  plan: readonly PlannedFile[];
  md5: Md5Mode;
  /** Of the files that the present configuration was made of. */
  known: Validators;
}
/** Whether the companion `<file>.md5` is asked for, and must be there. */
export type Md5Mode = 'use' | 'require' | 'off';

export interface Downloaded {
  /** The same files with the same content as `known`; `files` is then empty. */
  unchanged: boolean;
  /** All that were found, whole, in the order of the plan. */
  files: readonly FetchedFile[];
  /** What to keep for the next time, with the settings made of these files. */
  validators: Validators;
}
/** No file at all is a failure. */
export type DownloadDone = (result: Result<Downloaded, ProvisioningFailure>) => void;

/** Ours: for all files of a run together, so that a server that drips does not hold it for hours. */
const LONGEST = 5 * MINUTE;

/** After the cancel nothing is answered, and the connections end. */
export function download(ports: DownloadPorts, request: DownloadRequest, done: DownloadDone): Cancel {
  const run = new Download(ports, request, done);
  run.start();
  return () => run.stop();
}

/** A file that the server has: whole, or only said to be as it was. */
interface Found {
  name: string;
  fetched: Exclude<Fetched, { type: 'absent' }>;
}
type Then<T> = (value: T) => void;

class Download {
  readonly #source: FileSource;
  readonly #limit;

  constructor(
    readonly ports: DownloadPorts,
    readonly request: DownloadRequest,
    readonly done: DownloadDone,
  ) {
    this.#source = request.folder.scheme === 'tftp' ? new TftpSource(ports, request) : new HttpSource(ports, request);
    this.#limit = ports.kernel.timer('download', () =>
      this.#finish(
        err(downloadFailure('timeout', 'the files take too long', 'check the server and the network between; it is tried again')),
      ),
    );
  }

  start(): void {
    this.#limit.set(this.ports.kernel.now() + LONGEST);
    this.#each<PlannedFile, Found>(
      this.request.plan,
      (file, next) => this.#fetchFirst(file.names, this.request.known, next),
      (found) => this.#compare(found),
    );
  }

  stop(): void {
    this.#limit.clear();
    this.#source.close();
  }

  #finish(result: Result<Downloaded, ProvisioningFailure>): void {
    this.stop();
    this.done(result);
  }

  #compare(found: readonly Found[]): void {
    const { known } = this.request;
    if (found.length === 0) return this.#finish(err(nothingFound(this.request.plan)));
    const addresses = new Set(found.map(({ fetched }) => fetched.url));
    const same = ({ fetched }: Found): boolean =>
      fetched.type === 'same' || known.get(fetched.url)?.sha256 === sha256(this.ports.crypto, fetched.bytes);
    if (addresses.size === known.size && found.every(same)) {
      return this.#finish(ok({ unchanged: true, files: [], validators: this.#validators(found) }));
    }
    this.#each<Found, Found>(
      found,
      (file, next) => this.#makeWhole(file, next),
      (whole) => this.#verifyAll(whole),
    );
  }

  /** What the server only said to be the same, asked for without a condition. */
  #makeWhole(file: Found, next: Then<Found | undefined>): void {
    if (file.fetched.type === 'file') next(file);
    else this.#fetchFirst([file.name], new Map(), next);
  }

  #verifyAll(found: readonly Found[]): void {
    if (found.length === 0) return this.#finish(err(nothingFound(this.request.plan)));
    const files = found.flatMap(({ name, fetched }) => (fetched.type === 'file' ? [{ name, bytes: fetched.bytes }] : []));
    this.#each(
      files,
      (file, next) => this.#verify(file, next),
      () => this.#finish(ok({ unchanged: false, files, validators: this.#validators(found) })),
    );
  }

  #verify({ name, bytes }: FetchedFile, next: Then<undefined>): void {
    const { md5 } = this.request;
    if (md5 === 'off') return next(undefined);
    this.#fetch(md5Name(name), new Map(), (companion) => {
      const content = companion.type === 'file' ? companion.bytes : undefined;
      const failure = judgeMd5(name, hex(this.ports.crypto.digest('md5', bytes)), content, md5);
      if (failure) this.#finish(err(failure));
      else next(undefined);
    });
  }

  /** The file under the first name that the server knows; undefined where it knows none. */
  #fetchFirst([name, ...others]: readonly string[], known: Validators, next: Then<Found | undefined>): void {
    if (name === undefined) return next(undefined);
    this.#fetch(name, known, (fetched) => {
      if (fetched.type === 'absent') this.#fetchFirst(others, known, next);
      else next({ name, fetched });
    });
  }

  /** A failure ends the run. */
  #fetch(name: string, known: Validators, next: Then<Fetched>): void {
    this.#source.fetch(name, known, (result) => {
      if (result.ok) next(result.value);
      else this.#finish(result);
    });
  }

  /** One after the other; what comes out of each is gathered. */
  #each<A, B>(items: readonly A[], step: (item: A, next: Then<B | undefined>) => void, then: Then<readonly B[]>): void {
    const out: B[] = [];
    const from = (i: number): void => {
      const item = items[i];
      if (item === undefined) return then(out);
      step(item, (value) => {
        if (value !== undefined) out.push(value);
        from(i + 1);
      });
    };
    from(0);
  }

  #validators(found: readonly Found[]): Validators {
    const { known } = this.request;
    return new Map(found.map(({ fetched }) => [fetched.url, fetched.type === 'file' ? this.#validator(fetched) : known.get(fetched.url)!]));
  }

  #validator({ bytes, tags }: Extract<Fetched, { type: 'file' }>): Validator {
    return { ...tags, sha256: sha256(this.ports.crypto, bytes) };
  }
}

const sha256 = (crypto: Pick<Crypto, 'digest'>, bytes: Uint8Array): string => hex(crypto.digest('sha256', bytes));

/** Why a file is not taken for its companion's sake; `companion` is undefined where the server has none. */
function judgeMd5(name: string, digest: string, companion: Uint8Array | undefined, mode: Md5Mode): ProvisioningFailure | undefined {
  const own = md5Name(name);
  const mend = `put the two on the server together: md5sum ${name} > ${own}`;
  if (!companion) {
    return mode === 'require'
      ? integrityFailure('not-found', `${name}: the server has no ${own}, and prov.md5 requires it`, mend)
      : undefined;
  }
  const wanted = readMd5(companion);
  if (wanted === undefined) return integrityFailure('other', `${name}: ${own} does not begin with an MD5 digest`, mend);
  if (wanted !== digest) return integrityFailure('other', `${name}: its MD5 is ${digest}, and ${own} says ${wanted}`, mend);
  return undefined;
}

function nothingFound(plan: readonly PlannedFile[]): ProvisioningFailure {
  const names = plan.map(({ names: [first] }) => first).join(' or ');
  return downloadFailure('not-found', 'the server has no file for this device', `put ${names} on the server`);
}
