/** Who we are to a peer: asked by OpenSSL's own server, by two services, and before and after a file was replaced. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { issueDeviceCertificate } from '../../core/certs/authority.js';
import { issueCertificate, issueSelfSigned } from '../../core/certs/issue.js';
import { writePem } from '../../core/certs/pem.codec.js';
import { type CertificateStore, createCertificateStore } from '../../core/certs/store.js';
import type { EndpointEvent, TlsService } from '../../core/kernel/events.js';
import { createKernel } from '../../core/kernel/kernel.js';
import { createSecureStreams } from '../../core/tls/create-secure-streams.js';
import type { SecureStreams } from '../../core/tls/secure-streams.js';
import { suitesOf } from '../../core/tls/suites.policy.js';
import { utf8 } from '../../hal/base/bytes.js';
import { streamPair } from '../../hal/conformance/index.js';
import type { ByteStream, Der, SocketAddress, TlsEngine, TlsStream, TlsVersion } from '../../hal/hal.js';
import { createNodeTls } from '../../hal/node/tls.js';
import { date, nodeCrypto, parsed, template, testKey, testPorts } from '../certs/support.js';
import { later, realNow, until } from '../conformance/real-bench.js';
import { FLAG, LOOPBACK, OpensslBench, opensslInstalled } from '../node/openssl-bench.js';
import { type Recorder, record } from '../node/recorder.js';
import { VirtualClock } from '../support/virtual-clock.js';

const ports = testPorts();
const key = (index: number) => testKey('ec-p256', index);
const ca = { certificate: issueSelfSigned(ports, template('Site CA', 0, { authority: {} }), key(0).key), key: key(0).key };
const factory = issueDeviceCertificate(ports, { mac: '0022EE0A0001', made: date('2025-01-01'), publicKey: key(1).key.spki, issuer: ca });
const leaf = (name: string, index: number): Der =>
  issueCertificate(ports, template(name, index, { names: [{ type: 'dns', value: 'here.example.test' }] }), ca);
/** A file as an administrator uploads it. */
const file = (certificate: Der, index: number): Uint8Array =>
  utf8(writePem('CERTIFICATE', certificate) + writePem('PRIVATE KEY', key(index).pkcs8));

const FIRST = leaf('first', 2);
const SECOND = leaf('second', 3);
const WEB = leaf('web', 4);

interface Device {
  streams: SecureStreams;
  store: CertificateStore;
  files: Map<string, Uint8Array>;
  events: EndpointEvent[];
}

function device(tls: TlsEngine, connect: (to: SocketAddress) => ByteStream, identity = true): Device {
  const events: EndpointEvent[] = [];
  const kernel = createKernel(new VirtualClock(date('2026-06-01'), 'network'), (event) => events.push(event));
  const files = new Map<string, Uint8Array>([['certs/trusted/site.pem', utf8(writePem('CERTIFICATE', ca.certificate))]]);
  const store = createCertificateStore({
    files: { list: (prefix = '') => [...files.keys()].filter((path) => path.startsWith(prefix)), read: (path) => files.get(path) },
    factory: {
      ...(identity ? { identity: { chain: [factory], pkcs8: key(1).pkcs8 } } : {}),
      anchors: { set: 'none', version: '0', certificates: [] },
    },
    crypto: nodeCrypto,
    emit: (event, fields) => events.push({ at: 0, event, ...fields } as EndpointEvent),
    features: { deviceCertificate: true, trustedUpload: true },
  });
  const streams = createSecureStreams({
    ...{ kernel, net: { connect }, tls, crypto: nodeCrypto, store },
    policy: () => ({
      ...{ versions: { min: '1.2', max: '1.3' }, suites: suitesOf({ max: '1.3' }, true), sipWildcards: false },
      validate: { provisioning: false, sip: false },
    }),
  });
  return { streams, store, files, events };
}
const put = ({ files, store }: Device, path: string, bytes: Uint8Array): void => {
  files.set(path, bytes);
  store.reload();
};

