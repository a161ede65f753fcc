/** What an account looks like on the wire: its identity, its Contact, and the engine that registers it. */
import { hex } from '../../hal/base/bytes.js';
import type { Crypto, Entropy } from '../../hal/hal.js';
import { DigestClient } from '../auth/digest.js';
import { octetText, quote } from '../text/octet-text.js';
import type { Address } from './address.codec.js';
import type { HostPort, SipAccount, SipConfig, SipServer } from './config.js';
import type { Flow } from './flow.js';
import { RegisterEngine } from './register.engine.js';
import type { Param } from './text.js';
import { escapeUser, type SipUri } from './uri.codec.js';

const sipUri = ({ host, port }: HostPort, user?: string): SipUri => ({
  ...{ kind: 'sip', scheme: 'sip', password: undefined, host: host.toLowerCase(), port, params: [], headers: undefined },
  user: user === undefined ? undefined : escapeUser(octetText(user)),
});

/** Where requests for `user` (octet text, escaped) reach us by that flow. */
export function contactFor(user: string | undefined, flow: Flow, instance?: string): Address {
  const { address, port } = flow.contact;
  const transport: readonly Param[] = flow.transport === 'udp' ? [] : [{ name: 'transport', value: flow.transport }];
  const params: readonly Param[] = instance === undefined ? [] : [{ name: '+sip.instance', value: quote(`<${instance}>`) }];
  return { display: '', uri: { ...sipUri({ host: address, port }), user, params: transport }, params };
}

/** The server that a registration is sent to, and that DNS is asked for. */
export const nextHopOf = (server: SipServer): HostPort => server.outboundProxy ?? server.registrar ?? server.domain;

export function createRegisterEngine(
  account: SipAccount,
  server: SipServer,
  config: SipConfig,
  hal: { crypto: Pick<Crypto, 'digest'>; entropy: Entropy },
): RegisterEngine {
  const random = new Uint8Array(24);
  hal.entropy.fill(random);
  const credentials = { user: account.authUser === '' ? account.user : account.authUser, password: account.password };
  return new RegisterEngine({
    aor: sipUri(server.domain, account.user),
    display: octetText(account.displayName),
    registrar: sipUri(server.registrar ?? server.domain),
    route: server.outboundProxy && { ...sipUri(server.outboundProxy), params: [{ name: 'lr', value: undefined }] },
    period: config.registerPeriod,
    userAgent: config.userAgent,
    digest: new DigestClient({ ...hal, credentials, refuseMd5: config.refuseMd5 }),
    callId: hex(random.subarray(0, 16)),
    tag: hex(random.subarray(16)),
  });
}
