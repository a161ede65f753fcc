import { beforeEach, describe, expect, it } from 'vitest';
import { issueDeviceCertificate } from '../../core/certs/authority.js';
import { issueCertificate, issueSelfSigned } from '../../core/certs/issue.js';
import { type CertificateStore, createCertificateStore } from '../../core/certs/store.js';
import type { EndpointEvent } from '../../core/kernel/events.js';
import { createKernel, type Kernel } from '../../core/kernel/kernel.js';
import { createSecureStreams } from '../../core/tls/create-secure-streams.js';
import type { TlsPolicy } from '../../core/tls/tls.policy.js';
import { SECOND } from '../../hal/base/time.js';
import type { ClockTrust, HalErrorKind, StreamEvent, TlsStream } from '../../hal/hal.js';
import { date, nodeCrypto, parsed, template, testKey, testPorts } from '../certs/support.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { FakeEngine, FakeStream, HERE, THERE } from './fake-engine.js';

const ports = testPorts();
const key = (index: number) => testKey('ec-p256', index);
const ca = { certificate: issueSelfSigned(ports, template('Site CA', 0, { authority: {} }), key(0).key), key: key(0).key };
const serverCertificate = issueCertificate(
  ports,
  template('sip.example.test', 1, { names: [{ type: 'dns', value: 'sip.example.test' }], purposes: ['serverAuth'] }),
  ca,
);
const clientCertificate = issueCertificate(ports, template('desk', 2, { purposes: ['clientAuth'] }), ca);
const device = issueDeviceCertificate(ports, { mac: '0022EE0A0001', made: date('2025-01-01'), publicKey: key(3).key.spki, issuer: ca });

let clock: VirtualClock;
let kernel: Kernel;
let engine: FakeEngine;
let events: EndpointEvent[];
let connected: FakeStream;
let policy: TlsPolicy | undefined;
let store: CertificateStore;
/** From when on it is, as peers have shown. */
let proven: number[];

interface Setup {
  trust?: ClockTrust;
  wall?: string;
  identity?: boolean;
  tls?: boolean;
}
function setUp({ trust = 'network', wall = '2026-06-01', identity = true, tls = true }: Setup = {}) {
  clock = new VirtualClock(date(wall), trust);
  events = [];
  kernel = createKernel(clock, (event) => events.push(event));
  engine = new FakeEngine();
  policy = { versions: { min: '1.2', max: '1.3' }, suites: 'ANY', validate: { provisioning: true, sip: true }, sipWildcards: false };
  proven = [];
  store = createCertificateStore({
    files: { list: () => ['certs/trusted/site.pem'], read: (path) => (path === 'certs/trusted/site.pem' ? ca.certificate : undefined) },
    factory: {
      ...(identity ? { identity: { chain: [device], pkcs8: key(3).pkcs8 } } : {}),
      anchors: { set: 'none', version: '0', certificates: [] },
    },
    crypto: nodeCrypto,
    emit: () => {},
    features: { deviceCertificate: true, trustedUpload: true },
  });
  return createSecureStreams({
    kernel,
    net: {
      connect: () => {
        connected = new FakeStream();
        return connected;
      },
    },
    ...(tls ? { tls: engine } : {}),
    crypto: nodeCrypto,
    store,
    policy: () => policy,
    onProven: (at) => proven.push(at),
  });
}
let streams: ReturnType<typeof createSecureStreams>;
beforeEach(() => {
  streams = setUp();
});

function record(stream: TlsStream): StreamEvent[] {
  const seen: StreamEvent[] = [];
  stream.onEvent((event) => seen.push(event));
  return seen;
}
const toServer = (service: 'sip' | 'provisioning' = 'sip') => streams.connect({ service, to: THERE, name: 'sip.example.test' });
const inTurn = <T>(body: () => T): T => kernel.turn(clock.now(), body);