describe.skipIf(!opensslInstalled)(`asked by OpenSSL's own server${opensslInstalled ? '' : ' (no openssl on this machine)'}`, () => {
  let bench: OpensslBench;
  beforeAll(async () => {
    bench = await OpensslBench.create();
    bench.write('site', { chain: [ca.certificate], key: nodeKey(0) });
    bench.write('other', { chain: [issueSelfSigned(ports, template('Other CA', 5, { authority: {} }), key(5).key)], key: nodeKey(5) });
  });
  afterEach(() => bench.clear());
  afterAll(() => bench.close());

  const nodeKey = (index: number) => {
    const imported = bench.host.crypto.importKey(key(index).pkcs8);
    if (!imported.ok) throw new Error(imported.error.detail);
    return imported.value;
  };
  const here = (identity?: boolean): Device => device(bench.host.tls, (to) => bench.host.net.connect(to), identity);
  const open = ({ streams }: Device, port: number, service: 'sip' | 'provisioning'): { stream: TlsStream; seen: Recorder } => {
    const stream = streams.connect({ service, to: { address: LOOPBACK, port }, name: 'here.example.test' });
    return { stream, seen: record(stream) };
  };
  const asking = (version: TlsVersion, authority: string): Promise<{ port: number; all(): string }> =>
    bench.server(...FLAG[version], '-Verify', '4', '-verify_return_error', '-CAfile', `${bench.folder}/${authority}.crt`);

  it.each(['1.2', '1.3'] as const)('a unit made before there were device certificates says so, with %s', async (version) => {
    const unit = here(false);
    const { port } = await asking(version, 'site');
    expect((await open(unit, port, 'sip').seen.closed()).error).toMatchObject({ kind: 'tls-alert' });
    expect(unit.events.at(-1)).toMatchObject({
      ...{ event: 'tls.refused', service: 'sip', by: 'peer', rule: 'refused-by-peer', subject: '' },
      detail: version === '1.2' ? 'alert handshake failure' : 'alert certificate required',
      mend: 'give this device a certificate: upload certs/sipclient.pem; it has none to show',
    });
  });

  it('a unit without a certificate works where none is asked for', async () => {
    const unit = here(false);
    const { port } = await bench.server('-tls1_3');
    await open(unit, port, 'provisioning').seen.opened();
    expect(unit.events.at(-1)).toMatchObject({ event: 'tls.accepted' });
    expect(unit.events.at(-1)).not.toHaveProperty('clientCertificate');
  });

  it.each<['1.2' | '1.3', 'sip' | 'provisioning', boolean, string]>([
    ['1.2', 'sip', false, '0022EE0A0001'],
    ['1.3', 'provisioning', false, '0022EE0A0001'],
    ['1.2', 'provisioning', true, 'first'],
    ['1.3', 'sip', true, 'first'],
  ])('with %s for %s, sipclient.pem uploaded: %s, it is %s', async (version, service, uploaded, name) => {
    const unit = here();
    if (uploaded) put(unit, 'certs/sipclient.pem', file(FIRST, 2));
    const { port, all } = await asking(version, 'site');
    const { seen } = open(unit, port, service);
    await seen.opened();
    expect(unit.events.at(-1)).toMatchObject({ event: 'tls.accepted', service, clientCertificate: name });
    await until('what the server saw', () => (/verify return:1[\s\S]*depth=0/.test(all()) ? true : undefined), 5_000_000);
    expect(all()).toMatch(new RegExp(`depth=0 .*CN ?= ?${name}`));
  });

  // Node does not tell which authorities a server names: what we have is sent, and the server decides.
  it('a server that names other authorities is sent our certificate all the same, and its refusal is reported', async () => {
    const unit = here();
    const { port } = await asking('1.2', 'other');
    expect((await open(unit, port, 'sip').seen.closed()).error).toMatchObject({ kind: 'tls-alert', detail: 'alert unknown ca' });
    expect(unit.events.at(-1)).toMatchObject({
      ...{ event: 'tls.refused', by: 'peer', subject: 'CN=0022EE0A0001', detail: 'alert unknown ca' },
      mend: expect.stringContaining('chain of this device'),
    });
  });
});

