/** The same streams over real OpenSSL, in memory: what an alert of a real peer becomes. */
import { describe, expect, it } from 'vitest';
import { issueDeviceCertificate, issueServerCertificate } from '../../core/certs/authority.js';
import { issueSelfSigned } from '../../core/certs/issue.js';
import { createCertificateStore } from '../../core/certs/store.js';
import type { EndpointEvent } from '../../core/kernel/events.js';
import { createKernel } from '../../core/kernel/kernel.js';
import { createSecureStreams } from '../../core/tls/create-secure-streams.js';
import { suitesOf } from '../../core/tls/suites.policy.js';
import { judgePeer } from '../../core/tls/tls.policy.js';
import { utf8 } from '../../hal/base/bytes.js';
import { streamPair } from '../../hal/conformance/index.js';
import type { TlsServerOptions } from '../../hal/hal.js';
import { createNodeTls } from '../../hal/node/tls.js';
import { date, nodeCrypto, template, testKey, testPorts } from '../certs/support.js';
import { later, realNow } from '../conformance/real-bench.js';
import { record } from '../node/recorder.js';
import { VirtualClock } from '../support/virtual-clock.js';

const ports = testPorts();
const engine = createNodeTls({ now: realNow });
const key = (index: number) => testKey('ec-p256', index);
const authority = (name: string, index: number) => ({
  certificate: issueSelfSigned(ports, template(name, index, { authority: {} }), key(index).key),
  key: key(index).key,
});
const site = authority('Site CA', 0);
const rogue = authority('Rogue CA', 1);
const device = issueDeviceCertificate(ports, { mac: '0022EE0A0001', made: date('2025-01-01'), publicKey: key(2).key.spki, issuer: site });
const serverOf = (issuer: typeof site) => ({
  chain: [
    issueServerCertificate(ports, {
      names: [{ type: 'dns', value: 'prov.example.test' }],
      from: date('2025-01-01'),
      until: date('2030-01-01'),
      publicKey: key(3).key.spki,
      issuer,
    }),
  ],
  key: key(3).key,
});

function connect(server: Partial<TlsServerOptions>, identity: boolean) {
  const events: EndpointEvent[] = [];
  const kernel = createKernel(new VirtualClock(date('2026-06-01'), 'network'), (event) => events.push(event));
  const [here, there] = streamPair({ later, now: realNow });
  const store = createCertificateStore({
    files: { list: () => ['certs/trusted/site'], read: (path) => (path === 'certs/trusted/site' ? site.certificate : undefined) },
    factory: {
      ...(identity ? { identity: { chain: [device], pkcs8: key(2).pkcs8 } } : {}),
      anchors: { set: 'none', version: '0', certificates: [] },
    },
    crypto: nodeCrypto,
    emit: () => {},
    features: { deviceCertificate: true, trustedUpload: true },
  });
  const streams = createSecureStreams({
    kernel,
    net: { connect: () => here },
    tls: engine,
    crypto: nodeCrypto,
    store,
    policy: () => ({
      versions: { min: '1.2', max: '1.3' },
      suites: suitesOf({ max: '1.3' }, false),
      validate: { provisioning: true, sip: true },
      sipWildcards: false,
    }),
  });
  const client = streams.connect({ service: 'provisioning', to: { address: '192.0.2.1', port: 443 }, name: 'prov.example.test' });
  const verify: TlsServerOptions['verify'] = ({ chain }) =>
    judgePeer({
      ...{ service: 'sip-server', use: 'talk', chain, validate: true, sipWildcards: false },
      ...{ wall: kernel.wall(), anchors: store.anchors, crypto: nodeCrypto },
    }).verdict;
  const other = engine.server(there, {
    versions: { min: '1.2', max: '1.3' },
    identity: serverOf(site),
    client: 'required',
    verify,
    ...server,
  });
  return { client, events, atClient: record(client), atServer: record(other) };
}

describe('over OpenSSL', () => {
  it('both ends judge each other, and then talk', async () => {
    const { client, events, atClient, atServer } = connect({}, true);
    await atClient.opened();
    await atServer.opened();
    client.write(utf8('GET /'));
    await atServer.received('GET /');
    expect(events).toMatchObject([
      { event: 'tls.accepted', version: '1.3', verified: true, anchor: 'CN=Site CA,O=Test', clientCertificate: '0022EE0A0001' },
    ]);
  });

  it('a rogue server sees no application data', async () => {
    const { client, events, atClient, atServer } = connect({ identity: serverOf(rogue) }, true);
    expect(client.write(utf8('GET /'))).toBe(0);
    expect((await atClient.closed()).error).toMatchObject({ kind: 'tls-refused' });
    await atServer.closed();
    expect(atServer.types()).not.toContain('data');
    expect(events).toMatchObject([{ event: 'tls.refused', by: 'us', rule: 'unknown-issuer', subject: 'CN=prov.example.test' }]);
  });

  it.each(['1.2', '1.3'] as const)('a server that asks a unit without a certificate refuses it by an alert, with %s', async (version) => {
    const { events, atClient } = connect({ versions: { min: version, max: version } }, false);
    expect((await atClient.closed()).error).toMatchObject({ kind: 'tls-alert' });
    expect(events.at(-1)).toMatchObject({
      event: 'tls.refused',
      by: 'peer',
      rule: 'refused-by-peer',
      mend: expect.stringContaining('certs/sipclient.pem'),
    });
  });

  it('a server of an older TLS is a matter of versions', async () => {
    const { events, atClient } = connect({ versions: { min: '1.1', max: '1.1' }, client: 'no' }, true);
    await atClient.closed();
    expect(events).toMatchObject([{ event: 'tls.refused', rule: 'version' }]);
  });
});
