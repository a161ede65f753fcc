/** The files of a plan from one server: its name resolved, one connection, one file after the other. */

import { hex } from '../../hal/base/bytes.js';
import { err, ok } from '../../hal/base/result.js';
import type { ByteStream, Cancel, Crypto, Entropy, HalError, IpAddress, Net, Result } from '../../hal/hal.js';
import type { Credentials } from '../auth/digest.js';
import { HttpClient } from '../http/client.js';
import type { HttpResponse } from '../http/response.engine.js';
import { authority, formatUrl, inFolder, isIpAddress, type Url } from '../http/url.js';
import type { Kernel } from '../kernel/kernel.js';
import type { SecureStreams } from '../tls/secure-streams.js';
import { nameFailure, type ProvisioningFailure, statusFailure, transferFailure } from './failure.js';
import type { PlannedFile } from './file-plan.js';
import type { FetchedFile } from './stage.policy.js';

export interface DownloadPorts {
  kernel: Kernel;
  net: Pick<Net, 'connect' | 'resolve' | 'udp'>;
  secure: Pick<SecureStreams, 'connect'>;
  crypto: Pick<Crypto, 'digest'>;
  entropy: Entropy;
  userAgent: string;
}
export interface DownloadRequest {
  folder: Url;
  plan: readonly PlannedFile[];
  /** Of a name with several addresses, each attempt takes the next. */
  attempt: number;
  /** Given to a server that asks for them, and to no other origin than the folder's. */
  credentials?: Credentials;
  md5: Md5Mode;
  /** Of the files that the present configuration was made of. */
  known: Validators;
}
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

/** Whether the companion `<file>.md5` is asked for, and must be there. */
export type Md5Mode = 'use' | 'require' | 'off';

/** What tells one content of a file from another: the server's own validators as it wrote them (RFC 9110 part 8.8), and ours. */
export interface Validator {
  etag?: string;
  lastModified?: string;
  /** Lower-case hex. */
  sha256: string;
}
/** By the address of the file, as `formatUrl` writes it. */
export type Validators = ReadonlyMap<string, Validator>;

type Outcome = Result<FetchedFile | undefined, ProvisioningFailure>;

/** After the cancel nothing is answered, and the connection ends. */
export function download(ports: DownloadPorts, request: DownloadRequest, done: DownloadDone): Cancel {
  const { folder, attempt } = request;
  if (isIpAddress(folder.host)) return fetchAll(ports, request, folder.host, done);
  let cancel: Cancel = ports.net.resolve(folder.host, 'A', (addresses) => {
    if (!addresses.ok) return done(err(nameFailure(folder.host, addresses.error)));
    const address = addresses.value[attempt % addresses.value.length];
    if (address === undefined) return done(err(nameFailure(folder.host, { kind: 'not-found', detail: `${folder.host} has no address` })));
    cancel = fetchAll(ports, request, address, done);
  });
  return () => cancel();
}

function fetchAll(ports: DownloadPorts, { folder, plan, known }: DownloadRequest, address: IpAddress, done: DownloadDone): Cancel {
  const origin = { connect: () => connect(ports, folder, address), authority: authority(folder) };
  const client = new HttpClient(ports.kernel, origin, ports.userAgent);
  const found: FetchedFile[] = [];
  const finish: DownloadDone = (result) => {
    client.close();
    done(result);
  };
  const step = ([file, ...others]: readonly PlannedFile[]): void => {
    if (!file) {
      finish(found.length > 0 ? ok(compare(ports, folder, found, known)) : err(nothingFound(plan)));
      return;
    }
    fetchFirst(client, folder, file.names, (outcome) => {
      if (!outcome.ok) return finish(outcome);
      if (outcome.value) found.push(outcome.value);
      step(others);
    });
  };
  step(plan);
  return () => client.close();
}

function compare({ crypto }: DownloadPorts, folder: Url, files: readonly FetchedFile[], known: Validators): Downloaded {
  const validators = new Map(
    files.map(({ name, bytes }) => [formatUrl(inFolder(folder, name)), { sha256: hex(crypto.digest('sha256', bytes)) }]),
  );
  const unchanged = validators.size === known.size && [...validators].every(([url, { sha256 }]) => known.get(url)?.sha256 === sha256);
  return { unchanged, files: unchanged ? [] : files, validators };
}

/** The file under the first name that the server knows; undefined where it knows none. */
function fetchFirst(client: HttpClient, folder: Url, [name, ...others]: readonly string[], done: (outcome: Outcome) => void): void {
  if (name === undefined) {
    done(ok(undefined));
    return;
  }
  client.get(inFolder(folder, name).path, [], (response) => {
    const outcome = judge(name, response);
    if (outcome.ok && !outcome.value) fetchFirst(client, folder, others, done);
    else done(outcome);
  });
}

/** An https server is never asked in the clear, whatever happens to its TLS. */
function connect({ net, secure }: DownloadPorts, { scheme, host, port }: Url, address: IpAddress): ByteStream {
  const to = { address, port };
  return scheme === 'https' ? secure.connect({ service: 'provisioning', to, name: host }) : net.connect(to);
}

/** The file, undefined where there is none by that name, or why the run ends here. */
function judge(name: string, response: Result<HttpResponse, HalError>): Outcome {
  if (!response.ok) return err(transferFailure(name, response.error));
  const { status, body } = response.value;
  if (status === 200) return ok({ name, bytes: body });
  return status === 404 ? ok(undefined) : err(statusFailure(name, status));
}

function nothingFound(plan: readonly PlannedFile[]): ProvisioningFailure {
  const names = plan.map(({ names: [first] }) => first).join(' or ');
  return { stage: 'download', kind: 'not-found', detail: 'the server has no file for this device', mend: `put ${names} on the server` };
}
