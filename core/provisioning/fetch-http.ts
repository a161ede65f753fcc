/** Files over HTTP and HTTPS: redirects, logins and conditional requests around one GET after the other. */
import { err, ok } from '../../hal/base/result.js';
import type { ByteStream, Cancel, HalError, IpAddress, Result, TlsStream } from '../../hal/hal.js';
import { HttpLogin } from '../auth/http-login.js';
import { HttpClient } from '../http/client.js';
import { readHttpDate } from '../http/date.codec.js';
import { field, fieldValues, type HttpFields, listMembers } from '../http/message.codec.js';
import type { HttpResponse } from '../http/response.engine.js';
import { authority, formatUrl, inFolder, originOf, resolveReference, shownUrl, type Url, withoutQuery } from '../http/url.js';
import { encodingFailure, loginFailure, type ProvisioningFailure, redirectFailure, statusFailure, transferFailure } from './failure.js';
import {
  type Fetched,
  type FetchOptions,
  type FetchPorts,
  type FileSource,
  Pace,
  resolveHost,
  type ServerTags,
  type Validator,
  type Validators,
} from './fetch.js';

/** Ours; RFC 9110 part 15.4 names five as what clients once were limited to. */
const MAX_REDIRECTS = 5;
/** Ours: one for the challenge, and two nonces that grew old in between. */
const MAX_LOGINS = 3;
/** Ours: what is longer is not kept in flash. Servers write some 30 octets. */
const MAX_TAG = 128;

interface Request {
  /** As the plan has it: what failures speak of. */
  name: string;
  /** What is asked for now. */
  url: Url;
  known: Validators;
  done(result: Result<Fetched, ProvisioningFailure>): void;
  redirects: number;
  logins: number;
}

export class HttpSource implements FileSource {
  readonly #ports: FetchPorts;
  readonly #options: FetchOptions;
  readonly #home: string;
  readonly #login: HttpLogin | undefined;
  /** By origin: the folder's, and at most one other that redirects led to. */
  readonly #clients = new Map<string, HttpClient>();
  /** What a client's present connection is, to know whose answer came over it. */
  readonly #streams = new Map<string, ByteStream & Pick<TlsStream, 'secured'>>();
  readonly #pace: Pace;
  #resolving: Cancel = () => {};
  #exposed = false;

  constructor(ports: FetchPorts, options: FetchOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#home = originOf(options.folder);
    this.#pace = new Pace(ports.kernel, options.pause);
    const { crypto, entropy } = ports;
    this.#login = options.credentials && new HttpLogin({ crypto, entropy, credentials: options.credentials });
  }

  fetch(name: string, known: Validators, done: Request['done']): void {
    this.#ask({ name, url: inFolder(this.#options.folder, name), known, done, redirects: 0, logins: 0 });
  }

  close(): void {
    this.#pace.stop();
    this.#resolving();
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  #ask(request: Request): void {
    this.#pace.next(() => this.#connect(request));
  }

