/** Connections that OpenSSL makes, client and server, recorded on a made-up wire with their secrets. */
import { Duplex } from 'node:stream';
import { type ConnectionOptions, connect, createServer, type TlsOptions } from 'node:tls';
import { writePem } from '../../core/certs/pem.codec.js';
import type { Der, TlsIdentity } from '../../hal/hal.js';
import type { Role } from '../../tools/explain/tls-view.js';
import { CLIENT, captureOf, Wire } from './wire.js';

export interface Exchange {
  wire: Wire;
  /** What crossed, stretch by stretch. */
  said: { role: Role; bytes: Uint8Array }[];
  secrets: string[];
  /** With and without what opens it. */
  capture(secrets: boolean): Uint8Array;
}

export const ASKED = 'GET /hello?pin=1234 HTTP/1.1\r\nHost: prov.example.test\r\n\r\n';
const ANSWERED = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
const ANY = 'ALL:COMPLEMENTOFALL@SECLEVEL=0';

let exchanges = 0;

/** One request and its answer, if the two agree; ends when both ends of the connection have. */
export async function exchange(client: ConnectionOptions, server: TlsOptions, answer = ANSWERED): Promise<Exchange> {
  const wire = new Wire({ client: { ...CLIENT, port: CLIENT.port + exchanges++ } }).open();
  const secrets: string[] = [];
  const note = (line: Buffer) => void secrets.push(line.toString().trim());
  const said: Exchange['said'] = [];
  const [near, far] = pair(wire, said);
  const listener = createServer({ ciphers: ANY, minVersion: 'TLSv1', ...server }, (socket) => {
    socket.on('data', () => socket.end(answer));
    socket.on('error', () => undefined);
  });
  listener.on('tlsClientError', () => undefined);
  listener.on('keylog', note);
  listener.emit('connection', far);
  const socket = connect({ socket: near, ciphers: ANY, servername: 'prov.example.test', ...client });
  socket.on('keylog', note);
  socket.on('secureConnect', () => socket.write(ASKED));
  socket.on('data', () => socket.end());
  socket.on('error', () => near.destroy());
  await Promise.all([near, far].map((end) => end.closed || new Promise((resolve) => end.once('close', resolve))));
  return { wire, said, secrets, capture: (open) => captureOf(wire.frames, open ? secrets : undefined) };
}

class WireEnd extends Duplex {
  other: WireEnd | undefined;

  constructor(
    readonly wire: Wire,
    readonly role: Role,
    readonly said: Exchange['said'],
  ) {
    super();
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const bytes = Uint8Array.from(chunk);
    this.said.push({ role: this.role, bytes });
    this.wire.data(this.role, bytes);
    setImmediate(() => {
      this.other!.push(chunk);
      done();
    });
  }

  override _final(done: () => void): void {
    this.wire.fin(this.role);
    this.other!.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.writableFinished) this.wire.reset(this.role);
    if (!this.other!.destroyed) setImmediate(() => this.other!.destroy());
    done(error);
  }
}

function pair(wire: Wire, said: Exchange['said']): [WireEnd, WireEnd] {
  const [client, server] = [new WireEnd(wire, 'client', said), new WireEnd(wire, 'server', said)];
  client.other = server;
  server.other = client;
  return [client, server];
}

export const pem = (...chain: readonly Der[]): string => chain.map((der) => writePem('CERTIFICATE', der)).join('');
/** What both ends of node:tls take. */
export const shown = ({ chain }: Pick<TlsIdentity, 'chain'>, pkcs8: Der): { cert: string; key: string } => ({
  cert: pem(...chain),
  key: writePem('PRIVATE KEY', pkcs8),
});
