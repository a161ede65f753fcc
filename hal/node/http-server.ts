/** Node's own HTTP server, with or without TLS, over any `ByteStream`, so that the core's HTTP is judged by a parser that Belfry did not write. */
import { constants, X509Certificate } from 'node:crypto';
import { createServer as createHttp, type IncomingMessage, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createHttps, type Server as HttpsServer } from 'node:https';
import type { TLSSocket, TlsOptions } from 'node:tls';

import type { UnixMillis } from '../hal.js';
import type { HttpRequest, HttpServer, HttpServerOptions, HttpServerTls } from '../platform.js';
import { keyObjectOf } from './crypto.js';
import { pem, plain } from './octets.js';
import { StreamDuplex } from './stream-duplex.js';
import { NODE_VERSION } from './tls-contexts.js';
import { tlsError } from './tls-errors.js';

/** Longest path from a client's certificate to an authority: root, intermediate, issuing and one to spare. */
const PATH_LIMIT = 4;
/** No real timer may end a connection that lives in virtual time: the longest that Node takes. */
const NEVER_MS = 2 ** 31 - 1;
/** Times that do not vary with the run (measured: Node's server then runs exactly in virtual time). */
const TIMELESS: ServerOptions = { headersTimeout: 0, requestTimeout: 0, keepAliveTimeout: 0, connectionsCheckingInterval: NEVER_MS };

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { tls, onClientError } = options;
  const refused = new WeakSet<object>();
  const serve = (request: IncomingMessage, response: ServerResponse): void =>
    refused.has(request.socket) ? refuse(request, response) : answer(options, request, response);
  const server = tls ? createHttps({ ...TIMELESS, ...tlsOptions(tls) }, serve) : createHttp(TIMELESS, serve);
  if (tls) guard(server as HttpsServer, tls, refused, onClientError);
  server.on('clientError', (error, socket) => {
    onClientError(error.message);
    socket.destroy();
  });
  const sockets = new Set<StreamDuplex>();
  return {
    accept: (stream) => {
      const duplex = new StreamDuplex(stream);
      sockets.add(duplex);
      duplex.once('close', () => sockets.delete(duplex));
      // What failed is reported by TLS or HTTP above; unheard, an error here would end the process.
      duplex.on('error', () => {});
      server.emit('connection', duplex);
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
  };
}

/** Before Node's own listener: a refused client is known before its first request. */
function guard(server: HttpsServer, tls: HttpServerTls, refused: WeakSet<object>, onClientError: (detail: string) => void): void {
  const authorities = tls.clientAuthorities.map((der) => new X509Certificate(der));
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    const refusal = refuseClient(socket, tls, authorities);
    if (refusal === undefined) return;
    onClientError(refusal);
    refused.add(socket);
  });
  server.on('tlsClientError', (error) => onClientError(tlsError(error).detail));
  const { onSecret } = tls;
  if (onSecret) server.on('keylog', (line) => onSecret(line.toString('latin1').trimEnd()));
}

/** Sizes that do not vary with the run. */
function tlsOptions({ identity, versions, clientCertificate, clientAuthorities }: HttpServerTls): TlsOptions {
  const key = keyObjectOf(identity.key);
  if (!key) throw new Error('contract violation: the server key belongs to another binding');
  return {
    cert: identity.chain.map((der) => pem('CERTIFICATE', der)).join(''),
    key: key.export({ type: 'pkcs8', format: 'pem' }),
    minVersion: NODE_VERSION[versions.min],
    maxVersion: NODE_VERSION[versions.max],
    ...(versions.min === '1.0' || versions.min === '1.1' ? { ciphers: 'DEFAULT:@SECLEVEL=0' } : {}),
    secureOptions: constants.SSL_OP_NO_TICKET,
    ca: clientAuthorities.map((der) => pem('CERTIFICATE', der)), // named in the CertificateRequest
    requestCert: clientCertificate !== 'no',
    // OpenSSL judges by this machine's clock, which is not the world's: `refuseClient` judges by that.
    rejectUnauthorized: false,
    handshakeTimeout: NEVER_MS,
  };
}

/** As nginx answers a client without the right certificate: within TLS, whatever is asked for. */
function refuse(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  response.sendDate = false;
  response.writeHead(400, { 'Content-Length': 0, Connection: 'close' });
  response.end();
}

function answer(options: HttpServerOptions, request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  const { status, headers = {}, body = new Uint8Array(0) } = options.handle(requestOf(request, options.tls !== undefined));
  response.sendDate = false;
  response.writeHead(status, { ...(status === 304 ? {} : { 'Content-Length': body.length }), ...headers });
  response.end(body);
}

function requestOf(request: IncomingMessage, secured: boolean): HttpRequest {
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.headers)) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  const client = secured ? (request.socket as TLSSocket).getPeerX509Certificate() : undefined;
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    headers,
    ...(client ? { client: { subject: oneLine(client.subject), commonName: commonName(client.subject), der: plain(client.raw) } } : {}),
  };
}

/** Why the client may not go on; undefined where it may. */
function refuseClient(socket: TLSSocket, tls: HttpServerTls, authorities: readonly X509Certificate[]): string | undefined {
  if (tls.clientCertificate === 'no') return undefined;
  const leaf = socket.getPeerX509Certificate();
  if (!leaf) return tls.clientCertificate === 'required' ? 'the client sent no certificate' : undefined;
  const outdated = refuseDates(leaf, tls.wall());
  if (outdated !== undefined) return `the client certificate ${oneLine(leaf.subject)} ${outdated}`;
  // Where OpenSSL is content by today's date, Node has taken the chain apart (24), and there is nothing left to look at.
  if (socket.authorized || chainsTo(leaf, authorities)) return undefined;
  return `the client certificate ${oneLine(leaf.subject)} does not chain to an authority of this server`;
}

function refuseDates({ validFrom, validTo }: X509Certificate, now: UnixMillis): string | undefined {
  if (now > Date.parse(validTo)) return `expired on ${validTo}`;
  return now < Date.parse(validFrom) ? `is not valid before ${validFrom}` : undefined;
}

/** A path by names and signatures, at any date. */
function chainsTo(leaf: X509Certificate, authorities: readonly X509Certificate[]): boolean {
  let certificate: X509Certificate | undefined = leaf;
  for (let length = 0; certificate && length < PATH_LIMIT; length++) {
    const subject: X509Certificate = certificate;
    if (authorities.some((authority) => subject.fingerprint256 === authority.fingerprint256 || issued(authority, subject))) return true;
    const next: X509Certificate | undefined = certificate.issuerCertificate;
    certificate = next?.ca && issued(next, subject) ? next : undefined;
  }
  return false;
}

const issued = (issuer: X509Certificate, subject: X509Certificate): boolean =>
  subject.checkIssued(issuer) && subject.verify(issuer.publicKey);

/** Node writes one attribute a line. */
const oneLine = (subject: string): string => subject.split('\n').join(', ');
const commonName = (subject: string): string => /^CN=(.*)$/m.exec(subject)?.[1] ?? '';
