/** Where settings files come from: one folder of one server, whatever it speaks. */
import { err, ok } from '../../hal/base/result.js';
import type { Timer } from '../../hal/base/timers.js';
import type { Cancel, Crypto, Der, Entropy, IpAddress, Micros, Net, Result, UnixMillis } from '../../hal/hal.js';
import type { Credentials } from '../auth/digest.js';
import { HTTP_LIMITS } from '../http/client.js';
import { isIpAddress, type Url } from '../http/url.js';
import type { Kernel } from '../kernel/kernel.js';
import type { SecureStreams } from '../tls/secure-streams.js';
import { nameFailure, type ProvisioningFailure } from './failure.js';

export interface FetchPorts {
  kernel: Kernel;
  net: Pick<Net, 'connect' | 'resolve' | 'udp'>;
  secure: Pick<SecureStreams, 'connect'>;
  crypto: Pick<Crypto, 'digest'>;
  entropy: Entropy;
  userAgent: string;
  /** The date of an answer over https, from a server that showed these certificates for that name. */
  onDate?(name: string, chain: readonly Der[], at: UnixMillis): void;
}
export interface FetchOptions {
  folder: Url;
  /** Of a name with several addresses, each attempt takes the next. */
  attempt: number;
  /** Between one request and the next, for the sake of a server with many devices. */
  pause: Micros;
  /** Given to a server that asks for them, and to no other origin than the folder's. */
  credentials?: Credentials;
}

/** Octets of a file, whatever way it comes. */
export const MAX_FILE = HTTP_LIMITS.body;

/** A server's validators of a file as it wrote them (RFC 9110 part 8.8). */
export interface ServerTags {
  etag?: string;
  lastModified?: string;
}
/** What tells one content of a file from another: the server's validators, and ours. */
export interface Validator extends ServerTags {
  /** Lower-case hex. */
  sha256: string;
}
/** By the address that the file came from, after redirects, as `formatUrl` writes it; without a query. */
export type Validators = ReadonlyMap<string, Validator>;

export type Fetched =
  | { type: 'file'; url: string; bytes: Uint8Array; tags: ServerTags }
  /** The server says that it is what we know. */
  | { type: 'same'; url: string }
  | { type: 'absent' };

export interface FileSource {
  /** One at a time. A file in `known` may be answered with `same`. */
  fetch(name: string, known: Validators, done: (result: Result<Fetched, ProvisioningFailure>) => void): void;
  /** Nothing is answered after it. */
  close(): void;
}

/** The address to connect to; a literal at once. */
export function resolveHost(
  net: Pick<Net, 'resolve'>,
  host: string,
  attempt: number,
  done: (address: Result<IpAddress, ProvisioningFailure>) => void,
): Cancel {
  if (isIpAddress(host)) {
    done(ok(host));
    return () => {};
  }
  return net.resolve(host, 'A', (addresses) => {
    if (!addresses.ok) return done(err(nameFailure(host, addresses.error)));
    const address = addresses.value[attempt % addresses.value.length];
    done(address === undefined ? err(nameFailure(host, { kind: 'not-found', detail: `${host} has no address` })) : ok(address));
  });
}

/** Leaves the pause between requests; the first goes at once. */
export class Pace {
  readonly #timer: Timer;
  #begun = false;
  #next: () => void = () => {};

  constructor(
    readonly kernel: Kernel,
    readonly pause: Micros,
  ) {
    this.#timer = kernel.timer('request pause', () => this.#next());
  }

  next(request: () => void): void {
    if (!this.#begun || this.pause === 0) {
      this.#begun = true;
      request();
      return;
    }
    this.#next = request;
    this.#timer.set(this.kernel.now() + this.pause);
  }

  stop(): void {
    this.#timer.clear();
  }
}
