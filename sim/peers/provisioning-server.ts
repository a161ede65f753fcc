/** A provisioning server: files over HTTPS. HTTP and TLS are the platform's own, so that the device's are judged by others than ours. */
import { utf8 } from '../../hal/base/bytes.js';
import { ok } from '../../hal/base/result.js';
import type { Der, HalError, Result, TlsIdentity } from '../../hal/hal.js';
import type { HttpsRequest, HttpsResponse, HttpsServerOptions } from '../../hal/platform.js';
import type { Peer, PeerHost } from './peer-host.js';

export interface ProvisioningServerOptions {
  identity: TlsIdentity;
  clientCertificate: HttpsServerOptions['clientCertificate'];
  clientAuthorities: readonly Der[];
  /** By path, `/algop8180g2.conf`; read anew for each request, so that a scenario may change it. */
  files: ReadonlyMap<string, Uint8Array>;
  versions?: HttpsServerOptions['versions'];
  port?: number;
  onSecret?(line: string): void;
}

const HTTPS_PORT = 443;
const BACKLOG = 64;

/** Logs `server.request {method, target, status, clientCN, clientSubject}` and `server.refused {detail}` for a connection that failed. */
export function startProvisioningServer(host: PeerHost, options: ProvisioningServerOptions): Result<Peer, HalError> {
  const { identity, clientCertificate, clientAuthorities, files, onSecret } = options;
  const https = host.httpsServer({
    identity,
    clientCertificate,
    clientAuthorities,
    versions: options.versions ?? { min: '1.2', max: '1.3' },
    handle: (request) => {
      const response = answer(files, request);
      const { method, target, client } = request;
      const caller = { clientCN: client?.commonName ?? '', clientSubject: client?.subject ?? '' };
      host.log('server.request', { method, target, status: response.status, ...caller });
      return response;
    },
    onClientError: (detail) => host.log('server.refused', { detail }),
    ...(onSecret ? { onSecret } : {}),
  });
  const listening = host.net.listen({ port: options.port ?? HTTPS_PORT, backlog: BACKLOG }, (stream) => https.accept(stream));
  if (!listening.ok) return listening;
  return ok({
    close: () => {
      listening.value.close();
      https.close();
    },
  });
}

function answer(files: ReadonlyMap<string, Uint8Array>, { method, target }: HttpsRequest): HttpsResponse {
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, headers: { Allow: 'GET, HEAD' } };
  const [path = ''] = target.split('?');
  const body = files.get(path);
  if (!body) return { status: 404, body: utf8('not found\n') };
  return { status: 200, headers: { 'Content-Type': 'text/plain' }, ...(method === 'GET' ? { body } : {}) };
}
