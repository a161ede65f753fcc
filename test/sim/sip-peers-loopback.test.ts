import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectOk } from '../../hal/base/result.js';
import { SECOND } from '../../hal/base/time.js';
import { Timers } from '../../hal/base/timers.js';
import { createNodeHost, type NodeHost, nodePlatform } from '../../hal/node/index.js';
import type { PeerHost } from '../../sim/peers/peer-host.js';
import { startCaller } from '../../sim/peers/sip/caller.js';
import { startSipServer } from '../../sim/peers/sip/sip-server.js';
import { SipPhone } from '../support/sip-phone.js';
import { makeTestPki } from '../support/test-pki.js';

/** The same peers as on the simulated LAN, on this machine's sockets: what `belfry peers` runs. */
const DOMAIN = 'sip.example.test';
const MAC = '0022EE0A0001';
const LOOPBACK = '127.0.0.1';
const platform = nodePlatform();

let hosts: NodeHost[];
let log: { peer: string; event: string; [field: string]: unknown }[];
beforeEach(() => {
  hosts = [];
  log = [];
});
afterEach(async () => {
  for (const host of hosts) await host.close();
});

async function peerHost(name: string, tcp: number[] = []): Promise<PeerHost> {
  const host = expectOk(await createNodeHost({ address: LOOPBACK, ports: { tcp } }), name);
  hosts.push(host);
  return {
    name,
    address: LOOPBACK,
    timers: new Timers(host.clock),
    httpServer: platform.httpServer,
    log: (event, fields) => log.push({ peer: name, event, ...fields }),
    ...host,
  };
}

const until = async (condition: () => boolean): Promise<void> => {
  for (let i = 0; i < 500 && !condition(); i++) await new Promise((next) => setTimeout(next, 10));
  expect(condition()).toBe(true);
};
const logged = (event: string): unknown => log.find((entry) => entry.event === event);

describe('SIP peers on loopback', () => {
  it('register a phone and page it, by TLS with SRTP', async () => {
    const pki = makeTestPki(platform, { mac: MAC, serverName: DOMAIN, at: Date.now() });
    const server = await peerHost('sip', [25_061]);
    const tls = { port: 25_061, identity: pki.server, clientCertificate: 'required', clientAuthorities: [pki.root] } as const;
    expectOk(startSipServer(server, { domain: DOMAIN, users: new Map([['101', 'secret']]), tls }), 'SIP server');
    const proxy = { address: LOOPBACK, port: 25_061 };
    const common = { domain: DOMAIN, proxy, transport: 'tls', identity: pki.device } as const;
    const phone = new SipPhone({ host: await peerHost('phone'), ...common, user: '101', password: 'secret', srtp: 'standard' });
    phone.start();
    await until(() => phone.seen.includes('200'));
    expect(logged('server.registered')).toMatchObject({ account: '101', expires: 3600, clientCN: MAC });
    const caller = expectOk(startCaller(await peerHost('desk'), { ...common, user: 'desk', srtp: 'standard', tone: 1000 }), 'caller');
    caller.call({ extension: '101', for: SECOND / 2 });
    await until(() => logged('caller.ended') !== undefined);
    expect(logged('caller.established')).toMatchObject({ codec: 'PCMU', srtp: 'AES_CM_128_HMAC_SHA1_80' });
    await until(() => phone.seen.includes('BYE'));
    expect(phone.seen).toEqual(['401', '200', 'INVITE', 'ACK', 'BYE']);
    expect([phone.heard, phone.unauthentic]).toEqual([(logged('caller.ended') as { sent: number }).sent, 0]);
    expect(phone.heard).toBeGreaterThanOrEqual(24);
    caller.close();
  });
});
