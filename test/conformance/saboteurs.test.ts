/** The suite is worth what it catches: bindings that break one law each, and the case that must say so. */
import { of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { MILLISECOND } from '../../hal/base/time.js';
import { conformanceCases, runConformance } from '../../hal/conformance/index.js';
import type { ByteStream, Clock, Crypto, Flash, Hal, Net, TlsEngine, UdpSocket } from '../../hal/hal.js';
import { simRig } from './sim-rig.js';

const clock = (hal: Hal, broken: Partial<Clock>): Hal => ({
  ...hal,
  clock: {
    now: () => hal.clock.now(),
    wall: () => hal.clock.wall(),
    setWall: (at) => hal.clock.setWall(at),
    setAlarm: (at) => hal.clock.setAlarm(at),
    onAlarm: (listener) => hal.clock.onAlarm(listener),
    ...broken,
  },
});
const net = (hal: Hal, broken: (inner: Net) => Partial<Net>): Hal => ({
  ...hal,
  net: {
    udp: (options) => hal.net.udp(options),
    connect: (to) => hal.net.connect(to),
    listen: (options, onStream) => hal.net.listen(options, onStream),
    resolve: (name, type, done) => hal.net.resolve(name, type, done),
    ...broken(hal.net),
  },
});
const crypto = (hal: Hal, broken: Partial<Crypto>): Hal => ({ ...hal, crypto: { ...hal.crypto, ...broken } });
const flash = (hal: Hal, submit: Flash['submit']): Hal => ({ ...hal, flash: { partitions: hal.flash.partitions, submit } });
const stream = (inner: ByteStream, broken: Partial<ByteStream>): ByteStream => ({
  onEvent: (listener) => inner.onEvent(listener),
  write: (bytes) => inner.write(bytes),
  pause: () => inner.pause(),
  resume: () => inner.resume(),
  end: () => inner.end(),
  abort: () => inner.abort(),
  ...broken,
});
const socket = (inner: UdpSocket, broken: Partial<UdpSocket>): UdpSocket => ({
  local: inner.local,
  onDatagram: (listener) => inner.onDatagram(listener),
  send: (to, bytes) => inner.send(to, bytes),
  join: (group) => inner.join(group),
  leave: (group) => inner.leave(group),
  close: () => inner.close(),
  ...broken,
});
const tls = (hal: Hal, broken: (engine: TlsEngine) => Partial<TlsEngine>): Hal => {
  const engine = hal.tls!;
  return {
    ...hal,
    tls: {
      versions: engine.versions,
      client: (under, options) => engine.client(under, options),
      server: (under, options) => engine.server(under, options),
      ...broken(engine),
    },
  };
};

const saboteurs: readonly (readonly [what: string, caughtBy: string, (hal: Hal) => Hal])[] = [
  ['comes early', 'clock-never-early', (hal) => clock(hal, { setAlarm: (at) => hal.clock.setAlarm(at && at - MILLISECOND) })],
  ['keeps the alarm before', 'clock-one-alarm', (hal) => clock(hal, { setAlarm: (at) => at && hal.clock.setAlarm(at - 19 * MILLISECOND) })],
  ['calls back inside setAlarm', 'clock-past-alarm', (hal) => alarmInTheCall(hal)],
  ['counts µs in 32 bits', 'clock-ninety-days', (hal) => clock(hal, { setAlarm: (at) => hal.clock.setAlarm(at && at % 2 ** 32) })],
  ['has no randomness', 'entropy-fills', (hal) => ({ ...hal, entropy: { fill: (out) => void out.fill(7) } })],
  ['shares ports', 'udp-port-taken', (hal) => net(hal, () => ({ udp: () => hal.net.udp({ port: 0 }) }))],
  ['delivers after close', 'udp-close-silent', (hal) => net(hal, (inner) => ({ udp: (o) => neverClosed(inner, o) }))],
  ['sends what does not fit', 'udp-too-big', (hal) => net(hal, (inner) => ({ udp: (o) => truncating(inner, o) }))],
  ['answers what was taken back', 'dns-cancel', (hal) => net(hal, (inner) => ({ resolve: uncancelled(inner) }))],
  ['takes bytes back', 'tcp-bytes-kept', (hal) => net(hal, (inner) => ({ connect: (to) => forgetful(inner.connect(to)) }))],
  [
    'delivers after abort',
    'tcp-abort-silent',
    (hal) => net(hal, (i) => ({ connect: (to) => stream(i.connect(to), { abort: () => undefined }) })),
  ],
  ['accepts anything', 'tcp-bounded', (hal) => net(hal, (inner) => ({ connect: (to) => greedy(inner.connect(to)) }))],
  [
    'asks nobody whom to trust',
    'tls-verdict-first',
    (hal) => tls(hal, (e) => ({ client: (u, o) => e.client(u, { ...o, verify: () => ({ ok: true, verified: true }) }) })),
  ],
  [
    'requires no certificate',
    'tls-certificate-required',
    (hal) => tls(hal, (e) => ({ server: (u, o) => e.server(u, { ...o, client: 'asked' }) })),
  ],
  ['is done during submit', 'flash-order', (hal) => flash(hal, (_op, done) => done({ ok: true, value: undefined }, 0))],
  [
    'loses what is programmed',
    'flash-erase-program-read',
    (hal) =>
      flash(hal, (op, done) =>
        hal.flash.submit(op.type === 'program' ? { ...op, bytes: new Uint8Array(op.bytes.length).fill(255) } : op, done),
      ),
  ],
  [
    'takes any range',
    'flash-violations',
    (hal) => flash(hal, (op, done) => op.type === 'sync' && hal.flash.submit({ ...op, partition: 'data' }, done)),
  ],
  [
    'pulls at half the pace',
    'audio-even-pace',
    (hal) => ({
      ...hal,
      audio: { open: (f, pull) => hal.audio.open({ ...f, frame: 2 * f.frame }, (out, at) => pull(out.subarray(0, f.frame), at)) },
    }),
  ],
  ['believes every signature', 'crypto-sign-verify', (hal) => crypto(hal, { verify: () => true })],
  [
    'throws at hostile input',
    'crypto-hostile',
    (hal) =>
      crypto(hal, {
        verify: (_a, spki) => {
          throw new Error(`bad key ${spki.length}`);
        },
      }),
  ],
  ['has other digests', 'crypto-known-answers', (hal) => crypto(hal, { digest: (_a, ...data) => hal.crypto.digest('md5', ...data) })],
  ['ends an observable', 'observables-live', (hal) => ({ ...hal, nic: { ...hal.nic, mac: hal.nic.mac, link$: of() } })],
  [
    'sets lines that it has not',
    'gpio-lines',
    (hal) => ({ ...hal, gpio: { lines: hal.gpio.lines, edges$: hal.gpio.edges$, set: () => ({ ok: true, value: undefined }) } }),
  ],
];

describe('a binding that', () => {
  it.each(saboteurs)('%s is caught by %s', async (_what, caughtBy, sabotage) => {
    const { hal, bench } = simRig();
    const one = conformanceCases.filter(({ id }) => id === caughtBy);
    const [result] = await runConformance(sabotage(hal), bench, one);
    expect(result).toMatchObject({ id: caughtBy, outcome: 'failed', detail: expect.stringMatching(/./) });
  });

  it('lacks a port is not said to pass', async () => {
    const { hal, bench } = simRig();
    const { tls: _tls, ...without } = hal;
    const { dial: _dial, ...poor } = bench;
    const results = await runConformance(without, poor);
    expect(results.filter(({ outcome }) => outcome === 'skipped').map(({ id, detail }) => `${id}: ${detail}`)).toEqual([
      'tcp-listen: needs dial',
      ...['mutual', 'verdict-first', 'certificate-required', 'secrets', 'abort-silent', 'bounded'].map((id) => `tls-${id}: needs tls`),
    ]);
    expect(results.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  });
});

function alarmInTheCall(hal: Hal): Hal {
  let listener: (at: number) => void = () => undefined;
  return clock(hal, {
    onAlarm: (given) => (listener = given),
    setAlarm: (at) => at !== undefined && listener(hal.clock.now()),
  } as Partial<Clock>);
}

function neverClosed(inner: Net, options: { port: number }): ReturnType<Net['udp']> {
  const opened = inner.udp(options);
  return opened.ok ? { ok: true, value: socket(opened.value, { close: () => undefined }) } : opened;
}

const uncancelled =
  (inner: Net): Net['resolve'] =>
  (name, type, done) => {
    inner.resolve(name, type, done);
    return () => undefined;
  };

function truncating(inner: Net, options: { port: number }): ReturnType<Net['udp']> {
  const opened = inner.udp(options);
  return opened.ok
    ? { ok: true, value: socket(opened.value, { send: (to, bytes) => opened.value.send(to, bytes.subarray(0, 100)) }) }
    : opened;
}

const forgetful = (inner: ByteStream): ByteStream =>
  stream(inner, {
    onEvent: (listener) =>
      inner.onEvent((event) => {
        listener(event);
        if (event.type === 'data') event.bytes.fill(0);
      }),
  });

const greedy = (inner: ByteStream): ByteStream =>
  stream(inner, {
    write: (bytes) => {
      inner.write(bytes);
      return bytes.length;
    },
  });