describe('a connection to a server', () => {
  it('is reported when it is accepted, with all that was decided', () => {
    const stream = toServer();
    const seen = record(stream);
    expect(engine.last.options).toMatchObject({
      versions: { min: '1.2', max: '1.3' },
      suites: 'ANY',
      serverName: 'sip.example.test',
      identity: { chain: [device] },
    });
    inTurn(() => engine.shows([serverCertificate]));
    inTurn(() => engine.last.stream.open('1.3'));
    expect(stream.secured?.version).toBe('1.3');
    expect(seen).toEqual([{ type: 'open', local: HERE, peer: THERE, at: 0 }]);
    expect(events).toEqual([
      {
        at: 0,
        event: 'tls.accepted',
        service: 'sip',
        peer: 'sip.example.test:5061',
        version: '1.3',
        suite: 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
        verified: true,
        subject: 'CN=sip.example.test,O=Test',
        anchor: 'CN=Site CA,O=Test',
        clientCertificate: '0022EE0A0001',
      },
    ]);
    expect([proven, store.refusedPeers.list()]).toEqual([[date('2025-01-01')], []]);
  });

  it.each<[string, Setup, string, object]>([
    ['wrong name', {}, 'other.example.test', { rule: 'name', subject: 'CN=sip.example.test,O=Test' }],
    ['expired', { wall: '2036-01-01' }, 'sip.example.test', { rule: 'expired', clock: '2036-01-01T00:00:00.000Z' }],
    [
      'a clock that nobody set',
      { trust: 'none' },
      'sip.example.test',
      { rule: 'time-not-trusted', subject: 'CN=sip.example.test,O=Test', mend: expect.stringContaining('UDP port 123') },
    ],
  ])('is refused by us: %s', (_what, setup, name, expected) => {
    streams = setUp(setup);
    const seen = record(streams.connect({ service: 'sip', to: THERE, name }));
    const verdict = inTurn(() => engine.shows([serverCertificate]));
    expect(verdict.ok).toBe(false);
    inTurn(() => engine.last.stream.close({ kind: 'tls-refused', detail: 'as told' }));
    expect(seen.map(({ type }) => type)).toEqual(['closed']);
    expect(events).toMatchObject([{ event: 'tls.refused', by: 'us', service: 'sip', mend: expect.stringMatching(/.{10}/), ...expected }]);
    const [refused] = store.refusedPeers.list();
    expect(refused).toMatchObject({ service: 'sip', peer: `${name}:5061`, times: 1, rule: (expected as { rule: string }).rule });
    expect(store.refusedPeers.chainOf(refused!.id)).toEqual([serverCertificate]);
    expect(proven).toEqual([]);
  });

  it('is encrypted and not verified where validation is off, whatever the server shows', () => {
    policy = { ...policy!, validate: { provisioning: true, sip: false } };
    toServer();
    expect(inTurn(() => engine.shows([Uint8Array.of(1)]))).toEqual({ ok: true, verified: false });
    inTurn(() => engine.last.stream.open());
    expect(events).toMatchObject([{ event: 'tls.accepted', verified: false }]);
    expect(events[0]).not.toHaveProperty('anchor');
    expect(events[0]).toMatchObject({ doubt: expect.stringMatching(/^malformed: /) });
    expect(store.refusedPeers.list()).toEqual([]);
    toServer();
    inTurn(() => engine.shows([serverCertificate]));
    inTurn(() => engine.last.stream.open());
    expect(events[1]).toMatchObject({ event: 'tls.accepted', verified: false, subject: 'CN=sip.example.test,O=Test' });
    expect(events[1]).not.toHaveProperty('doubt');
    expect(proven).toEqual([]);
    toServer('provisioning');
    expect(inTurn(() => engine.shows([Uint8Array.of(1)]))).toMatchObject({ ok: false, rule: 'malformed' });
  });

  it('that is made to hear the date is judged where validation is off too, and proves nothing about the clock', () => {
    streams = setUp({ trust: 'none' });
    policy = { ...policy!, validate: { provisioning: false, sip: false } };
    const ask = (chain: readonly Uint8Array[]) => {
      streams.connect({ service: 'provisioning', use: 'date', to: THERE, name: 'sip.example.test' });
      return inTurn(() => engine.shows(chain));
    };
    expect(ask([Uint8Array.of(1)])).toMatchObject({ ok: false, rule: 'malformed' });
    expect(ask([serverCertificate])).toMatchObject({ ok: true, verified: false, anchor: 'CN=Site CA,O=Test' });
    expect(proven).toEqual([]);
  });

  it('asks the policy anew for each', () => {
    policy = { ...policy!, versions: { min: '1.1', max: '1.2' } };
    toServer();
    expect(engine.last.options.versions).toEqual({ min: '1.1', max: '1.2' });
    engine.versions = ['1.2'];
    toServer();
    expect(engine.last.options.versions).toEqual({ min: '1.2', max: '1.2' });
  });

  it('is reported when the server refuses it: during the handshake, after it, or by hanging up', () => {
    const refusedAfter = (open: boolean, kind: 'tls-alert' | 'reset' | 'tls-protocol', detail: string): object => {
      events.length = 0;
      record(toServer());
      if (open) inTurn(() => engine.last.stream.open());
      inTurn(() => engine.last.stream.close({ kind, detail }));
      return events.at(-1)!;
    };
    const ours = { by: 'peer', rule: 'refused-by-peer', subject: 'CN=0022EE0A0001' };
    expect(refusedAfter(false, 'tls-alert', 'alert handshake failure')).toMatchObject({ ...ours, detail: 'alert handshake failure' });
    expect(refusedAfter(true, 'tls-alert', 'alert unknown ca')).toMatchObject({ ...ours, detail: 'alert unknown ca' });
    expect(refusedAfter(true, 'reset', 'connection reset')).toMatchObject(ours);
  });

  it.each<[HalErrorKind, string, object]>([
    ['tls-alert', 'alert protocol version', { by: 'peer', rule: 'version' }],
    ['tls-alert', 'alert insufficient security', { by: 'peer', rule: 'version' }],
    ['tls-protocol', 'unsupported protocol', { by: 'us', rule: 'version', mend: expect.stringContaining('TLS version') }],
    ['tls-protocol', 'no shared cipher', { by: 'us', rule: 'version', mend: expect.stringContaining('AES-GCM') }],
    ['tls-protocol', 'wrong version number', { by: 'us', rule: 'version', mend: expect.stringContaining('speaks TLS') }],
    ['tls-protocol', 'bad signature', { by: 'us', rule: 'malformed', subject: '', mend: expect.stringContaining('log') }],
    [
      'unsupported',
      'own certificate, key or suites: key values mismatch',
      { by: 'us', rule: 'malformed', subject: 'CN=0022EE0A0001', mend: expect.stringContaining('certs/sipclient.pem') },
    ],
  ])('whose handshake fails with %s (%s) says why', (kind, detail, expected) => {
    record(toServer());
    inTurn(() => engine.last.stream.close({ kind, detail }));
    expect(events).toMatchObject([{ event: 'tls.refused', detail, ...expected }]);
  });

  it('that an engine resumed is refused, whoever the peer was: nobody showed a certificate', () => {
    const seen = record(toServer());
    inTurn(() => {
      engine.last.stream.open('1.3', true);
      // Nothing that it says comes through meanwhile.
      expect(engine.last.stream.aborted).toBe(true);
    });
    clock.run(0);
    expect(events).toMatchObject([{ event: 'tls.refused', by: 'us', rule: 'no-certificate', detail: expect.stringContaining('resumed') }]);
    expect(seen).toMatchObject([{ type: 'closed', error: { kind: 'tls-refused' } }]);
  });

  it.each([
    ['a wildcard', true, undefined],
    ['no wildcard', false, 'name'],
  ])('to a SIP server may be by %s where the policy says %s', (_what, sipWildcards, rule) => {
    const wild = issueCertificate(ports, template('any', 4, { names: [{ type: 'dns', value: '*.example.test' }] }), ca);
    policy = { ...policy!, sipWildcards };
    toServer();
    const verdict = inTurn(() => engine.shows([wild]));
    expect(verdict.ok ? undefined : verdict.rule).toBe(rule);
    toServer('provisioning');
    expect(inTurn(() => engine.shows([wild])).ok).toBe(true);
  });

  it('to an address needs that address in the certificate', () => {
    const to = (address: string) => {
      const certificate = issueCertificate(ports, template('any', 4, { names: [{ type: 'ip', value: address }] }), ca);
      streams.connect({ service: 'sip', to: THERE, name: '192.0.2.20' });
      return inTurn(() => engine.shows([certificate])).ok;
    };
    expect([to('192.0.2.20'), to('192.0.2.21')]).toEqual([true, false]);
  });

  it('of a unit without a certificate says so when the server refuses it', () => {
    streams = setUp({ identity: false });
    record(toServer());
    inTurn(() => engine.last.stream.close({ kind: 'tls-alert', detail: 'alert certificate required' }));
    expect(events).toMatchObject([
      { event: 'tls.refused', by: 'peer', subject: '', mend: expect.stringContaining('upload certs/sipclient.pem') },
    ]);
  });

  it('is no connection where the engine asks nobody about the server', () => {
    const seen = record(toServer());
    inTurn(() => engine.last.stream.open());
    clock.run(SECOND);
    expect(seen).toMatchObject([{ type: 'closed', error: { kind: 'tls-refused' } }]);
    expect(engine.last.stream.aborted).toBe(true);
    expect(events.map(({ event }) => event)).toEqual(['tls.refused']);
  });

  it('that fails below TLS, or ends after it was used, is no matter of trust', () => {
    const seen = record(toServer());
    inTurn(() => engine.last.stream.close({ kind: 'unreachable', detail: 'no route' }));
    expect(seen).toMatchObject([{ type: 'closed', error: { kind: 'unreachable' } }]);
    record(toServer());
    inTurn(() => engine.shows([serverCertificate]));
    inTurn(() => engine.last.stream.open());
    inTurn(() => engine.last.stream.emit({ type: 'data', bytes: Uint8Array.of(1), at: 0 }));
    inTurn(() => engine.last.stream.close({ kind: 'reset', detail: 'connection reset' }));
    expect(events.map(({ event }) => event)).toEqual(['tls.accepted']);
  });

  it('is given up when the handshake takes too long', () => {
    const seen = record(toServer());
    clock.runTo(9 * SECOND);
    expect(seen).toEqual([]);
    clock.runTo(10 * SECOND);
    expect(seen).toMatchObject([{ type: 'closed', error: { kind: 'timeout' } }]);
    expect(engine.last.stream.aborted).toBe(true);
    inTurn(() => engine.last.stream.open());
    expect(seen).toHaveLength(1);
  });

  it('delivers nothing after abort, and leaves no timer', () => {
    const stream = toServer();
    const seen = record(stream);
    stream.abort();
    inTurn(() => engine.last.stream.close());
    expect(seen).toEqual([]);
    expect(kernel.pendingTimers()).toEqual([]);
  });

  it.each<[string, () => void]>([
    [
      'the board has no TLS',
      () => {
        streams = setUp({ tls: false });
      },
    ],
    [
      'the firmware has no TLS',
      () => {
        policy = undefined;
      },
    ],
    [
      'the engine has no version that the policy allows',
      () => {
        engine.versions = ['1.0'];
      },
    ],
  ])('closes as unsupported, and not before its maker returned, where %s', (_why, prepare) => {
    prepare();
    const seen = record(toServer());
    expect(seen).toEqual([]);
    clock.run(0);
    expect(seen).toMatchObject([{ type: 'closed', error: { kind: 'unsupported' } }]);
  });
});

