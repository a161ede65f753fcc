/** A provisioning server: files by HTTP, with or without TLS. Both are the platform's own, so that the device's are judged by others than ours. */
import { writeHttpDate } from '../../core/http/date.codec.js';
import { base64, hex, utf8 } from '../../hal/base/bytes.js';
import { ok } from '../../hal/base/result.js';
import type { HalError, Result } from '../../hal/hal.js';
import type { HttpRequest, HttpResponse, HttpServerTls } from '../../hal/platform.js';
import { DigestAuthority } from './digest-authority.js';
import type { Peer, PeerHost } from './peer-host.js';

export interface ProvisioningServerOptions {
  /** Absent: HTTP in clear. */
  tls?: ProvisioningTls;
  /** By path, `/algop8180g2.conf`; read anew for each request, so that a scenario may change it. */
  files: ReadonlyMap<string, Uint8Array>;
  /** Absent: anyone is served. */
  auth?: ProvisioningAuth;
  /** 443 with TLS, else 80, unless given. */
  port?: number;
}
export type ProvisioningTls = Omit<HttpServerTls, 'wall' | 'versions'> & Partial<Pick<HttpServerTls, 'versions'>>;
export interface ProvisioningAuth {
  scheme: 'basic' | 'digest';
  user: string;
  password: string;
}

const HTTPS_PORT = 443;
const HTTP_PORT = 80;
const BACKLOG = 64;
const REALM = 'provisioning';
/** Octets of a file's SHA-256 in its entity tag: enough to tell versions of one file apart. */
const TAG_OCTETS = 8;

/** Logs `server.request {method, target, status, clientCN, clientSubject}` and `server.refused {detail}` for a connection that failed. */
export function startProvisioningServer(host: PeerHost, options: ProvisioningServerOptions): Result<Peer, HalError> {
  const { tls, auth } = options;
  const challenge = auth && gate(host, auth);
  const http = host.httpServer({
    ...(tls ? { tls: { versions: { min: '1.2', max: '1.3' }, ...tls, wall: () => host.clock.wall().at } } : {}),
    handle: (request) => {
      const response = challenge?.(request) ?? answer(host, options.files, request);
      const { method, target, client } = request;
      const caller = { clientCN: client?.commonName ?? '', clientSubject: client?.subject ?? '' };
      host.log('server.request', { method, target, status: response.status, ...caller });
      // The platform's server would tell this machine's time.
      return { ...response, headers: { Date: writeHttpDate(host.clock.wall().at), ...response.headers } };
    },
    onClientError: (detail) => host.log('server.refused', { detail }),
  });
  const port = options.port ?? (tls ? HTTPS_PORT : HTTP_PORT);
  const listening = host.net.listen({ port, backlog: BACKLOG }, (stream) => http.accept(stream));
  if (!listening.ok) return listening;
  return ok({
    close: () => {
      listening.value.close();
      http.close();
    },
  });
}

/** Asks who calls: the 401 for a request without the right credentials, undefined for one that may pass. */
function gate(host: PeerHost, { scheme, user, password }: ProvisioningAuth): (request: HttpRequest) => HttpResponse | undefined {
  const refuse = (challenges: readonly string[]): HttpResponse => ({ status: 401, headers: { 'WWW-Authenticate': challenges } });
  if (scheme === 'basic') {
    const right = `Basic ${base64(utf8(`${user}:${password}`))}`;
    return ({ headers }) => (headers['authorization'] === right ? undefined : refuse([`Basic realm="${REALM}", charset="UTF-8"`]));
  }
  const authority = new DigestAuthority(host, { realm: REALM, users: new Map([[user, password]]), algorithms: ['SHA-256', 'MD5'] });
  return ({ method, headers }) => {
    const given = headers['authorization'];
    const judgement = authority.judge(method, given === undefined ? [] : [given]);
    return judgement.ok ? undefined : refuse(authority.challenges(judgement.status === 401 && judgement.stale));
  };
}

function answer({ crypto }: PeerHost, files: ReadonlyMap<string, Uint8Array>, request: HttpRequest): HttpResponse {
  const { method, target, headers } = request;
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, headers: { Allow: 'GET, HEAD' } };
  const [path = ''] = target.split('?');
  const body = files.get(path);
  if (!body) return { status: 404, body: utf8('not found\n') };
  const tag = `"${hex(crypto.digest('sha256', body).subarray(0, TAG_OCTETS))}"`;
  const known = (headers['if-none-match'] ?? '').split(',').some((given) => given.trim().replace(/^W\//, '') === tag);
  if (known) return { status: 304, headers: { ETag: tag } };
  return { status: 200, headers: { 'Content-Type': 'text/plain', ETag: tag }, ...(method === 'GET' ? { body } : {}) };
}
