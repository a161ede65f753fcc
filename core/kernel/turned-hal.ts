/** Wraps a Hal so that every listener call begins a turn. Done here once, no other line of the core has to remember it. */
import { Observable } from 'rxjs';
import type { ByteStream, Done, Hal, Micros, Net, TlsEngine, TlsStream, UdpSocket } from '../../hal/hal.js';
import type { Kernel } from './kernel.js';

type Turn = Kernel['turn'];

export function turnedHal(hal: Hal, turn: Turn): Hal {
  const done =
    <T>(inner: Done<T>): Done<T> =>
    (result, at) =>
      turn(at, () => inner(result, at));
  return {
    ...hal,
    nic: { ...pick(hal.nic), link$: turned(hal.nic.link$, turn), lease$: turned(hal.nic.lease$, turn) },
    net: turnedNet(hal.net, turn, done),
    ...(hal.tls ? { tls: turnedTls(hal.tls, turn) } : {}),
    flash: { partitions: hal.flash.partitions, submit: (op, inner) => hal.flash.submit(op, done(inner)) },
    audio: {
      open: (format, pull) => hal.audio.open(format, (out, at) => turn(at, () => pull(out, at))),
      ...(hal.audio.openInput
        ? { openInput: (format, push) => hal.audio.openInput!(format, (pcm, at) => turn(at, () => push(pcm, at))) }
        : {}),
    },
    gpio: { lines: hal.gpio.lines, set: (line, on) => hal.gpio.set(line, on), edges$: turned(hal.gpio.edges$, turn) },
    crypto: {
      digest: (a, ...data) => hal.crypto.digest(a, ...data),
      hmac: (a, key, ...data) => hal.crypto.hmac(a, key, ...data),
      verify: (a, spki, data, signature) => hal.crypto.verify(a, spki, data, signature),
      sign: (a, key, data) => hal.crypto.sign(a, key, data),
      importKey: (pkcs8) => hal.crypto.importKey(pkcs8),
      generateKey: (type, inner) => hal.crypto.generateKey(type, done(inner)),
    },
  };
}

const pick = (nic: Hal['nic']): Omit<Hal['nic'], 'link$' | 'lease$'> => ({
  mac: nic.mac,
  mtu: nic.mtu,
  link: () => nic.link(),
  lease: () => nic.lease(),
  ...(nic.frames ? { frames: nic.frames } : {}),
});

/** A turn around each value: the subscriber runs inside it. */
const turned = <T extends { at: Micros }>(source: Observable<T>, turn: Turn): Observable<T> =>
  new Observable<T>((subscriber) =>
    source.subscribe({
      next: (value) => turn(value.at, () => subscriber.next(value)),
      error: (error) => subscriber.error(error),
    }),
  );

function turnedNet(net: Net, turn: Turn, done: <T>(inner: Done<T>) => Done<T>): Net {
  return {
    udp: (options) => {
      const result = net.udp(options);
      return result.ok ? { ok: true, value: turnedSocket(result.value, turn) } : result;
    },
    connect: (to) => turnedStream(net.connect(to), turn),
    listen: (options, onStream) =>
      net.listen(options, (stream, at) => {
        const inside = turnedStream(stream, turn);
        turn(at, () => onStream(inside, at));
      }),
    resolve: (name, type, inner) => net.resolve(name, type, done(inner)),
  };
}

function turnedSocket(socket: UdpSocket, turn: Turn): UdpSocket {
  return {
    local: socket.local,
    onDatagram: (listener) => socket.onDatagram((bytes, from, at) => turn(at, () => listener(bytes, from, at))),
    send: (to, bytes) => socket.send(to, bytes),
    join: (group) => socket.join(group),
    leave: (group) => socket.leave(group),
    close: () => socket.close(),
  };
}

/** Keeps the platform's stream reachable, because a TLS engine is handed the stream it was made for. */
const inner = new WeakMap<ByteStream, ByteStream>();

function turnedStream(stream: ByteStream, turn: Turn): ByteStream {
  const outside: ByteStream = {
    onEvent: (listener) => stream.onEvent((event) => turn(event.at, () => listener(event))),
    write: (bytes) => stream.write(bytes),
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    end: () => stream.end(),
    abort: () => stream.abort(),
  };
  inner.set(outside, stream);
  return outside;
}

function turnedTls(tls: TlsEngine, turn: Turn): TlsEngine {
  const wrap = (stream: TlsStream): TlsStream =>
    Object.defineProperty(turnedStream(stream, turn), 'secured', { get: () => stream.secured, enumerable: true }) as TlsStream;
  return {
    versions: tls.versions,
    client: (under, options) =>
      wrap(tls.client(inner.get(under) ?? under, { ...options, verify: (peer, at) => turn(at, () => options.verify(peer, at)) })),
    server: (under, options) => {
      const { verify, ...rest } = options;
      return wrap(
        tls.server(inner.get(under) ?? under, verify ? { ...rest, verify: (peer, at) => turn(at, () => verify(peer, at)) } : rest),
      );
    },
  };
}
