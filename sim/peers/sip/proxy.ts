/**
 * A stateless proxy (RFC 3261 16.11): who sends a request repeats it, this passes it on. It stays in the path of a dialog by
 * Record-Route, and reaches a registered device over the flow that the device registered on.
 */
import { writeAddress } from '../../../core/sip/address.codec.js';
import { composeResponse } from '../../../core/sip/compose.js';
import { Headers } from '../../../core/sip/headers.js';
import { readAddresses, type SipRequest, type SipResponse, toTag, writeMessage } from '../../../core/sip/message.codec.js';
import { param, readInteger } from '../../../core/sip/text.js';
import type { SipUri, Uri } from '../../../core/sip/uri.codec.js';
import { branchOf, MAGIC_COOKIE, readVia, type Via, withParam, writeVia } from '../../../core/sip/via.codec.js';
import { fromLatin1, hex } from '../../../hal/base/bytes.js';
import type { Crypto, Micros, SocketAddress } from '../../../hal/hal.js';
import type { PeerFlow } from './flow.js';
import type { Location } from './location.js';

export interface ProxyOptions {
  crypto: Pick<Crypto, 'digest'>;
  location: Location;
  now(): Micros;
  /** For the To of a refusal. */
  newTag(): string;
  hasUser(user: string): boolean;
  /** Does that name or address, with that port, mean us? */
  isOurs(host: string, port: number | undefined): boolean;
  /** A connection to that peer, or for UDP always one. */
  flowTo(transport: PeerFlow['transport'], peer: SocketAddress): PeerFlow | undefined;
}

/** Where a request goes next, or why nowhere. */
type Target = { flow: PeerFlow; uri: Uri } | number;

/** Where a request has none (RFC 3261 16.6 step 3). */
const MAX_FORWARDS = 70;
const SIP_PORT = 5060;
const SIPS_PORT = 5061;
const TRANSPORTS: Readonly<Record<string, PeerFlow['transport']>> = { UDP: 'udp', TLS: 'tls' };

export class StatelessProxy {
  readonly #options: ProxyOptions;

  constructor(options: ProxyOptions) {
    this.#options = options;
  }