describe('a file that is replaced', () => {
  const engine = createNodeTls({ now: realNow });
  let unit: Device;
  /** The far ends of what the device connects to. */
  let wires: ByteStream[];

  beforeEach(() => {
    wires = [];
    unit = device(engine, () => {
      const [near, far] = streamPair({ later, now: realNow });
      wires.push(far);
      return near;
    });
  });

  /** A server that takes any certificate, and which it was shown. */
  async function connected(service: 'sip' | 'provisioning') {
    const stream = unit.streams.connect({ service, to: { address: '192.0.2.1', port: 443 }, name: 'there.example.test' });
    const seen = record(stream);
    let shown: readonly Der[] = [];
    const far = engine.server(wires.at(-1)!, {
      ...{ versions: { min: '1.2', max: '1.3' }, identity: { chain: [WEB], key: key(4).key }, client: 'required' },
      verify: ({ chain }) => {
        shown = chain;
        return { ok: true, verified: true };
      },
    });
    const farSeen = record(far);
    await seen.opened();
    await farSeen.opened();
    return { stream, seen, far, farSeen, shown: parsed(shown[0]!).subject.text };
  }
  /** A client that takes any server, and whom it met. */
  async function accepted(service: Extract<TlsService, 'sip-server' | 'web'>) {
    const [near, far] = streamPair({ later, now: realNow });
    const stream = unit.streams.accept(near, { service, client: 'no', peer: { address: '192.0.2.9', port: 9 } });
    const seen = record(stream);
    const client = engine.client(far, { versions: { min: '1.2', max: '1.3' }, verify: () => ({ ok: true, verified: true }) });
    const clientSeen = record(client);
    await clientSeen.opened();
    await seen.opened();
    return { stream, seen, client, clientSeen, shown: parsed(client.secured!.peer![0]!).subject.text };
  }

  it.each(['sip', 'provisioning'] as const)('counts for the next connection (%s), while the open one goes on', async (service) => {
    put(unit, 'certs/sipclient.pem', file(FIRST, 2));
    const before = await connected(service);
    put(unit, 'certs/sipclient.pem', file(SECOND, 3));
    const after = await connected(service);
    unit.files.delete('certs/sipclient.pem');
    unit.store.reload();
    const without = await connected(service);
    expect([before, after, without].map(({ shown }) => shown)).toEqual(['CN=first,O=Test', 'CN=second,O=Test', 'CN=0022EE0A0001']);
    for (const { stream, seen, far, farSeen } of [before, after, without]) {
      stream.write(utf8('still here'));
      await farSeen.received('still here');
      far.write(utf8('and here'));
      await seen.received('and here');
    }
  });

  it('and is broken changes nothing', async () => {
    put(unit, 'certs/sipclient.pem', file(FIRST, 2));
    put(unit, 'certs/sipclient.pem', file(SECOND, 2));
    expect(unit.events.at(-1)).toMatchObject({ event: 'certs.refused', file: 'certs/sipclient.pem' });
    expect((await connected('sip')).shown).toBe('CN=first,O=Test');
  });

  it.each([
    ['sip-server', 'certs/sipclient.pem'],
    ['web', 'certs/httpd.pem'],
  ] as const)('counts for the next client of %s, while the present one goes on', async (service, path) => {
    put(unit, path, file(FIRST, 2));
    const before = await accepted(service);
    put(unit, path, file(SECOND, 3));
    const after = await accepted(service);
    expect([before.shown, after.shown]).toEqual(['CN=first,O=Test', 'CN=second,O=Test']);
    before.client.write(utf8('still here'));
    await before.seen.received('still here');
    before.stream.write(utf8('and here'));
    await before.clientSeen.received('and here');
  });
});
