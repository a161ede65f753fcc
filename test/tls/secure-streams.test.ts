import { beforeEach, describe, expect, it } from 'vitest';
import { issueDeviceCertificate } from '../../core/certs/authority.js';
import { issueCertificate, issueSelfSigned } from '../../core/certs/issue.js';
import { createCertificateStore } from '../../core/certs/store.js';
import type { EndpointEvent } from '../../core/kernel/events.js';
import { createKernel, type Kernel } from '../../core/kernel/kernel.js';
import { createSecureStreams } from '../../core/tls/create-secure-streams.js';
import type { TlsPolicy } from '../../core/tls/tls.policy.js';
import { SECOND } from '../../hal/base/time.js';
import type { ClockTrust, StreamEvent, TlsStream } from '../../hal/hal.js';
import { date, nodeCrypto, template, testKey, testPorts } from '../certs/support.js';
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
  policy = { versions: { min: '1.2', max: '1.3' }, validate: { provisioning: true, sip: true } };
  const store = createCertificateStore({
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
  });

  it.each<[string, Setup, string, object]>([
    ['wrong name', {}, 'other.example.test', { rule: 'name', subject: 'CN=sip.example.test,O=Test' }],
    ['expired', { wall: '2036-01-01' }, 'sip.example.test', { rule: 'expired', clock: '2036-01-01T00:00:00.000Z' }],
    ['a clock that nobody set', { trust: 'none' }, 'sip.example.test', { rule: 'time-not-trusted', subject: '' }],
  ])('is refused by us: %s', (_what, setup, name, expected) => {
    streams = setUp(setup);
    const seen = record(streams.connect({ service: 'sip', to: THERE, name }));
    const verdict = inTurn(() => engine.shows([serverCertificate]));
    expect(verdict.ok).toBe(false);
    inTurn(() => engine.last.stream.close({ kind: 'tls-refused', detail: 'as told' }));
    expect(seen.map(({ type }) => type)).toEqual(['closed']);
    expect(events).toMatchObject([{ event: 'tls.refused', by: 'us', service: 'sip', ...expected, mend: expect.stringMatching(/.{10}/) }]);
  });

  it('is encrypted and not verified where validation is off, whatever the server shows', () => {
    policy = { ...policy!, validate: { provisioning: true, sip: false } };
    toServer();
    expect(inTurn(() => engine.shows([Uint8Array.of(1)]))).toEqual({ ok: true, verified: false });
    inTurn(() => engine.last.stream.open());
    expect(events).toMatchObject([{ event: 'tls.accepted', verified: false }]);
    expect(events[0]).not.toHaveProperty('anchor');
    toServer('provisioning');
    expect(inTurn(() => engine.shows([Uint8Array.of(1)]))).toMatchObject({ ok: false, rule: 'malformed' });
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
    expect(refusedAfter(false, 'tls-alert', 'alert protocol version')).toMatchObject({ by: 'peer', rule: 'version' });
    expect(refusedAfter(false, 'tls-protocol', 'unsupported protocol')).toMatchObject({ by: 'us', rule: 'version' });
  });

  it('of a unit without a certificate says so when the server refuses it', () => {
    streams = setUp({ identity: false });
    record(toServer());
    inTurn(() => engine.last.stream.close({ kind: 'tls-alert', detail: 'alert certificate required' }));
    expect(events).toMatchObject([
      { event: 'tls.refused', by: 'peer', subject: '', mend: expect.stringContaining('upload certs/sipclient.pem') },
    ]);
  });

  it('that fails below TLS, or ends after it was used, is no matter of trust', () => {
    const seen = record(toServer());
    inTurn(() => engine.last.stream.close({ kind: 'unreachable', detail: 'no route' }));
    expect(seen).toMatchObject([{ type: 'closed', error: { kind: 'unreachable' } }]);
    record(toServer());
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

    const all = Array.from({ length: 16 }, () => accept());
    const one = accept();
    expect(one.under.aborted).toBe(true);
    clock.run(0);
    expect(one.seen).toMatchObject([{ type: 'closed', error: { kind: 'full' } }]);
    all[0]!.stream.abort();
    expect(accept().under.aborted).toBe(false);
  });
});