  /** Passes a request on, or gives the response that refuses it. */
  request(request: SipRequest, from: PeerFlow): SipResponse | undefined {
    const target = this.#target(request);
    if (typeof target !== 'number') this.#forward(request, from, target);
    else if (request.method !== 'ACK') return composeResponse(request, { status: target, toTag: this.#options.newTag() });
    return undefined;
  }

  /** Passes a response back along its Vias; one that is not for us is dropped (RFC 3261 16.7 step 3). */
  response(response: SipResponse): void {
    if (!this.#options.isOurs(response.via.host, response.via.port)) return;
    const [, ...vias] = response.headers.list('via');
    const next = vias[0] === undefined ? undefined : readVia(vias[0]);
    if (next) this.flowBack(next)?.send(writeMessage({ ...response, headers: withField(response.headers, 'via', vias) }));
  }

  /** The way that a Via says a response goes (RFC 3261 18.2.2, RFC 3581). */
  flowBack(via: Via): PeerFlow | undefined {
    const transport = TRANSPORTS[via.transport];
    if (!transport) return undefined;
    const address = param(via.params, 'received') ?? via.host;
    const port = readInteger(param(via.params, 'rport') ?? '', 65_535) ?? via.port ?? SIP_PORT;
    return this.#options.flowTo(transport, { address, port });
  }

  #target({ headers, uri }: SipRequest): Target {
    if (readInteger(headers.get('max-forwards') ?? '', 255) === 0) return 483;
    const routes = readAddresses(headers, 'route')?.map((route) => route.uri);
    if (!routes) return 400;
    const next = routes[this.#ownRoutes(routes)];
    if (next) return this.#toward(next, uri);
    if (uri.kind !== 'sip') return 416;
    if (!this.#options.isOurs(uri.host, uri.port)) return this.#toward(uri, uri);
    if (uri.user === undefined || !this.#options.hasUser(uri.user)) return 404;
    const [binding] = this.#options.location.of(uri.user, this.#options.now());
    return binding ? { flow: binding.flow, uri: binding.contact } : 480;
  }

  /** RFC 3261 16.6, as far as a stateless proxy goes. */
  #forward(request: SipRequest, from: PeerFlow, { flow, uri }: Exclude<Target, number>): void {
    const routes = readAddresses(request.headers, 'route') ?? [];
    const kept = routes.slice(this.#ownRoutes(routes.map((route) => route.uri)));
    let headers = withField(request.headers, 'route', kept.map(writeAddress));
    const hops = readInteger(headers.get('max-forwards') ?? '', 255) ?? MAX_FORWARDS;
    headers.replaceFirst('max-forwards', String(hops - 1));
    if (request.method === 'INVITE' && toTag(request) === undefined) {
      headers = withField(headers, 'record-route', [...recordRoutes(from, flow), ...headers.list('record-route')]);
    }
    headers = withField(headers, 'via', [writeVia(this.#via(request.via, flow)), ...headers.list('via')]);
    flow.send(writeMessage({ ...request, uri, headers }));
  }

  /** Number of leading routes that name us: two where the legs differ in transport (RFC 5658). */
  #ownRoutes(routes: readonly Uri[]): number {
    const foreign = routes.findIndex((route) => route.kind !== 'sip' || !this.#options.isOurs(route.host, route.port));
    return foreign < 0 ? routes.length : foreign;
  }

  /** Over the flow of a registered contact, else over a connection from that address, else by UDP. */
  #toward(hop: Uri, uri: Uri): Target {
    if (hop.kind !== 'sip') return 416;
    const flow = this.#options.location.byContact(hop, this.#options.now())?.flow ?? this.#options.flowTo(transportOf(hop), addressOf(hop));
    return flow ? { flow, uri } : 480;
  }

  /** The same branch for the same request each time it comes, and for its CANCEL and ACK (RFC 3261 16.11). */
  #via(above: Via, flow: PeerFlow): Via {
    const digest = this.#options.crypto.digest('sha256', fromLatin1(`${branchOf(above)} ${above.host} ${above.port ?? ''}`));
    const params = [{ name: 'branch', value: `${MAGIC_COOKIE}${hex(digest.subarray(0, 12))}` }];
    return { transport: flow.transport.toUpperCase(), host: flow.sentBy.address, port: flow.sentBy.port, params };
  }
}

/** A request as it came in: its topmost Via says where from, so that the response finds back (RFC 3261 18.2.1, RFC 3581). */
export function stamped(request: SipRequest, from: PeerFlow): SipRequest {
  const via = withParam(withParam(request.via, 'received', from.peer.address), 'rport', String(from.peer.port));
  const [, ...others] = request.headers.list('via');
  return { ...request, via, headers: withField(request.headers, 'via', [writeVia(via), ...others]) };
}

const transportOf = (uri: SipUri): PeerFlow['transport'] =>
  uri.scheme === 'sips' || param(uri.params, 'transport')?.toLowerCase() === 'tls' ? 'tls' : 'udp';

const addressOf = (uri: SipUri): SocketAddress => ({
  address: uri.host,
  port: uri.port ?? (transportOf(uri) === 'tls' ? SIPS_PORT : SIP_PORT),
});

/** Ours on the way out, and below it ours on the way in where that is another. */
function recordRoutes(from: PeerFlow, to: PeerFlow): string[] {
  const route = ({ transport, sentBy }: PeerFlow): string => `<sip:${sentBy.address}:${sentBy.port};transport=${transport};lr>`;
  return from.transport === to.transport ? [route(to)] : [route(to), route(from)];
}

/** The same header fields, those of one name replaced and first. */
function withField(headers: Headers, name: string, values: readonly string[]): Headers {
  const out = new Headers();
  for (const value of values) out.add(name, value);
  for (const [other, value] of headers) if (other !== name) out.add(other, value);
  return out;
}