  #connect(request: Request): void {
    const { url } = request;
    const client = this.#clients.get(originOf(url));
    if (client) return this.#get(client, request);
    this.#resolving = resolveHost(this.#ports.net, url.host, this.#options.attempt, (address) => {
      if (address.ok) this.#get(this.#open(url, address.value), request);
      else request.done(address);
    });
  }

  #open(url: Url, address: IpAddress): HttpClient {
    for (const [origin, client] of this.#clients) {
      if (origin === this.#home) continue;
      client.close();
      this.#clients.delete(origin);
      this.#streams.delete(origin);
    }
    const connection = (): ByteStream => {
      const stream = connect(this.#ports, url, address);
      this.#streams.set(originOf(url), stream);
      return stream;
    };
    const origin = { connect: connection, authority: authority(url) };
    const client = new HttpClient(this.#ports.kernel, origin, this.#ports.userAgent);
    this.#clients.set(originOf(url), client);
    return client;
  }

  #get(client: HttpClient, request: Request): void {
    const { url, known } = request;
    const authorization = this.#loginFor(url)?.authorize(url.path);
    if (authorization !== undefined) this.#warnOfExposure(url);
    const fields: HttpFields = authorization === undefined ? [] : [['Authorization', authorization]];
    client.get(url.path, [...conditions(known.get(placeOf(url))), ...fields], (response) =>
      this.#answered(request, response, authorization !== undefined),
    );
  }

  #answered(request: Request, result: Result<HttpResponse, HalError>, loggedIn: boolean): void {
    const { url, known, done } = request;
    const name = nameOf(request);
    if (!result.ok) return done(err(transferFailure(name, result.error)));
    const response = result.value;
    this.#tellDate(url, response);
    switch (response.status) {
      case 200:
        return done(readFile(name, url, response));
      case 304:
        // An answer to a condition, and only to one.
        if (conditions(known.get(placeOf(url))).length === 0) return done(err(statusFailure(name, response)));
        return done(ok({ type: 'same', url: placeOf(url) }));
      case 401:
        return this.#logIn(request, response.fields, loggedIn);
      case 404:
      case 410:
        return done(ok({ type: 'absent' }));
      case 301:
      case 302:
      case 303:
      case 307:
      case 308:
        return this.#redirect(request, response.fields);
      default:
        return done(err(statusFailure(name, response)));
    }
  }

  #tellDate(url: Url, { fields }: HttpResponse): void {
    const chain = this.#streams.get(originOf(url))?.secured?.peer;
    const at = readHttpDate(field(fields, 'Date') ?? '');
    if (chain && at !== undefined) this.#ports.onDate?.(url.host, chain, at);
  }

  #logIn(request: Request, fields: HttpFields, loggedIn: boolean): void {
    const { url, done, logins } = request;
    const login = this.#loginFor(url);
    const offered = fieldValues(fields, 'WWW-Authenticate');
    const verdict = logins < MAX_LOGINS ? login?.challenged(offered, loggedIn) : 'wrong';
    if (verdict === 'answer') return this.#ask({ ...request, logins: logins + 1 });
    done(err(loginFailure(nameOf(request), originOf(url) === this.#home ? (verdict ?? 'none') : 'elsewhere')));
  }

  #redirect(request: Request, fields: HttpFields): void {
    const { url, done, redirects } = request;
    const next = redirectTarget(url, fields);
    if (!next.ok) return done(err(redirectFailure(nameOf(request), next.error)));
    const to = shownUrl(next.value);
    if (redirects === MAX_REDIRECTS) {
      return done(err(redirectFailure(nameOf(request), `the server redirects more than ${MAX_REDIRECTS} times, at last to ${to}`)));
    }
    this.#ports.kernel.emit('provisioning.redirected', { from: shownUrl(url), to });
    this.#ask({ ...request, url: next.value, redirects: redirects + 1, logins: 0 });
  }

  /** User name and password are for the server that was named, and for nobody else. */
  #loginFor(url: Url): HttpLogin | undefined {
    return originOf(url) === this.#home ? this.#login : undefined;
  }

  #warnOfExposure(url: Url): void {
    if (url.scheme !== 'http' || this.#exposed || !this.#login?.exposes) return;
    this.#exposed = true;
    this.#ports.kernel.emit('provisioning.password-exposed', {
      server: originOf(url),
      mend: 'name the server with https, or let it ask for Digest: Basic over http shows the password to all on the way',
    });
  }
}

/** What failures speak of: the file, and who answered where that is not who was named. */
const nameOf = ({ name, url, redirects }: Request): string => (redirects === 0 ? name : `${name} at ${originOf(url)}`);

/** Where a redirect leads, or why it is not followed. */
function redirectTarget(from: Url, fields: HttpFields): Result<Url, string> {
  const location = field(fields, 'Location');
  if (location === undefined) return err('the server redirects to nowhere: there is no Location');
  const to = resolveReference(from, location);
  if (!to.ok) return err(`the server redirects to nowhere: ${to.error}`);
  const { scheme } = to.value;
  if (from.scheme === 'https' && scheme !== 'https') return err(`the server redirects from https to ${shownUrl(to.value)}`);
  return scheme === 'https' || scheme === 'http' ? to : err(`the server redirects to ${shownUrl(to.value)}`);
}

/** What validators are kept by: without the query, in which there may be the secret of a link. */
const placeOf = (url: Url): string => formatUrl(withoutQuery(url));

/** An https server is never asked in the clear, whatever happens to its TLS. */
function connect({ net, secure }: FetchPorts, { scheme, host, port }: Url, address: IpAddress): ByteStream {
  const to = { address, port };
  return scheme === 'https' ? secure.connect({ service: 'provisioning', to, name: host }) : net.connect(to);
}

/** RFC 9110 part 13.1: the entity tag where there is one, since it is the sharper of the two. */
function conditions(validator: Validator | undefined): HttpFields {
  if (validator?.etag !== undefined) return [['If-None-Match', validator.etag]];
  return validator?.lastModified === undefined ? [] : [['If-Modified-Since', validator.lastModified]];
}

function readFile(name: string, url: Url, { fields, body }: HttpResponse): Result<Fetched, ProvisioningFailure> {
  // We ask for `identity`; there are servers and caches that compress all the same.
  const codings = [...listMembers(fields, 'Content-Encoding'), ...listMembers(fields, 'Transfer-Encoding')];
  const foreign = codings.find((coding) => coding !== 'identity' && coding !== 'chunked');
  if (foreign !== undefined) return err(encodingFailure(name, foreign));
  return ok({ type: 'file', url: placeOf(url), bytes: body, tags: serverTags(fields) });
}

function serverTags(fields: HttpFields): ServerTags {
  const etag = field(fields, 'ETag') ?? '';
  const lastModified = field(fields, 'Last-Modified') ?? '';
  return {
    ...(/^(W\/)?"[!#-~\x80-\xff]*"$/.test(etag) && etag.length <= MAX_TAG ? { etag } : {}),
    ...(readHttpDate(lastModified) === undefined ? {} : { lastModified }),
  };
}