describe('a connection from a client', () => {
  const accept = (client: 'no' | 'asked' | 'required' = 'required') => {
    const under = new FakeStream();
    const stream = streams.accept(under, { service: 'sip-server', client });
    under.open();
    return { under, stream, seen: record(stream) };
  };

  it('is judged by the certificate it shows', () => {
    const { seen } = accept();
    expect(inTurn(() => engine.shows([clientCertificate]))).toMatchObject({ ok: true, verified: true });
    inTurn(() => engine.last.stream.open());
    expect(seen).toMatchObject([{ type: 'open', peer: THERE }]);
    expect(events).toMatchObject([
      { event: 'tls.accepted', service: 'sip-server', peer: '192.0.2.20:5061', clientCertificate: 'desk', anchor: 'CN=Site CA,O=Test' },
    ]);
  });

  it('may not be a server by its certificate', () => {
    accept('asked');
    expect(inTurn(() => engine.shows([serverCertificate]))).toMatchObject({ ok: false, rule: 'purpose' });
  });

  it('without a certificate is refused where one is required, accepted unverified where none is', () => {
    accept();
    inTurn(() => engine.last.stream.close({ kind: 'tls-refused', detail: 'no certificate' }));
    expect(events).toMatchObject([{ event: 'tls.refused', by: 'us', rule: 'no-certificate', peer: '192.0.2.20:5061' }]);
    accept('no');
    inTurn(() => engine.last.stream.open());
    expect(events[1]).toMatchObject({ event: 'tls.accepted', verified: false });
  });

  it('is not taken where there is no certificate to show, or too many are at it', () => {
    const web = new FakeStream();
    const seen = record(streams.accept(web, { service: 'web', client: 'no' }));
    clock.run(0);
    expect(web.aborted).toBe(true);
    expect(seen).toMatchObject([{ type: 'closed', error: { kind: 'unsupported' } }]);
  });

  it('that only holds its place gives way to the seventeenth; one that settles makes room', () => {
    const all = Array.from({ length: 16 }, () => accept());
    inTurn(() => engine.made[0]!.stream.open());
    accept();
    clock.run(0);
    expect(engine.made.filter(({ stream }) => stream.aborted)).toEqual([]);
    accept();
    clock.run(0);
    expect(all[1]!.seen).toMatchObject([{ type: 'closed', error: { kind: 'full', detail: expect.stringContaining('16') } }]);
    expect(engine.made.map(({ stream }) => stream.aborted).indexOf(true)).toBe(1);
    expect(engine.made.filter(({ stream }) => stream.aborted)).toHaveLength(1);
  });

  it('is given up after 10 s without a handshake, and leaves its place', () => {
    const all = Array.from({ length: 16 }, () => accept());
    clock.runTo(10 * SECOND);
    for (const { seen } of all) expect(seen).toMatchObject([{ type: 'closed', error: { kind: 'timeout' } }]);
    expect(engine.made.every(({ stream }) => stream.aborted)).toBe(true);
    expect(kernel.pendingTimers()).toEqual([]);
    accept();
    clock.run(SECOND);
    expect(engine.last.stream.aborted).toBe(false);
  });

  it('is told which authorities its certificate may be from, where it is asked for one', () => {
    accept();
    expect(engine.last.options).toMatchObject({ issuers: [parsed(ca.certificate).subject.der], suites: 'ANY' });
    accept('no');
    expect(engine.last.options).not.toHaveProperty('issuers');
  });
});
